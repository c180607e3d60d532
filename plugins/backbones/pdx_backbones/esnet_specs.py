"""The ESNet trunk of PicoDet: block table and its record."""

from __future__ import annotations

from pdx_backbones.naming import scale_name
from pdx_core.specs import BackboneSpec

PAPER = "https://arxiv.org/abs/2111.00902"

STEM_CHANNELS = 24  # at every width
STAGE_CHANNELS = (128, 256, 512)  # at width 1
# Inner channels of each block over the output channels of its stage.
RATIOS = ((0.875, 0.5, 0.5), (0.5, 0.625, 0.5, 0.625, 0.5, 0.5, 0.5), (0.5, 0.5, 0.5))

SPECS = (
    BackboneSpec(
        name=f"ESNet_{scale_name(0.75)}",
        target="pdx_backbones.esnet:ESNet",
        options="pdx_backbones.options:BackboneOptions",
        arguments={"scale": 0.75},
        channels=(24, 96, 192, 384),
        strides=(4, 8, 16, 32),
        summary="ESNet (enhanced ShuffleNet), width 0.75, the trunk of PicoDet-S",
        paper=PAPER,
    ),
)
