"""What a config may say about the head of RetinaNet."""

from __future__ import annotations

import attrs
from attrs import validators as v

from pdx_det.suppression_options import SuppressionOptions


@attrs.frozen(kw_only=True)
class RetinaNetHeadOptions(SuppressionOptions):
    octaves: int = attrs.field(default=3, validator=v.gt(0))
    ratios: tuple[float, ...] = (0.5, 1.0, 2.0)
    foreground_iou: float = attrs.field(default=0.5, validator=v.and_(v.gt(0), v.le(1)))
    background_iou: float = attrs.field(default=0.4, validator=v.and_(v.gt(0), v.le(1)))
    places_per_level: int = attrs.field(default=1000, validator=v.gt(0))
    score_threshold: float = attrs.field(default=0.05, validator=v.and_(v.ge(0), v.lt(1)))
    nms_iou: float = attrs.field(default=0.5, validator=v.and_(v.gt(0), v.le(1)))
