"""The classification heads and what a config may say about them."""

from __future__ import annotations

from typing import Literal

import attrs
from attrs import validators as v

from pdx_core.specs import HeadSpec


@attrs.frozen(kw_only=True)
class ClsHeadOptions:
    dropout: float = attrs.field(default=0.0, validator=v.and_(v.ge(0), v.lt(1)))
    label_smoothing: float = attrs.field(default=0.0, validator=v.and_(v.ge(0), v.lt(1)))
    class_weights: tuple[float, ...] = ()  # one per class, for datasets with rare classes
    dropout_mode: Literal["downscale_in_infer", "upscale_in_train"] = "upscale_in_train"
    release_key: str = "fc"  # what the published weights call the linear layer


@attrs.frozen(kw_only=True)
class WideClsHeadOptions:
    squeeze_channels: int | None = None
    hidden_channels: int = attrs.field(default=1280, validator=v.gt(0))
    act: str = "hardswish"
    dropout: float = attrs.field(default=0.2, validator=v.and_(v.ge(0), v.lt(1)))
    dropout_mode: Literal["downscale_in_infer", "upscale_in_train"] = "downscale_in_infer"
    norm: Literal["batch", "frozen", "group"] = "batch"
    label_smoothing: float = attrs.field(default=0.0, validator=v.and_(v.ge(0), v.lt(1)))
    class_weights: tuple[float, ...] = ()


@attrs.frozen(kw_only=True)
class ConvClsHeadOptions:
    hidden_channels: int = attrs.field(default=1280, validator=v.gt(0))
    act: str = "relu6"
    dropout: float = attrs.field(default=0.0, validator=v.and_(v.ge(0), v.lt(1)))
    norm: Literal["batch", "frozen", "group"] = "batch"
    label_smoothing: float = attrs.field(default=0.0, validator=v.and_(v.ge(0), v.lt(1)))
    class_weights: tuple[float, ...] = ()


@attrs.frozen(kw_only=True)
class HRNetClsHeadOptions:
    dropout: float = attrs.field(default=0.0, validator=v.and_(v.ge(0), v.lt(1)))
    norm: Literal["batch", "frozen", "group"] = "batch"
    label_smoothing: float = attrs.field(default=0.0, validator=v.and_(v.ge(0), v.lt(1)))
    class_weights: tuple[float, ...] = ()


SPECS = (
    HeadSpec(
        name="ClsHead",
        task="cls",
        target="pdx_cls.heads:ClsHead",
        options="pdx_cls.heads_specs:ClsHeadOptions",
        summary="global average pooling and a linear layer",
    ),
    HeadSpec(
        name="WideClsHead",
        task="cls",
        target="pdx_cls.heads:WideClsHead",
        options="pdx_cls.heads_specs:WideClsHeadOptions",
        summary="pooling between 1x1 convolutions, then a linear layer (MobileNetV3, PP-LCNet)",
    ),
    HeadSpec(
        name="ConvClsHead",
        task="cls",
        target="pdx_cls.heads:ConvClsHead",
        options="pdx_cls.heads_specs:ConvClsHeadOptions",
        summary="wide 1x1 convolution, pooling and a linear layer (MobileNetV2)",
    ),
    HeadSpec(
        name="HRNetClsHead",
        task="cls",
        target="pdx_cls.heads_hrnet:HRNetClsHead",
        options="pdx_cls.heads_specs:HRNetClsHeadOptions",
        summary="branches folded from fine to coarse, pooling and a linear layer (HRNet)",
    ),
)
