"""What a config may say about the classification heads."""

from __future__ import annotations

from typing import Literal

import attrs
from attrs import validators as v


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
