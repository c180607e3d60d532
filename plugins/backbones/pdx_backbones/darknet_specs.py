"""The DarkNet53 trunk: blocks per stage and its record."""

from __future__ import annotations

from pdx_core.specs import BackboneSpec

PAPER = "https://arxiv.org/abs/1804.02767"

STAGE_CHANNELS = (128, 256, 512, 1024)
BLOCK_COUNTS = (2, 8, 8, 4)  # after the one block of stride 2 that belongs to the stem


SPECS = (
    BackboneSpec(
        name="DarkNet53",
        target="pdx_backbones.darknet:DarkNet",
        options="pdx_backbones.options:DarkNetOptions",
        channels=STAGE_CHANNELS,
        strides=(4, 8, 16, 32),
        summary="DarkNet of 53 layers, the trunk of YOLOv3",
        paper=PAPER,
    ),
)
