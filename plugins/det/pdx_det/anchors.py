"""Reference boxes of anchor-based detectors, in pixels of the network input."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np


def cell_anchors(sizes: Sequence[float], ratios: Sequence[float]) -> np.ndarray:
    """Anchors of one cell, centred on the origin: float32 [sizes * ratios, 4], sizes outermost; ratio is h / w."""
    rows = []
    for size in sizes:
        for ratio in ratios:
            width = math.sqrt(size * size / ratio)
            height = ratio * width
            rows.append((-width / 2, -height / 2, width / 2, height / 2))
    return np.array(rows, dtype=np.float32)


def octave_sizes(stride: int, octaves: int = 3, base: float = 4.0) -> tuple[float, ...]:
    """RetinaNet's anchor sizes of a level: base * stride * 2^(i / octaves)."""
    return tuple(base * stride * 2 ** (index / octaves) for index in range(octaves))


def prior_sides(
    min_sizes: Sequence[float], max_sizes: Sequence[float], ratios: Sequence[float], min_max_first: bool
) -> np.ndarray:
    """Width and height in pixels of SSD's priors of one cell (Liu et al. 2016): float64 [priors, 2].

    ratios:        w / h beside 1; each is used together with its inverse
    min_max_first: order min, max, ratios instead of min, ratios, max
    """
    shapes: list[tuple[float, float]] = []
    for index, small in enumerate(min_sizes):
        square = [(small, small)]
        between = [(math.sqrt(small * max_sizes[index]),) * 2] if max_sizes else []
        stretched = []
        for ratio in ratios:
            root = math.sqrt(ratio)
            stretched += [(small * root, small / root), (small / root, small * root)]
        shapes += square + (between + stretched if min_max_first else stretched + between)
    return np.array(shapes, dtype=np.float64)
