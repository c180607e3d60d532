"""What the shared training and evaluation loops have to know about instance segmentation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from pdx_core.errors import ConfigError, DataError
from pdx_det.api import pack_boxes
from pdx_instseg.mask_targets import pack_masks
from pdx_instseg.outputs import per_image, run_lengths
from pdx_instseg.results import InstancesResult

if TYPE_CHECKING:
    from pdx_core.data.batch import Batch
    from pdx_core.data.sample import Sample
    from pdx_core.settings import RunConfig


class InstSegTask:
    """Images with boxes and masks. A result lists what the network found, in its order."""

    def __init__(self, config: RunConfig, classes: tuple[str, ...]) -> None:
        if config.evaluate.test_time.enabled:
            raise ConfigError("Evaluate.test_time merges boxes, not masks; leave it out for instance segmentation")
        self.classes = classes

    def collate(self, samples: Sequence[Sample], batch: Batch) -> dict[str, np.ndarray]:
        """The boxes as detection packs them (`pack_boxes`) and their masks (`mask_targets`)."""
        for sample in samples:
            if sample.boxes is not None and sample.masks is None:
                raise DataError(f"{sample.path or sample.id}: has boxes but no masks; is it a dataset for detection?")
        targets, kept = pack_boxes(samples, batch)
        masks = [[sample.masks[row] for row in rows.tolist()] for sample, rows in zip(samples, kept, strict=True)]
        return {**targets, **pack_masks(masks, targets["gt_boxes"].shape[1])}

    def results(self, outputs: Mapping[str, np.ndarray], samples: Sequence[Sample]) -> list[InstancesResult]:
        """From what `outputs` describes; masks become run lengths at once."""
        return [
            InstancesResult.of_rows(
                sample.path, rows, self.classes, size=sample.size, run_lengths=run_lengths(masks, rows, sample.size)
            )
            for sample, (rows, masks) in zip(samples, per_image(outputs), strict=True)
        ]
