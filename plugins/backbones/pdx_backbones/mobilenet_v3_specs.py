"""The ten MobileNetV3 trunks: block tables of the paper and one record per width."""

from __future__ import annotations

from typing import NamedTuple

from pdx_backbones.naming import scale_name
from pdx_core.specs import BackboneSpec

PAPER = "https://arxiv.org/abs/1905.02244"
STEM_CHANNELS = 16


class Block(NamedTuple):
    kernel_size: int
    wide_channels: int
    channels: int
    attend: bool
    act: str
    stride: int


BLOCKS: dict[str, tuple[Block, ...]] = {
    "large": (
        Block(3, 16, 16, False, "relu", 1),
        Block(3, 64, 24, False, "relu", 2),
        Block(3, 72, 24, False, "relu", 1),
        Block(5, 72, 40, True, "relu", 2),
        Block(5, 120, 40, True, "relu", 1),
        Block(5, 120, 40, True, "relu", 1),
        Block(3, 240, 80, False, "hardswish", 2),
        Block(3, 200, 80, False, "hardswish", 1),
        Block(3, 184, 80, False, "hardswish", 1),
        Block(3, 184, 80, False, "hardswish", 1),
        Block(3, 480, 112, True, "hardswish", 1),
        Block(3, 672, 112, True, "hardswish", 1),
        Block(5, 672, 160, True, "hardswish", 2),
        Block(5, 960, 160, True, "hardswish", 1),
        Block(5, 960, 160, True, "hardswish", 1),
    ),
    "small": (
        Block(3, 16, 16, True, "relu", 2),
        Block(3, 72, 24, False, "relu", 2),
        Block(3, 88, 24, False, "relu", 1),
        Block(5, 96, 40, True, "hardswish", 2),
        Block(5, 240, 40, True, "hardswish", 1),
        Block(5, 240, 40, True, "hardswish", 1),
        Block(5, 120, 48, True, "hardswish", 1),
        Block(5, 144, 48, True, "hardswish", 1),
        Block(5, 288, 96, True, "hardswish", 2),
        Block(5, 576, 96, True, "hardswish", 1),
        Block(5, 576, 96, True, "hardswish", 1),
    ),
}

# Channels of the levels of stride 4, 8, 16, 32 at each scale (multiples of 8; a test compares them with the network).
_CHANNELS = {
    ("large", 0.35): (8, 16, 40, 56),
    ("large", 0.5): (16, 24, 56, 80),
    ("large", 0.75): (24, 32, 88, 120),
    ("large", 1.0): (24, 40, 112, 160),
    ("large", 1.25): (32, 48, 144, 200),
    ("small", 0.35): (8, 8, 16, 32),
    ("small", 0.5): (8, 16, 24, 48),
    ("small", 0.75): (16, 24, 40, 72),
    ("small", 1.0): (16, 24, 48, 96),
    ("small", 1.25): (24, 32, 64, 120),
}


SPECS = tuple(
    BackboneSpec(
        name=f"MobileNetV3_{variant}_{scale_name(scale)}",
        target="pdx_backbones.mobilenet_v3:MobileNetV3",
        options="pdx_backbones.options:BackboneOptions",
        arguments={"variant": variant, "scale": scale},
        channels=channels,
        strides=(4, 8, 16, 32),
        aliases=(f"MobileNetV3_{variant}",) if scale == 1.0 else (),
        summary=f"MobileNetV3 {variant}, width {scale}",
        paper=PAPER,
    )
    for (variant, scale), channels in _CHANNELS.items()
)
