"""Pyramids and the head of the two-stage detectors, and what a config may say about them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import attrs
from attrs import validators as v

from pdx_core.specs import HeadSpec, NeckSpec

_SHARE = v.and_(v.gt(0), v.le(1))


@attrs.frozen(kw_only=True)
class FPNOptions:
    channels: int = attrs.field(default=256, validator=v.gt(0))
    extra: Literal["pool", "conv", "none"] = "pool"
    norm: Literal["none", "group"] = "none"


@attrs.frozen(kw_only=True)
class HRFPNOptions:
    channels: int = attrs.field(default=256, validator=v.gt(0))
    levels: int = attrs.field(default=5, validator=v.gt(0))


@attrs.frozen(kw_only=True)
class RCNNHeadOptions:
    anchor_sizes: tuple[tuple[float, ...], ...] | None = None  # per level; None: 32 on the finest, doubled at each
    stages: tuple[float, ...] = (0.5,)  # foreground IoU of each box head
    box_trunk: str = "fc"  # fc, conv_fc, or a ResNet whose last stage is used
    resolution: int = attrs.field(default=7, validator=v.gt(0))
    sampling_ratio: int = 0
    roi_levels: int = attrs.field(default=4, validator=v.gt(0))
    rpn_pre_nms: tuple[int, int] = (2000, 1000)  # training, evaluation; per level
    rpn_post_nms: tuple[int, int] = (1000, 1000)  # over all levels
    samples: int = attrs.field(default=512, validator=v.gt(0))
    sample_at_random: bool = True
    iou_loss: Literal["giou", "diou", "ciou"] | None = None
    nms_kind: Literal["greedy", "soft"] = "greedy"
    score_threshold: float = attrs.field(default=0.05, validator=v.and_(v.ge(0), v.lt(1)))
    nms_iou: float = attrs.field(default=0.5, validator=_SHARE)  # greedy only
    keep_top_k: int = attrs.field(default=100, validator=v.gt(0))


# Arguments of `RCNNHead` that make its variants
HEAD_ARGUMENTS: Mapping[str, Mapping[str, Any]] = {
    "fpn": {},
    "c4": {
        "anchor_sizes": ((32.0, 64.0, 128.0, 256.0, 512.0),),
        "box_trunk": "ResNet50",
        "resolution": 14,
        "sampling_ratio": -1,
        "roi_levels": 1,
        "rpn_pre_nms": (12000, 6000),
        "rpn_post_nms": (2000, 1000),
    },
    "cascade": {"stages": (0.5, 0.6, 0.7), "rpn_post_nms": (2000, 1000)},
}

NECKS = (
    NeckSpec(
        name="FPN",
        target="pdx_det.necks.fpn:FPN",
        options="pdx_det.rcnn_specs:FPNOptions",
        summary="feature pyramid with lateral connections",
        min_levels=1,
    ),
    NeckSpec(
        name="HRFPN",
        target="pdx_det.necks.fpn:HRFPN",
        options="pdx_det.rcnn_specs:HRFPNOptions",
        summary="pyramid from the concatenated branches of HRNet",
        min_levels=2,
    ),
)
HEADS = (
    HeadSpec(
        name="FasterRCNNHead",
        task="det",
        target="pdx_det.rcnn:RCNNHead",
        options="pdx_det.rcnn_specs:RCNNHeadOptions",
        summary="region proposals and a box head on a pyramid",
    ),
    HeadSpec(
        name="FasterRCNNC4Head",
        task="det",
        target="pdx_det.rcnn:RCNNHead",
        options="pdx_det.rcnn_specs:RCNNHeadOptions",
        arguments=HEAD_ARGUMENTS["c4"],
        summary="region proposals and the last residual stage on one level of stride 16",
    ),
    HeadSpec(
        name="CascadeRCNNHead",
        task="det",
        target="pdx_det.rcnn:RCNNHead",
        options="pdx_det.rcnn_specs:RCNNHeadOptions",
        arguments=HEAD_ARGUMENTS["cascade"],
        summary="three box heads, each trained on the boxes of the one before",
    ),
)
