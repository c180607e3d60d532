"""The ResNet trunks: depth table and one record per published variant."""

from __future__ import annotations

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


def _spec(depth: int, variant: str) -> BackboneSpec:
    vd = variant == "vd"
    return BackboneSpec(
        name=f"ResNet{depth}_vd" if vd else f"ResNet{depth}",
        target="pdx_backbones.resnet:ResNet",
        options="pdx_backbones.options:ResNetOptions",
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

# The kin: name -> what differs, summary, paper. PaddleDetection gives Res2Net's vd form a deep stem only.
_KIN = {
    "ResNeXt101_vd_64x4d": (
        {"depth": 101, "variant": "vd", "groups": 64, "group_width": 4},
        "ResNeXt of 101 layers, 64 groups of 4 channels, vd form",
        "https://arxiv.org/abs/1611.05431",
    ),
    "SENet154_vd": (
        {
            "depth": 152,
            "variant": "vd",
            "groups": 64,
            "group_width": 4,
            "attend": True,
            "stem_channels": 128,
        },
        "SENet of 154 layers, vd form",
        "https://arxiv.org/abs/1709.01507",
    ),
    "Res2Net50_26w_4s": (
        {"depth": 50, "group_width": 26, "scales": 4},
        "Res2Net of 50 layers, 4 slices of 26 channels",
        "https://arxiv.org/abs/1904.01169",
    ),
    "Res2Net50_vd_26w_4s": (
        {"depth": 50, "variant": "deep", "group_width": 26, "scales": 4},
        "Res2Net of 50 layers, 4 slices of 26 channels, deep stem",
        "https://arxiv.org/abs/1904.01169",
    ),
}
SPECS = (
    *(_spec(depth, variant) for depth, variant in _PUBLISHED),
    *(
        BackboneSpec(
            name=name,
            target="pdx_backbones.resnet:ResNet",
            options="pdx_backbones.options:ResNetOptions",
            arguments=arguments,
            channels=tuple(channels * 4 for channels in STAGE_CHANNELS),
            strides=(4, 8, 16, 32),
            summary=summary,
            paper=paper,
        )
        for name, (arguments, summary, paper) in _KIN.items()
    ),
)
