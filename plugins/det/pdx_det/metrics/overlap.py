"""Overlaps of boxes in numpy, for metrics."""

from __future__ import annotations

import numpy as np


def iou_matrix(first: np.ndarray, second: np.ndarray, crowd: np.ndarray | None = None) -> np.ndarray:
    """Intersection over union of every pair: [n, 4], [m, 4] x1 y1 x2 y2 -> float64 [n, m].

    crowd: bool [m]; for those the intersection is divided by the area of the first box, as COCO does
    """
    first, second = np.asarray(first, np.float64), np.asarray(second, np.float64)
    low = np.maximum(first[:, None, :2], second[None, :, :2])
    high = np.minimum(first[:, None, 2:], second[None, :, 2:])
    shared = np.clip(high - low, 0, None).prod(axis=-1)  # [n, m]
    own = np.clip(first[:, 2:] - first[:, :2], 0, None).prod(axis=-1)[:, None]
    other = np.clip(second[:, 2:] - second[:, :2], 0, None).prod(axis=-1)[None]
    whole = own + other - shared
    if crowd is not None:
        whole = np.where(crowd[None], own, whole)
    return np.divide(shared, whole, out=np.zeros_like(shared), where=whole > 0)
