"""The heads of Mask R-CNN, and what a config may say about them."""

from __future__ import annotations

from typing import Literal

import attrs
from attrs import validators as v

from pdx_core.specs import HeadSpec
from pdx_det.api import HEAD_ARGUMENTS, RCNNHeadOptions


@attrs.frozen(kw_only=True)
class MaskRCNNHeadOptions(RCNNHeadOptions):
    mask_resolution: int = attrs.field(
        default=14, validator=v.gt(0)
    )  # of a region's features; masks are twice as large
    mask_convs: int = attrs.field(default=4, validator=v.ge(0))
    mask_channels: int = attrs.field(default=256, validator=v.gt(0))
    mask_norm: Literal["none", "group"] = "none"


_TARGET = "pdx_instseg.mask_rcnn:MaskRCNNHead"
_OPTIONS = "pdx_instseg.mask_rcnn_specs:MaskRCNNHeadOptions"

HEADS = (
    HeadSpec(
        name="MaskRCNNHead",
        task="instseg",
        target=_TARGET,
        options=_OPTIONS,
        arguments=HEAD_ARGUMENTS["fpn"],
        summary="proposals, a box head and a mask branch on a pyramid",
    ),
    HeadSpec(
        name="MaskRCNNC4Head",
        task="instseg",
        target=_TARGET,
        options=_OPTIONS,
        arguments={**HEAD_ARGUMENTS["c4"], "share_box_trunk": True, "mask_convs": 0},
        summary="boxes and masks from the last residual stage on one level of stride 16",
    ),
    HeadSpec(
        name="CascadeMaskRCNNHead",
        task="instseg",
        target=_TARGET,
        options=_OPTIONS,
        arguments=HEAD_ARGUMENTS["cascade"],
        summary="three box heads in a row and a mask branch",
    ),
)
