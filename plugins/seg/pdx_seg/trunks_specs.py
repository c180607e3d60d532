"""The trunks that only segmentation uses."""

from __future__ import annotations

from pdx_core.specs import BackboneSpec

SPECS = (
    BackboneSpec(
        name="UNetTrunk",
        target="pdx_seg.unet:UNetTrunk",
        options="pdx_seg.trunks_options:UNetTrunkOptions",
        channels=(64, 128, 256, 512, 512),
        strides=(1, 2, 4, 8, 16),
        min_size=16,
        summary="the way down of UNet",
        paper="https://arxiv.org/abs/1505.04597",
    ),
    BackboneSpec(
        name="FastSCNNTrunk",
        target="pdx_seg.fast_scnn:FastSCNNTrunk",
        channels=(64, 128),
        strides=(8, 32),
        summary="both branches of Fast-SCNN up to their fusion",
        paper="https://arxiv.org/abs/1902.04502",
    ),
)
