"""What a config may say about the pyramids and the head of the two-stage detectors."""

from __future__ import annotations

from typing import Literal

import attrs
from attrs import validators as v

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
