"""Counts the pixels of label maps, a band at a time: memory does not grow with the picture."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

_BAND_PIXELS = 1 << 20  # counting takes 8 bytes of scratch memory a pixel


def count_labels(label_map: np.ndarray, count: int = 256) -> np.ndarray:
    """How many pixels have each value.

    label_map: uint8 or int [H, W], values 0..count-1
    returns:   int64 [count]
    """
    totals = np.zeros(count, np.int64)
    for rows in bands(label_map.shape):
        totals += np.bincount(label_map[rows].ravel(), minlength=count)
    return totals


def count_pairs(truth: np.ndarray, prediction: np.ndarray, count: int, ignore: int) -> np.ndarray:
    """Confusions of two label maps: how many pixels of class i were predicted as class j.

    truth:      uint8 or int [H, W], 0..count-1, or `ignore` for pixels that nobody judges
    prediction: uint8 or int [H, W], 0..count-1
    returns:    int64 [count, count], truth by prediction

    Raises ValueError naming the first value of either map that is out of range.
    """
    totals = np.zeros(count * count, np.int64)
    for rows in bands(truth.shape):
        true, found = truth[rows], prediction[rows]
        judged = true != ignore
        true, found = true[judged].astype(np.int64), found[judged]
        for name, values in (("truth", true), ("prediction", found)):
            wrong = values[(values < 0) | (values >= count)]
            if len(wrong):
                raise ValueError(f"the {name} holds the value {int(wrong[0])}, which is no class of 0..{count - 1}")
        totals += np.bincount(true * count + found, minlength=count * count)
    return totals.reshape(count, count)


def bands(shape: tuple[int, ...], pixels: int = _BAND_PIXELS) -> Iterator[slice]:
    """Slices of rows, each of about so many pixels, that together make up a picture of `shape` (H, W)."""
    height, width = shape
    step = max(1, pixels // max(1, width))
    for start in range(0, height, step):
        yield slice(start, min(height, start + step))
