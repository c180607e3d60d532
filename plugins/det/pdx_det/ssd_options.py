"""What a config may say about the necks and the head of SSD."""

from __future__ import annotations

from typing import Literal

import attrs
from attrs import validators as v

from pdx_det.ssd_specs import VGG300_LEVELS
from pdx_det.suppression_options import SuppressionOptions


@attrs.frozen(kw_only=True)
class SSDExtrasOptions:
    levels: tuple[tuple[int, int, int, int, int], ...] = VGG300_LEVELS
    normalized: bool = False
    l2_norm: bool = False
    spelling: Literal["vgg", "mobilenet", "resnet"] = "vgg"


@attrs.frozen(kw_only=True)
class SSDHeadOptions(SuppressionOptions):
    min_sizes: tuple[float | tuple[float, ...], ...] = ()  # of a level: one, or several
    max_sizes: tuple[float, ...] = ()  # 0: no larger square prior on that level
    ratios: tuple[tuple[float, ...], ...] = ()
    steps: tuple[float, ...] = ()
    min_max_first: bool = False
    clip_priors: bool = False
    kernel_size: int = attrs.field(default=3, validator=v.in_((1, 3)))
    separable: bool = False
    match_iou: float = attrs.field(default=0.5, validator=v.and_(v.gt(0), v.le(1)))
    spelling: Literal["ssd", "blaze"] = "ssd"  # of released files
    negative_ratio: float = attrs.field(default=3.0, validator=v.ge(0))
    pre_top_k: int = 400
    keep_top_k: int = attrs.field(default=200, validator=v.gt(0))
