"""What a config may say about the trunks that only segmentation uses."""

from __future__ import annotations

from typing import Literal

import attrs
from attrs import validators as v


@attrs.frozen(kw_only=True)
class UNetTrunkOptions:
    width: int = attrs.field(default=64, validator=v.and_(v.instance_of(int), v.gt(0)))  # 16: about 16 times as fast
    norm: Literal["batch", "frozen", "group"] = "batch"
