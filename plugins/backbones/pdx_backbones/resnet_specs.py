"""The ResNet trunks: depth table and one record per published variant."""

from __future__ import annotations

import attrs

from pdx_backbones.options import BackboneOptions
from pdx_core.specs import BackboneSpec

PAPER = "https://arxiv.org/abs/1512.03385"
PAPER_VD = "https://arxiv.org/abs/1812.01187"

STAGE_CHANNELS = (64, 128, 256, 512)
BLOCK_COUNTS: dict[int, tuple[int, ...]] = {
    18: (2, 2, 2, 2),
    34: (3, 4, 6, 3),
    50: (3, 4, 6, 3),
    101: (3, 4, 23, 3),
    152: (3, 8, 36, 3),
    200: (3, 12, 48, 3),
}


def expansion(depth: int) -> int:
    """Output channels of a block over its inner channels: 1 for basic blocks, 4 for bottlenecks."""
    return 1 if depth < 50 else 4


@attrs.frozen(kw_only=True)
class ResNetOptions(BackboneOptions):
    multi_grid: tuple[int, ...] = ()
    dcn_stages: tuple[int, ...] = ()


def _spec(depth: int, variant: str) -> BackboneSpec:
    vd = variant == "vd"
    return BackboneSpec(
        name=f"ResNet{depth}_vd" if vd else f"ResNet{depth}",
        target="pdx_backbones.resnet:ResNet",
        options="pdx_backbones.resnet_specs:ResNetOptions",
        arguments={"depth": depth, "variant": variant},
        channels=tuple(channels * expansion(depth) for channels in STAGE_CHANNELS),
        strides=(4, 8, 16, 32),
        summary=f"ResNet of {depth} layers" + (", vd form (deep stem, pooled shortcuts)" if vd else ""),
        paper=PAPER_VD if vd else PAPER,
    )


_PUBLISHED = (
    *((depth, variant) for depth in (18, 34, 50, 101, 152) for variant in ("plain", "vd")),
    (200, "vd"),
)
SPECS = tuple(_spec(depth, variant) for depth, variant in _PUBLISHED)
