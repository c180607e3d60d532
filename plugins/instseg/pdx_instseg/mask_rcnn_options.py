"""What a config may say about the heads of Mask R-CNN."""

from __future__ import annotations

from typing import Literal

import attrs
from attrs import validators as v

from pdx_det.api import RCNNHeadOptions


@attrs.frozen(kw_only=True)
class MaskRCNNHeadOptions(RCNNHeadOptions):
    mask_resolution: int = attrs.field(
        default=14, validator=v.gt(0)
    )  # of a region's features; masks are twice as large
    mask_convs: int = attrs.field(default=4, validator=v.ge(0))
    mask_channels: int = attrs.field(default=256, validator=v.gt(0))
    mask_norm: Literal["none", "group"] = "none"
