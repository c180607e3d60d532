"""The Xception trunks, in the form of the paper and in DeepLab's: block tables and one record per depth."""

from __future__ import annotations

from pdx_core.specs import BackboneSpec

PAPER = "https://arxiv.org/abs/1610.02357"
PAPER_DEEPLAB = "https://arxiv.org/abs/1802.02611"

# Channels and stride of the blocks before the middle flow, by depth.
ENTRY_FLOWS: dict[int, tuple[tuple[int, int], ...]] = {
    41: ((128, 2), (256, 2), (728, 2)),
    65: ((128, 2), (256, 2), (728, 2)),
    71: ((128, 2), (256, 1), (256, 2), (728, 1), (728, 2)),
}
MIDDLE_BLOCKS = {41: 8, 65: 16, 71: 16}
_CHANNELS = {41: (128, 256, 728, 2048), 65: (128, 256, 728, 2048), 71: (256, 728, 728, 2048)}  # of the levels

SPECS = (
    *(
        BackboneSpec(
            name=f"Xception{depth}",
            target="pdx_backbones.xception:Xception",
            options="pdx_backbones.options:BackboneOptions",
            arguments={"depth": depth},
            channels=_CHANNELS[depth],
            strides=(4, 8, 16, 32),
            summary=f"Xception of {depth} layers",
            paper=PAPER,
        )
        for depth in ENTRY_FLOWS
    ),
    *(
        BackboneSpec(
            name=f"Xception{depth}_deeplab",
            target="pdx_backbones.xception_deeplab:XceptionDeepLab",
            options="pdx_backbones.options:BackboneOptions",
            arguments={"depth": depth},
            channels=_CHANNELS[depth],
            strides=(4, 8, 16, 32),
            summary=f"Xception of {depth} layers as DeepLabv3+ changed it: strided convolutions instead of pooling",
            paper=PAPER_DEEPLAB,
        )
        for depth in ENTRY_FLOWS
    ),
)
