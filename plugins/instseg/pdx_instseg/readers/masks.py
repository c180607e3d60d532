"""What a listing keeps of an object's mask (`BoxTable.masks`), and what becomes of it in a sample.

Polygons as they were annotated, or run lengths where polygons cannot say it: crowds, and masks with holes.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pdx_instseg.outlines import outlines
from pdx_instseg.run_lengths import RunLengths, union

Polygons = tuple[np.ndarray, ...]  # each float64 [corners, 2], x and y in pixels of the image
Mask = Polygons | RunLengths


def of_run_lengths(runs: RunLengths) -> Mask:
    """Polygons along the pixels where there are no holes: they follow every transform without loss and take little
    memory."""
    left, top, right, bottom = runs.frame
    found = outlines(runs.bitmap()[top:bottom, left:right], (left, top))
    return runs if found is None else tuple(part.astype(np.float64) for part in found)


def to_run_lengths(mask: Mask, size: tuple[int, int]) -> RunLengths:
    """size: height and width of the image."""
    return mask if isinstance(mask, RunLengths) else RunLengths.of_polygons(mask, size)


def to_sample(mask: Mask) -> list[np.ndarray] | np.ndarray:
    """As `Sample.masks` has it: float32 polygons, or bool [H, W]."""
    if isinstance(mask, RunLengths):
        return mask.bitmap().astype(bool)
    return [part.astype(np.float32) for part in mask]


def joined(masks: Sequence[Mask], size: tuple[int, int]) -> Mask:
    """One object of several parts. size: height and width of the image; only needed where run lengths are among them"""
    if not any(isinstance(mask, RunLengths) for mask in masks):
        return tuple(part for mask in masks for part in mask)
    return union([to_run_lengths(mask, size) for mask in masks])


def box_of(mask: Mask) -> tuple[float, float, float, float]:
    """x1 y1 x2 y2 of a mask that is not empty."""
    if isinstance(mask, RunLengths):
        return tuple(float(value) for value in mask.frame)  # type: ignore[return-value]
    points = np.concatenate(mask)
    return (*points.min(axis=0).tolist(), *points.max(axis=0).tolist())


def area_of(mask: Mask, size: tuple[int, int]) -> float:
    """Pixels of a mask. size: height and width of the image, 0 where unknown"""
    if isinstance(mask, RunLengths):
        return float(mask.area)
    if not all(size):
        corner = np.floor(np.concatenate(mask).min(axis=0))
        mask = tuple(part - corner for part in mask)
        right, bottom = np.ceil(np.concatenate(mask).max(axis=0)).astype(int).tolist()
        size = (bottom + 1, right + 1)
    return float(RunLengths.of_polygons(mask, size).area)
