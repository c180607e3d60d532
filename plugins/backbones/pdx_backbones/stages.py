"""Where the feature levels of a chain of blocks lie, and how strides turn into dilations."""

from __future__ import annotations

from collections.abc import Sequence

from pdx_core.errors import ConfigError

LEVEL_STRIDES = (4, 8, 16, 32)  # level i of every backbone has this stride unless output_stride caps it


def level_ends(strides: Sequence[int], stem_stride: int = 2) -> tuple[int, ...]:
    """Index of the last block of each level.

    strides: stride of each block as designed, before `dilate_strides`. Blocks at less than stride 4 belong to no level.
    """
    ends: dict[int, int] = {}
    total = stem_stride
    for index, stride in enumerate(strides):
        total *= stride
        ends[total] = index
    return tuple(ends[stride] for stride in LEVEL_STRIDES)


def dilate_strides(strides: Sequence[int], output_stride: int, stem_stride: int = 2) -> list[tuple[int, int]]:
    """Stride and dilation of each block so that no feature is coarser than `output_stride`.

    A stride that would exceed it becomes 1 and multiplies the dilation from that very block on, as in Paddle's
    segmentation toolkit (DeepLab's own code lets the first such block keep the old dilation).
    """
    if output_stride not in (8, 16, 32):
        raise ConfigError(f"output_stride must be 8, 16 or 32; got {output_stride!r}")
    total, dilation = stem_stride, 1
    result = []
    for stride in strides:
        if total * stride > output_stride:
            dilation *= stride
            stride = 1
        total *= stride
        result.append((stride, dilation))
    return result


def check_out_stages(out_stages: Sequence[int], count: int = len(LEVEL_STRIDES)) -> tuple[int, ...]:
    """`out_stages` as an increasing tuple of level indices below `count`; raises ConfigError otherwise."""
    chosen = tuple(out_stages)
    if not chosen or list(chosen) != sorted(set(chosen)) or chosen[0] < 0 or chosen[-1] >= count:
        raise ConfigError(
            f"out_stages must be increasing level indices from 0 to {count - 1} (strides 4, 8, 16, 32), such as "
            f"[1, 2, 3]; got {list(out_stages)!r}"
        )
    return chosen


def check_freeze_stages(freeze_stages: int, count: int = len(LEVEL_STRIDES)) -> int:
    """`freeze_stages` when it lies in 0 (nothing) .. count + 1 (stem and every level); raises ConfigError otherwise."""
    if not 0 <= freeze_stages <= count + 1:
        raise ConfigError(
            f"freeze_stages must be 0 (train all), 1 (stem fixed) .. {count + 1} (stem and all levels fixed); "
            f"got {freeze_stages!r}"
        )
    return freeze_stages
