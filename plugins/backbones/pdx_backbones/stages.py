"""Plans a chain of blocks: where its feature levels lie, how strides turn into dilations, and what is frozen."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import attrs

from pdx_core.contracts import FeatureSpec
from pdx_core.errors import ConfigError

if TYPE_CHECKING:
    from paddle import Tensor

LEVEL_STRIDES = (4, 8, 16, 32)  # of stage 0, 1, 2, 3 of every backbone, unless output_stride caps them


@attrs.frozen
class BlockPlan:
    """How one block of the chain is built."""

    stride: int
    dilation: int
    norm: str


@attrs.frozen
class ChainPlan:
    """How a stem and its blocks are built and run. Blocks after the last wanted level are left out.

    outputs: index of the block that ends each wanted level, and the level's stride
    frozen:  number of parts that are not trained, counting the stem as the first
    """

    stem_norm: str
    blocks: tuple[BlockPlan, ...]
    outputs: dict[int, int]
    frozen: int

    def frozen_parts(self, stem: Any, blocks: Iterable[Any]) -> list[Any]:
        """Which of these layers are not trained."""
        return [stem, *blocks][: self.frozen]

    def features(self, widths: Sequence[int]) -> tuple[FeatureSpec, ...]:
        """What the network publishes; widths: channels behind each block."""
        return tuple(FeatureSpec(widths[index], stride) for index, stride in self.outputs.items())

    def levels(self, x: Tensor, blocks: Iterable[Any], first: int = 0) -> tuple[Tensor, ...]:
        """Run the blocks one after the other and return the wanted levels, fine to coarse.

        first: index in the plan of the first of `blocks`
        """
        levels = []
        for index, block in enumerate(blocks, first):
            x = block(x)
            if index in self.outputs:
                levels.append(x)
        return tuple(levels)


def plan_chain(
    strides: Sequence[int],
    *,
    out_stages: Sequence[int] = (0, 1, 2, 3),
    output_stride: int = 32,
    norm: str = "batch",
    freeze_stages: int = 0,
    dilate: bool = True,
    stem_stride: int = 2,
    late_dilation: bool = False,
) -> ChainPlan:
    """Plan a chain whose blocks have `strides` as designed, after a stem of `stem_stride`.

    What a user says of any such trunk:
    out_stages:    levels to return, of strides 4, 8, 16, 32; blocks after the last one are not built
    output_stride: 8 or 16 turn later strides into dilations
    norm:          "batch", "frozen" or "group"
    freeze_stages: 1 fixes the stem, 2 also the blocks up to stride 4, 3 those up to stride 8 ...
    dilate:        False leaves the later strides out without dilating in their place (SSD on ResNet)

    What the network says:
    late_dilation: see `dilate_strides`

    Raises ConfigError for options that make no sense.
    """
    wanted = _check_out_stages(out_stages)
    if not 0 <= freeze_stages <= len(LEVEL_STRIDES) + 1:
        raise ConfigError(
            "freeze_stages must be 0 (train all), 1 (stem fixed), 2 (stem and first stage) .. "
            f"{len(LEVEL_STRIDES) + 1} (everything fixed); got {freeze_stages!r}"
        )
    ends = level_ends(strides, stem_stride)
    count = ends[wanted[-1]] + 1
    frozen_blocks = ends[freeze_stages - 2] + 1 if freeze_stages >= 2 else 0
    geometry = dilate_strides(strides, output_stride, stem_stride, late_dilation)[:count]
    blocks = (
        BlockPlan(stride, dilation if dilate else 1, "frozen" if index < frozen_blocks else norm)
        for index, (stride, dilation) in enumerate(geometry)
    )
    return ChainPlan(
        stem_norm="frozen" if freeze_stages else norm,
        blocks=tuple(blocks),
        outputs={ends[stage]: min(LEVEL_STRIDES[stage], output_stride) for stage in wanted},
        frozen=frozen_blocks + (freeze_stages > 0),
    )


def level_ends(strides: Sequence[int], stem_stride: int = 2) -> tuple[int, ...]:
    """Index of the last block of each level.

    strides: stride of each block as designed. Blocks at less than stride 4 belong to no level.
    """
    ends: dict[int, int] = {}
    total = stem_stride
    for index, stride in enumerate(strides):
        total *= stride
        ends[total] = index
    return tuple(ends[stride] for stride in LEVEL_STRIDES)


def dilate_strides(
    strides: Sequence[int], output_stride: int, stem_stride: int = 2, late_dilation: bool = False
) -> list[tuple[int, int]]:
    """Stride and dilation of each block so that no feature is coarser than `output_stride`.

    A stride that would exceed it becomes 1 and multiplies the dilation: from that very block on (PaddleSeg's ResNet),
    or with `late_dilation` from the next block on (DeepLab, PaddleSeg's MobileNetV3).
    """
    if output_stride not in (8, 16, 32):
        raise ConfigError(f"output_stride must be 8, 16 or 32; got {output_stride!r}")
    total, dilation = stem_stride, 1
    result = []
    for stride in strides:
        before = dilation
        if total * stride > output_stride:
            dilation *= stride
            stride = 1
        total *= stride
        result.append((stride, before if late_dilation else dilation))
    return result


def _check_out_stages(out_stages: Sequence[int]) -> tuple[int, ...]:
    chosen = tuple(out_stages)
    last = len(LEVEL_STRIDES) - 1
    if not chosen or list(chosen) != sorted(set(chosen)) or chosen[0] < 0 or chosen[-1] > last:
        raise ConfigError(
            f"out_stages must be increasing numbers from 0 to {last} (strides 4, 8, 16, 32), such as [1, 2, 3]; "
            f"got {list(out_stages)!r}"
        )
    return chosen
