"""The five MobileNetV2 trunks: block table of the paper and one record per width."""

from __future__ import annotations

from typing import NamedTuple

from pdx_backbones.naming import scale_name
from pdx_core.specs import BackboneSpec

PAPER = "https://arxiv.org/abs/1801.04381"
STEM_CHANNELS = 32


class Stage(NamedTuple):
    expansion: int  # factor by which a block widens its input
    channels: int
    count: int
    stride: int  # of the first block


STAGES: tuple[Stage, ...] = (
    Stage(1, 16, 1, 1),
    Stage(6, 24, 2, 2),
    Stage(6, 32, 3, 2),
    Stage(6, 64, 4, 2),
    Stage(6, 96, 3, 1),
    Stage(6, 160, 3, 2),
    Stage(6, 320, 1, 1),
)
_LEVEL_CHANNELS = (24, 32, 96, 320)

SPECS = tuple(
    BackboneSpec(
        name=f"MobileNetV2_{scale_name(scale)}",
        target="pdx_backbones.mobilenet_v2:MobileNetV2",
        options="pdx_backbones.options:BackboneOptions",
        arguments={"scale": scale},
        channels=tuple(int(channels * scale) for channels in _LEVEL_CHANNELS),
        strides=(4, 8, 16, 32),
        aliases=("MobileNetV2",) if scale == 1.0 else (),
        summary=f"MobileNetV2, width {scale}",
        paper=PAPER,
    )
    for scale in (0.25, 0.5, 1.0, 1.5, 2.0)
)
