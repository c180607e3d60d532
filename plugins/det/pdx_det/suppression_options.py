"""What a config may say about the suppression at the end of a one-stage head."""

from __future__ import annotations

from typing import Literal

import attrs
from attrs import validators as v


@attrs.frozen(kw_only=True)
class SuppressionOptions:
    nms_kind: Literal["greedy", "matrix", "soft"] = "greedy"
    score_threshold: float = attrs.field(default=0.01, validator=v.and_(v.ge(0), v.lt(1)))
    nms_iou: float = attrs.field(default=0.45, validator=v.and_(v.gt(0), v.le(1)))  # greedy only
    pre_top_k: int = 1000  # candidates of each class; -1 keeps all
    keep_top_k: int = attrs.field(default=100, validator=v.gt(0))  # boxes of an image
    max_places: int = 1000  # candidates over all classes; -1 keeps all
