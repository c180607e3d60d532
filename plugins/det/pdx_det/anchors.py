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


def ssd_priors(
    map_size: tuple[int, int],
    image_size: tuple[int, int],
    min_sizes: Sequence[float],
    max_sizes: Sequence[float] = (),
    ratios: Sequence[float] = (),
    step: float = 0.0,
    min_max_first: bool = False,
) -> np.ndarray:
    """SSD's prior boxes of one feature map (Liu et al. 2016), normalised to the image.

    map_size, image_size: height, width
    ratios:               w / h beside 1; each is used together with its inverse
    step:                 pixels per cell; 0 means image / map
    min_max_first:        order min, max, ratios instead of min, ratios, max
    returns:              float32 [cells * priors, 4] x1 y1 x2 y2, cell row-major, not clipped
    """
    height, width = map_size
    step_y, step_x = (step or image_size[0] / height), (step or image_size[1] / width)
    sides = prior_sides(min_sizes, max_sizes, ratios, min_max_first)
    centre_y = (np.arange(height) + 0.5) * step_y
    centre_x = (np.arange(width) + 0.5) * step_x
    centres = np.stack(np.meshgrid(centre_x, centre_y), axis=-1).reshape(-1, 1, 2)  # [cells, 1, 2] x, y
    corners = np.concatenate([centres - sides / 2, centres + sides / 2], axis=-1)  # [cells, priors, 4]
    scale = np.array([image_size[1], image_size[0]] * 2)
    return (corners / scale).reshape(-1, 4).astype(np.float32)  # [cells * priors, 4]


def prior_sides(
    min_sizes: Sequence[float], max_sizes: Sequence[float], ratios: Sequence[float], min_max_first: bool
) -> np.ndarray:
    """Width and height in pixels of the priors of one cell, in the order `ssd_priors` explains: float64 [priors, 2]."""
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
