"""The VGG16 trunk of SSD and its record."""

from __future__ import annotations

from pdx_core.specs import BackboneSpec

PAPER = "https://arxiv.org/abs/1409.1556"

BLOCKS = ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3))  # channels and number of convolutions between poolings
TAIL_CHANNELS = 1024


SPECS = (
    BackboneSpec(
        name="VGG16",
        target="pdx_backbones.vgg:VGG",
        options="pdx_backbones.options:VGGOptions",
        channels=(256, 512, 1024),
        strides=(4, 8, 16),
        summary="VGG of 16 layers as SSD uses it: the linear layers became convolutions",
        paper=PAPER,
    ),
)
