"""The annotated boxes of a training batch as arrays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from pdx_core.errors import DataError

if TYPE_CHECKING:
    from pdx_core.data.batch import Batch
    from pdx_core.data.sample import Boxes, Sample

_SMALLEST = 1e-2  # pixels; what a resize left of a box must have sides of at least this


def pack_boxes(samples: Sequence[Sample], batch: Batch) -> tuple[dict[str, np.ndarray], list[np.ndarray]]:
    """The boxes of a batch, padded to the largest number G of boxes in an image, at least 1.

    gt_boxes:     float32 [N, G, 4], x1 y1 x2 y2 in pixels of the network input, inside the image
    gt_labels:    int32 [N, G], -1 for padding
    gt_crowd:     int32 [N, G]
    gt_weights:   float32 [N, G], the share a mixup leaves a box; 0 for padding
    im_shape, scale_factor: float32 [N, 2], as in the batch

    returns: these by name, and of each image int64 [g], which of `sample.boxes` its rows are: those of which nothing is
             left in the picture have none
    """
    boxes, kept = [], []
    for sample, shape in zip(samples, batch.im_shape, strict=True):
        usable, rows = _usable(sample, shape)
        boxes.append(usable)
        kept.append(rows)
    count = max(1, *(len(own) for own in boxes))
    targets = {
        "gt_boxes": np.zeros((len(boxes), count, 4), np.float32),
        "gt_labels": np.full((len(boxes), count), -1, np.int32),
        "gt_crowd": np.zeros((len(boxes), count), np.int32),
        "gt_weights": np.zeros((len(boxes), count), np.float32),
    }
    for row, own in enumerate(boxes):
        size = len(own)
        targets["gt_boxes"][row, :size] = own.xyxy
        targets["gt_labels"][row, :size] = own.labels
        targets["gt_crowd"][row, :size] = own.crowd
        targets["gt_weights"][row, :size] = own.weights
    return {**targets, "im_shape": batch.im_shape, "scale_factor": batch.scale_factor}, kept


def _usable(sample: Sample, shape: np.ndarray) -> tuple[Boxes, np.ndarray]:
    """Boxes clipped to the picture, without those of which nothing is left, and the rows of those that are."""
    if sample.boxes is None:
        raise DataError(f"{sample.path or sample.id}: has no boxes, not even an empty list; is it a det dataset?")
    height, width = float(shape[0]), float(shape[1])
    xyxy = np.clip(sample.boxes.xyxy, 0, np.array([width, height, width, height], np.float32))
    full = (xyxy[:, 2:] - xyxy[:, :2] > _SMALLEST).all(axis=1)
    clipped = sample.boxes.select(full)
    clipped.xyxy = xyxy[full]
    return clipped, np.flatnonzero(full)
