"""The classification heads, as records."""

from __future__ import annotations

from pdx_core.specs import HeadSpec

SPECS = (
    HeadSpec(
        name="ClsHead",
        task="cls",
        target="pdx_cls.heads:ClsHead",
        options="pdx_cls.heads_options:ClsHeadOptions",
        summary="global average pooling and a linear layer",
    ),
    HeadSpec(
        name="WideClsHead",
        task="cls",
        target="pdx_cls.heads:WideClsHead",
        options="pdx_cls.heads_options:WideClsHeadOptions",
        summary="pooling between 1x1 convolutions, then a linear layer (MobileNetV3, PP-LCNet)",
    ),
    HeadSpec(
        name="ConvClsHead",
        task="cls",
        target="pdx_cls.heads:ConvClsHead",
        options="pdx_cls.heads_options:ConvClsHeadOptions",
        summary="wide 1x1 convolution, pooling and a linear layer (MobileNetV2)",
    ),
    HeadSpec(
        name="HRNetClsHead",
        task="cls",
        target="pdx_cls.heads_hrnet:HRNetClsHead",
        options="pdx_cls.heads_options:HRNetClsHeadOptions",
        summary="branches folded from fine to coarse, pooling and a linear layer (HRNet)",
    ),
)
