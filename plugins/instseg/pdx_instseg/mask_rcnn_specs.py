"""The heads of Mask R-CNN, as records."""

from __future__ import annotations

from pdx_core.specs import HeadSpec
from pdx_det.api import HEAD_ARGUMENTS

_TARGET = "pdx_instseg.mask_rcnn:MaskRCNNHead"
_OPTIONS = "pdx_instseg.mask_rcnn_options:MaskRCNNHeadOptions"

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
