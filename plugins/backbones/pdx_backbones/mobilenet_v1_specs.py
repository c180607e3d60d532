"""The four MobileNetV1 trunks: block table of the paper and one record per width."""

from __future__ import annotations

from pdx_backbones.naming import scale_name
from pdx_core.specs import BackboneSpec

PAPER = "https://arxiv.org/abs/1704.04861"
STEM_CHANNELS = 32
LEVEL_CHANNELS = (128, 256, 512, 1024)  # at width 1

# Output channels and stride of each depthwise separable block.
BLOCKS: tuple[tuple[int, int], ...] = (
    (64, 1),
    (128, 2),
    (128, 1),
    (256, 2),
    (256, 1),
    (512, 2),
    *((512, 1),) * 5,
    (1024, 2),
    (1024, 1),
)


SPECS = tuple(
    BackboneSpec(
        name=f"MobileNetV1_{scale_name(scale)}",
        target="pdx_backbones.mobilenet_v1:MobileNetV1",
        options="pdx_backbones.options:MobileNetV1Options",
        arguments={"scale": scale},
        channels=tuple(int(channels * scale) for channels in LEVEL_CHANNELS),
        strides=(4, 8, 16, 32),
        aliases=("MobileNetV1",) if scale == 1.0 else (),
        summary=f"MobileNetV1, width {scale}",
        paper=PAPER,
    )
    for scale in (0.25, 0.5, 0.75, 1.0)
)
