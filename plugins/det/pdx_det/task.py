"""What the shared training and evaluation loops have to know about detection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from pdx_core.results_boxes import BoxesResult
from pdx_det.box_batch import pack_boxes
from pdx_det.output_rows import rows_per_image
from pdx_det.view_merging import MergeOptions, Runner, run_views

if TYPE_CHECKING:
    from pdx_core.data.batch import Batch
    from pdx_core.data.sample import Sample
    from pdx_core.settings import RunConfig


class DetTask:
    """Images with boxes. A result lists what the network found, best first or as its suppression left it."""

    def __init__(self, config: RunConfig, classes: tuple[str, ...]) -> None:
        self.classes = classes
        self._test_time = config.evaluate.test_time
        self._merging = MergeOptions.of(self._test_time.merge, "Evaluate.test_time.merge")

    def collate(self, samples: Sequence[Sample], batch: Batch) -> dict[str, np.ndarray]:
        """The boxes of a batch, see `pack_boxes`."""
        return pack_boxes(samples, batch)[0]

    def run(self, runner: Runner, feed: Mapping[str, np.ndarray]) -> Mapping[str, np.ndarray]:
        """The outputs for an evaluation batch: of the batch as it is, or merged from the views that are asked for."""
        return run_views(runner, feed, self._test_time, self._merging) if self._test_time.enabled else runner(feed)

    def results(self, outputs: Mapping[str, np.ndarray], samples: Sequence[Sample]) -> list[BoxesResult]:
        """outputs["bbox"] [n, 6] label score x1 y1 x2 y2 in original pixels, outputs["bbox_num"] [N]."""
        return [
            BoxesResult.of_rows(sample.path, rows, self.classes, size=sample.size)
            for sample, rows in zip(samples, rows_per_image(outputs), strict=True)
        ]
