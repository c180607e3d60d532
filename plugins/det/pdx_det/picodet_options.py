"""What a config may say about the neck and the head of PicoDet."""

from __future__ import annotations

import attrs
from attrs import validators as v

from pdx_det.suppression_options import SuppressionOptions


@attrs.frozen(kw_only=True)
class CSPPANOptions:
    channels: int = attrs.field(default=96, validator=v.gt(0))
    kernel_size: int = attrs.field(default=5, validator=v.in_((1, 3, 5, 7)))


@attrs.frozen(kw_only=True)
class PicoHeadOptions(SuppressionOptions):
    largest_bin: int = attrs.field(default=7, validator=v.gt(1))  # longest distance to a side, in cells
    score_threshold: float = attrs.field(default=0.025, validator=v.and_(v.ge(0), v.lt(1)))
    nms_iou: float = attrs.field(default=0.6, validator=v.and_(v.gt(0), v.le(1)))
