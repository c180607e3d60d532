"""From a network's scores on its coarse grid to a class for every pixel of a picture."""

from __future__ import annotations

import numpy as np

from pdx_core.opencv import require_cv2
from pdx_seg.counting import bands

_BAND_PIXELS = 1 << 18  # of a band that is worked on at a time: its planes stay in the processor's cache


def best_classes(scores: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """The class with the highest score of every pixel; of equal ones the first.

    scores:  float32 [K, h, w], higher is likelier; logits or probabilities
    size:    height and width of the picture that the grid covers
    returns: uint8 [H, W]

    Between grid cells scores are interpolated linearly, with cells taken as areas (align_corners false). One band of
    rows and one class at a time: besides the result this takes a few megabytes.
    """
    height, width = size
    labels = np.zeros(size, np.uint8)
    for rows in bands(size, _BAND_PIXELS):
        above, below, share = _between_rows(scores.shape[1], height, rows)
        best: np.ndarray | None = None
        for index, plane in enumerate(scores):
            band = plane[above]
            if share.any():
                band = band + (plane[below] - band) * share
            band = stretched(band, (rows.stop - rows.start, width))
            if best is None:
                best = np.array(band, np.float32)
                continue
            better = band > best
            np.copyto(best, band, where=better)
            labels[rows][better] = index
    return labels


def stretched(plane: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """float32 [h, w] -> [H, W], interpolated linearly with cells taken as areas; itself where the size is the same."""
    if plane.shape == tuple(size):
        return plane
    cv2 = require_cv2()
    return cv2.resize(np.ascontiguousarray(plane), size[::-1], interpolation=cv2.INTER_LINEAR)


def without_padding(scores: np.ndarray, frame: tuple[int, int], shape: tuple[int, int]) -> np.ndarray:
    """The part of scores that belongs to the picture at the top left of a padded frame.

    scores:  float32 [K, h, w] that cover the frame
    frame:   height and width of the network input
    shape:   height and width of the picture in it
    returns: float32 [K, h', w']; the same cells where the picture ends between cells, else in pixels of the input
    """
    if tuple(shape) == tuple(frame):
        return scores
    cells = [side * count / full for side, count, full in zip(shape, scores.shape[1:], frame, strict=True)]
    if all(cell == int(cell) for cell in cells):
        return scores[:, : int(cells[0]), : int(cells[1])]
    return np.stack([stretched(plane, frame)[: shape[0], : shape[1]] for plane in scores])


def _between_rows(count: int, height: int, rows: slice) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The two of `count` grid rows that each of the wanted rows lies between, and the share of the lower one.

    returns: int64 [n], int64 [n], float32 [n, 1]
    """
    places = (np.arange(rows.start, rows.stop) + 0.5) * (count / height) - 0.5
    places = np.clip(places, 0, count - 1)
    above = np.floor(places).astype(np.int64)
    share = (places - above).astype(np.float32)[:, None]
    return above, np.minimum(above + 1, count - 1), share
