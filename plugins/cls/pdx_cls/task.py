"""What the shared training and evaluation loops have to know about classification."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from pdx_core.errors import DataError
from pdx_core.results import LabelsResult

if TYPE_CHECKING:
    from pdx_core.data.batch import Batch
    from pdx_core.data.sample import Sample
    from pdx_core.settings import RunConfig

_KEPT = 5  # classes of a result: as many as the top-5 metric looks at


class ClsTask:
    """Images with one class each. A result lists the best classes of an image."""

    metric_prefix = "val."  # the published spelling in evaluate_result.json

    def __init__(self, config: RunConfig, classes: tuple[str, ...]) -> None:
        self.classes = classes
        self.topk = max(_KEPT, config.predict.topk or 0)

    def collate(self, samples: Sequence[Sample], batch: Batch) -> dict[str, np.ndarray]:
        """ "label": int64 [N]; float32 [N, K] when any sample carries soft labels."""
        labels = [self._known(sample) for sample in samples]
        if not any(isinstance(label, np.ndarray) and label.ndim for label in labels):
            return {"label": np.asarray(labels, dtype=np.int64)}
        soft = np.zeros((len(labels), len(self.classes)), dtype=np.float32)
        for row, label in zip(soft, labels, strict=True):
            if isinstance(label, np.ndarray) and label.ndim:
                row[:] = label
            else:
                row[int(label)] = 1.0
        return {"label": soft}

    def results(self, outputs: Mapping[str, np.ndarray], samples: Sequence[Sample]) -> list[LabelsResult]:
        """outputs["scores"]: float32 [N, K] -> one result per image."""
        return [
            LabelsResult.best(sample.path, scores, self.classes, self.topk)
            for scores, sample in zip(outputs["scores"], samples, strict=True)
        ]

    def _known(self, sample: Sample) -> int | np.ndarray:
        if sample.label is None:
            raise DataError(f"{sample.path or sample.id}: has no label, so it cannot be trained on")
        return sample.label
