"""The head of RetinaNet, as a record. Its neck is the pyramid `FPN` with extra="conv"."""

from __future__ import annotations

from pdx_core.specs import HeadSpec

NECKS = ()
HEADS = (
    HeadSpec(
        name="RetinaNetHead",
        task="det",
        target="pdx_det.retinanet:RetinaNetHead",
        options="pdx_det.retinanet_options:RetinaNetHeadOptions",
        summary="towers shared by all levels, nine anchors per cell, focal loss",
    ),
)
