"""What the shared training and evaluation loops have to know about detection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from pdx_core.errors import DataError
from pdx_core.results_boxes import BoxesResult
from pdx_det.output_rows import rows_per_image
from pdx_det.view_merging import MergeOptions, Runner, run_views

if TYPE_CHECKING:
    from pdx_core.data.batch import Batch
    from pdx_core.data.sample import Sample
    from pdx_core.settings import RunConfig

_SMALLEST = 1e-2  # pixels; what a resize left of a box must have sides of at least this


class DetTask:
    """Images with boxes. A result lists what the network found, best first or as its suppression left it."""

    def __init__(self, config: RunConfig, classes: tuple[str, ...]) -> None:
        self.classes = classes
        self._test_time = config.evaluate.test_time
        self._merging = MergeOptions.of(self._test_time.merge, "Evaluate.test_time.merge")

    def collate(self, samples: Sequence[Sample], batch: Batch) -> dict[str, np.ndarray]:
        """The boxes of a batch, padded to the largest number G of boxes in an image, at least 1.

        gt_boxes:     float32 [N, G, 4], x1 y1 x2 y2 in pixels of the network input, inside the image
        gt_labels:    int32 [N, G], -1 for padding
        gt_crowd:     int32 [N, G]
        gt_weights:   float32 [N, G], the share a mixup leaves a box; 0 for padding
        im_shape, scale_factor: float32 [N, 2], as in the batch
        """
        kept = [self._usable(sample, shape) for sample, shape in zip(samples, batch.im_shape, strict=True)]
        count = max(1, *(len(boxes) for boxes in kept))
        targets = {
            "gt_boxes": np.zeros((len(kept), count, 4), np.float32),
            "gt_labels": np.full((len(kept), count), -1, np.int32),
            "gt_crowd": np.zeros((len(kept), count), np.int32),
            "gt_weights": np.zeros((len(kept), count), np.float32),
        }
        for row, boxes in enumerate(kept):
            size = len(boxes)
            targets["gt_boxes"][row, :size] = boxes.xyxy
            targets["gt_labels"][row, :size] = boxes.labels
            targets["gt_crowd"][row, :size] = boxes.crowd
            targets["gt_weights"][row, :size] = boxes.weights
        return {**targets, "im_shape": batch.im_shape, "scale_factor": batch.scale_factor}

    def run(self, runner: Runner, feed: Mapping[str, np.ndarray]) -> Mapping[str, np.ndarray]:
        """The outputs for an evaluation batch: of the batch as it is, or merged from the views that are asked for."""
        return run_views(runner, feed, self._test_time, self._merging) if self._test_time.enabled else runner(feed)

    def results(self, outputs: Mapping[str, np.ndarray], samples: Sequence[Sample]) -> list[BoxesResult]:
        """outputs["bbox"] [n, 6] label score x1 y1 x2 y2 in original pixels, outputs["bbox_num"] [N]."""
        return [
            BoxesResult.of_rows(sample.path, rows, self.classes, size=sample.size)
            for sample, rows in zip(samples, rows_per_image(outputs), strict=True)
        ]

    def _usable(self, sample: Sample, shape: np.ndarray):
        """Boxes clipped to the picture, without those of which nothing is left."""
        if sample.boxes is None:
            raise DataError(f"{sample.path or sample.id}: has no boxes, not even an empty list; is it a det dataset?")
        boxes = sample.boxes
        height, width = float(shape[0]), float(shape[1])
        xyxy = np.clip(boxes.xyxy, 0, np.array([width, height, width, height], np.float32))
        full = (xyxy[:, 2:] - xyxy[:, :2] > _SMALLEST).all(axis=1)
        clipped = boxes.select(full)
        clipped.xyxy = xyxy[full]
        return clipped
