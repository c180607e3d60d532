"""The trunks, the neck and the head of BlazeFace, as records."""

from __future__ import annotations

from typing import NamedTuple

from pdx_core.specs import BackboneSpec, HeadSpec, NeckSpec

PAPER = "https://arxiv.org/abs/1907.05047"


class Form(NamedTuple):
    """Rows of blocks: channels and stride of the single ones; inner channels, channels and stride of the double ones.

    The stem has as many channels as the first block.
    """

    single: tuple[tuple[int, int], ...]
    double: tuple[tuple[int, int, int], ...]


FORMS = {
    "full": Form(
        ((24, 1), (24, 1), (48, 2), (48, 1), (48, 1)),
        ((24, 96, 2), (24, 96, 1), (24, 96, 1), (24, 96, 2), (24, 96, 1), (24, 96, 1)),
    ),
    "nas": Form(((12, 1), (12, 2), (12, 1)), ((16, 24, 2), (12, 24, 1), (16, 72, 2), (12, 72, 1))),
    "nas_v2": Form(((12, 1), (12, 2), (12, 1)), ((16, 32, 2), (32, 32, 1), (16, 72, 2), (24, 72, 1))),
}


def _trunk(name: str, form: str, channels: tuple[int, int]) -> BackboneSpec:
    return BackboneSpec(
        name=name,
        target="pdx_det.blazenet:BlazeNet",
        options="pdx_det.blazeface_options:BlazeNetOptions",
        arguments={"form": form},
        channels=channels,
        strides=(8, 16),
        summary="small trunk of 5x5 depthwise convolutions for faces",
        paper=PAPER,
    )


BACKBONES = (
    _trunk("BlazeNet", "full", (96, 96)),
    _trunk("BlazeNet_NAS", "nas", (24, 72)),
    _trunk("BlazeNet_NAS_V2", "nas_v2", (32, 72)),
)
NECKS = (
    NeckSpec(
        name="FPNSSH",
        target="pdx_det.necks.fpn_ssh:FPNSSH",
        summary="two levels of a pyramid, each seen with three sizes of context",
        min_levels=2,
    ),
)
HEADS = (
    HeadSpec(
        name="BlazeFaceHead",
        task="det",
        target="pdx_det.ssd:SSDHead",
        options="pdx_det.ssd_options:SSDHeadOptions",
        arguments={
            "min_sizes": ((16.0, 24.0), (32.0, 48.0, 64.0, 80.0, 96.0, 128.0)),
            "steps": (8.0, 16.0),
            "match_iou": 0.35,
            "nms_iou": 0.3,
            "pre_top_k": 5000,
            "keep_top_k": 750,
            "max_places": -1,  # pictures of crowds hold hundreds of faces
            "spelling": "blaze",
        },
        summary="SSD's head with square priors of several sizes",
    ),
)
