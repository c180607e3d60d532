"""The eight PP-LCNet trunks: block table of the paper and one record per width."""

from __future__ import annotations

from typing import NamedTuple

from pdx_backbones.naming import scale_name
from pdx_core.specs import BackboneSpec

PAPER = "https://arxiv.org/abs/2109.15099"
STEM_CHANNELS = 16


class Block(NamedTuple):
    kernel_size: int
    channels: int
    stride: int
    attend: bool


BLOCKS: tuple[Block, ...] = (
    Block(3, 32, 1, False),
    Block(3, 64, 2, False),
    Block(3, 64, 1, False),
    Block(3, 128, 2, False),
    Block(3, 128, 1, False),
    Block(3, 256, 2, False),
    *(Block(5, 256, 1, False),) * 5,
    Block(5, 512, 2, True),
    Block(5, 512, 1, True),
)

# Channels of the levels of stride 4, 8, 16, 32 at each scale (multiples of 8; a test compares them with the network).
_CHANNELS = {
    0.25: (16, 32, 64, 128),
    0.35: (24, 48, 88, 176),
    0.5: (32, 64, 128, 256),
    0.75: (48, 96, 192, 384),
    1.0: (64, 128, 256, 512),
    1.5: (96, 192, 384, 768),
    2.0: (128, 256, 512, 1024),
    2.5: (160, 320, 640, 1280),
}

SPECS = tuple(
    BackboneSpec(
        name=f"PP-LCNet_{scale_name(scale)}",
        target="pdx_backbones.pp_lcnet:PPLCNet",
        options="pdx_backbones.options:BackboneOptions",
        arguments={"scale": scale},
        channels=channels,
        strides=(4, 8, 16, 32),
        aliases=(f"PPLCNet_{scale_name(scale)}",),
        summary=f"PP-LCNet, width {scale}",
        paper=PAPER,
    )
    for scale, channels in _CHANNELS.items()
)
