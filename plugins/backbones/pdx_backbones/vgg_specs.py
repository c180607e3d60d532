"""The VGG16 trunk of SSD and its record."""

from __future__ import annotations

import attrs

from pdx_core.specs import BackboneSpec

PAPER = "https://arxiv.org/abs/1409.1556"

BLOCKS = ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3))  # channels and number of convolutions between poolings
TAIL_CHANNELS = 1024


@attrs.frozen(kw_only=True)
class VGGOptions:
    out_stages: tuple[int, ...] = (0, 1, 2)  # levels of stride 4, 8, 16
    freeze_stages: int = 0  # 1: everything up to stride 2 fixed, 2: also the level of stride 4 ...


SPECS = (
    BackboneSpec(
        name="VGG16",
        target="pdx_backbones.vgg:VGG",
        options="pdx_backbones.vgg_specs:VGGOptions",
        channels=(256, 512, 1024),
        strides=(4, 8, 16),
        summary="VGG of 16 layers as SSD uses it: the linear layers became convolutions",
        paper=PAPER,
    ),
)
