"""What a config may say about the metrics of detection."""

from __future__ import annotations

from typing import Literal

import attrs
from attrs import validators as v

_SCORE = v.and_(v.ge(0), v.le(1))


@attrs.frozen(kw_only=True)
class CocoBoxOptions:
    backend: Literal["pycocotools", "faster-coco-eval"] = "pycocotools"  # the same numbers, the second one faster
    min_score: float = attrs.field(default=0.5, validator=_SCORE)  # of boxes in the confusion matrix


@attrs.frozen(kw_only=True)
class VocMapOptions:
    style: Literal["integral", "11point"] = "integral"
    iou: float = attrs.field(default=0.5, validator=v.and_(v.gt(0), v.le(1)))
    min_score: float = attrs.field(default=0.5, validator=_SCORE)
