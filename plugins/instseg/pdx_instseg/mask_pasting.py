"""Masks as a network gives them, a small grid of probabilities per box, brought to the pixels of the original image.

Each mask is sampled bilinearly at the centres of the pixels it covers and kept together with the window it fills, one
after the other, so that a hundred masks on a large photo take no more memory than the largest of them. Numpy only.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import attrs
import numpy as np
from pycocotools import mask as coco_mask

THRESHOLD = 0.5  # a pixel belongs to an object from this probability on
_BLOCK_PIXELS = 2**20  # sampled at once


@attrs.frozen(eq=False)
class PastedMask:
    """The pixels of one object.

    frame:  x1 y1 x2 y2 in pixels of the image, x2 and y2 exclusive; outside of it there is nothing
    bitmap: uint8 [y2 - y1, x2 - x1] of 0 and 1
    size:   height and width of the image
    """

    frame: tuple[int, int, int, int]
    bitmap: np.ndarray
    size: tuple[int, int]

    @property
    def area(self) -> int:
        """Pixels of the object."""
        return int(np.count_nonzero(self.bitmap))

    def full(self) -> np.ndarray:
        """uint8 [H, W] of 0 and 1."""
        left, top, right, bottom = self.frame
        image = np.zeros(self.size, np.uint8)
        image[top:bottom, left:right] = self.bitmap
        return image

    def rle(self) -> dict[str, Any]:
        """The run lengths of `full()` as pycocotools has them: {"size": [H, W], "counts": bytes}.

        They are counted in the window, which takes a fraction of what encoding the whole image would.
        """
        left, top, _, _ = self.frame
        height, width = self.size
        columns = np.pad(self.bitmap.T.astype(np.int8), ((0, 0), (1, 1)))  # [w, h + 2]: COCO runs down the columns
        steps = np.diff(columns, axis=1)
        starts, ends = (
            (column + left) * height + row + top for column, row in (np.nonzero(steps == 1), np.nonzero(steps == -1))
        )
        apart = np.append(True, starts[1:] != ends[:-1]) if len(starts) else np.zeros(0, bool)
        starts, ends = starts[apart], ends[np.append(apart[1:], True)] if len(ends) else ends
        edges = np.stack([starts, ends], axis=1).ravel()
        rest = [height * width] if not len(ends) or ends[-1] < height * width else []
        counts = np.diff(np.concatenate([[0], edges, rest]).astype(np.int64))
        return coco_mask.frPyObjects({"size": [height, width], "counts": counts.tolist()}, height, width)


def paste_masks(
    masks: np.ndarray, boxes: np.ndarray, size: tuple[int, int], threshold: float = THRESHOLD
) -> Iterator[PastedMask]:
    """The pixels of each object, in the order of the masks.

    masks: float32 [n, M, M], probabilities over the area of a box
    boxes: float32 [n, 4], x1 y1 x2 y2 in pixels of the image; one that is empty or not finite gives an empty frame
    size:  height and width of the image
    """
    height, width = size
    for mask, (left, top, right, bottom) in zip(np.asarray(masks, np.float32), boxes.tolist(), strict=True):
        first_x, across = _samples(left, right, width, mask.shape[1], threshold)
        first_y, down = _samples(top, bottom, height, mask.shape[0], threshold)
        frame = (first_x, first_y, first_x + len(across), first_y + len(down))
        yield PastedMask(frame, _sampled(mask, down, across, threshold), size)


def _samples(low: float, high: float, limit: int, cells: int, threshold: float) -> tuple[int, np.ndarray]:
    """The first pixel that can reach the threshold, and the weights of the cells for it and those that follow.

    A pixel is sampled at its centre, a cell stands for its centre, and beside the outermost cells there are zeros.
    returns: float32 [pixels, cells]
    """
    if not np.isfinite([low, high]).all() or high <= low:
        return 0, np.zeros((0, cells), np.float32)
    cell = (high - low) / cells
    slack = (threshold - 0.5) * cell - 1e-6  # nearer to the edge, the zeros weigh too much
    first = int(np.clip(np.ceil(low + slack - 0.5), 0, limit))
    last = int(np.clip(np.floor(high - slack - 0.5) + 1, first, limit))
    position = (np.arange(first, last) + 0.5 - low) / cell - 0.5
    weights = 1.0 - np.abs(position[:, None] - np.arange(cells))
    return first, np.maximum(weights, 0.0).astype(np.float32)


def _sampled(mask: np.ndarray, down: np.ndarray, across: np.ndarray, threshold: float) -> np.ndarray:
    """uint8 [len(down), len(across)], in blocks of rows."""
    rows = mask @ across.T  # [M, w]
    result = np.empty((len(down), len(across)), np.uint8)
    step = max(1, _BLOCK_PIXELS // max(1, len(across)))
    for start in range(0, len(down), step):
        np.greater_equal(down[start : start + step] @ rows, threshold, out=result[start : start + step].view(bool))
    return result
