"""What a config may say about head and metric; light, so that a wrong option is refused before paddle is imported."""

from __future__ import annotations

import attrs
from attrs import validators as v


@attrs.frozen(kw_only=True)
class PointsHeadOptions:
    width: int = attrs.field(default=64, validator=v.gt(0))
    stride: int = attrs.field(default=4, validator=v.gt(0))


@attrs.frozen(kw_only=True)
class PointErrorsOptions:
    threshold: float = attrs.field(default=0.05, validator=v.and_(v.gt(0), v.lt(1)))
