"""Pyramids and the head of the two-stage detectors, as records."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pdx_core.specs import HeadSpec, NeckSpec

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
        options="pdx_det.rcnn_options:FPNOptions",
        summary="feature pyramid with lateral connections",
        min_levels=1,
    ),
    NeckSpec(
        name="HRFPN",
        target="pdx_det.necks.fpn:HRFPN",
        options="pdx_det.rcnn_options:HRFPNOptions",
        summary="pyramid from the concatenated branches of HRNet",
        min_levels=2,
    ),
)
HEADS = (
    HeadSpec(
        name="FasterRCNNHead",
        task="det",
        target="pdx_det.rcnn:RCNNHead",
        options="pdx_det.rcnn_options:RCNNHeadOptions",
        summary="region proposals and a box head on a pyramid",
    ),
    HeadSpec(
        name="FasterRCNNC4Head",
        task="det",
        target="pdx_det.rcnn:RCNNHead",
        options="pdx_det.rcnn_options:RCNNHeadOptions",
        arguments=HEAD_ARGUMENTS["c4"],
        summary="region proposals and the last residual stage on one level of stride 16",
    ),
    HeadSpec(
        name="CascadeRCNNHead",
        task="det",
        target="pdx_det.rcnn:RCNNHead",
        options="pdx_det.rcnn_options:RCNNHeadOptions",
        arguments=HEAD_ARGUMENTS["cascade"],
        summary="three box heads, each trained on the boxes of the one before",
    ),
)
