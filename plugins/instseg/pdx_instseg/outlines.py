"""The outline of a bitmap as polygons along the edges of its pixels, from which COCO rasterises the same bitmap."""

from __future__ import annotations

import numpy as np

from pdx_core.opencv import require_cv2


def outlines(bitmap: np.ndarray, corner: tuple[int, int] = (0, 0)) -> list[np.ndarray] | None:
    """One polygon, float32 [corners, 2] of x and y, round each part; nothing for a mask with holes.

    bitmap: bool or uint8 [H, W] of 0 and 1
    corner: x and y of its first pixel

    Parts that touch at a corner only are apart, so that a hole is one all round.
    """
    inside = np.pad(bitmap.astype(np.int8), 1)
    above_left, above_right, below_left, below_right = (
        inside[:-1, :-1], inside[:-1, 1:], inside[1:, :-1], inside[1:, 1:],
    )  # fmt: skip
    around = above_left + above_right + below_left + below_right  # how many of the four pixels at a point are inside
    crossing = (around == 2) & (above_left == below_right)  # two outlines touch here: the point counts twice
    ys, xs = np.nonzero((around & 1 == 1) | crossing)
    point = np.repeat(np.arange(len(ys)), np.where(crossing[ys, xs], 2, 1))
    ys, xs, second = ys[point], xs[point], np.append(False, point[1:] == point[:-1])
    starts_part = below_right[ys, xs] == 1
    # Along a row, and along a column, the points are ends of edges, two by two. Of two outlines that touch, the one of
    # the left edge has the upper edge where the pixel between the two is inside, else the lower one.
    across = np.arange(len(xs)) ^ 1
    by_column = np.lexsort((second ^ (crossing[ys, xs] & ~starts_part), ys, xs))
    along = np.empty(len(xs), np.int64)
    along[by_column] = by_column[np.arange(len(xs)) ^ 1]
    loops = _loops(across.tolist(), along.tolist())
    if not all(starts_part[loop[0]] for loop in loops):  # the uppermost left corner of a hole has the mask above it
        return None
    shift = np.array(corner, np.float32)
    return [np.column_stack([xs[loop], ys[loop]]).astype(np.float32) + shift for loop in loops]


def _loops(across: list[int], along: list[int]) -> list[list[int]]:
    """Points in the order of walking across, along, across ..., until one is back; each loop begins at its first."""
    fresh, loops = [True] * len(across), []
    for start in range(len(across)):
        loop, at = [], start
        while fresh[at]:
            other = across[at]
            fresh[at] = fresh[other] = False
            loop += (at, other)
            at = along[other]
        if loop:
            loops.append(loop)
    return loops


def contours(bitmap: np.ndarray, corner: tuple[int, int] = (0, 0), tolerance: float = 0.0) -> list[np.ndarray]:
    """The pixels along the outer border of each part, int32 [corners, 2] of x and y, for people and drawings.

    bitmap:    uint8 [H, W] of 0 and 1
    corner:    x and y of its first pixel
    tolerance: how many pixels a border may be off, to need fewer corners
    """
    cv2 = require_cv2()
    found, _ = cv2.findContours(np.ascontiguousarray(bitmap), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE, offset=corner)
    if tolerance > 0:
        found = [cv2.approxPolyDP(part, tolerance, True) for part in found]
    return [part.reshape(-1, 2) for part in found]
