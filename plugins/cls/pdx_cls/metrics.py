"""How often the right class is the first, or among the first five; per class, and as a picture of the confusions."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pdx_core.data.sample import Sample
from pdx_core.errors import DataError
from pdx_core.results import LabelsResult

_WITHIN = (1, 5)


class TopK:
    """Streaming top-1 and top-5, mean accuracy over classes, and the confusion matrix.

    With fewer than five classes top-5 is 1, as in PaddleClas.
    """

    def __init__(self, classes: Sequence[str]) -> None:
        self.classes = tuple(classes)
        self._confusions = np.zeros((len(self.classes), len(self.classes)), dtype=np.int64)  # [truth, prediction]
        self._hits = np.zeros(len(_WITHIN), dtype=np.int64)

    def update(self, results: Sequence[LabelsResult], samples: Sequence[Sample]) -> None:
        for result, sample in zip(results, samples, strict=True):
            label = self._truth(sample)
            ids = np.asarray(result.class_ids)
            self._confusions[label, ids[0]] += 1
            for index, within in enumerate(_WITHIN):
                self._hits[index] += label in ids[:within]

    def compute(self) -> dict[str, float]:
        """Fractions of 1; NaN when nothing was counted. "mean_class_top1" weighs every class that occurs alike."""
        total = int(self._confusions.sum())
        if not total:
            return {**{f"top{within}": float("nan") for within in _WITHIN}, "mean_class_top1": float("nan")}
        numbers = {f"top{within}": hits / total for within, hits in zip(_WITHIN, self._hits.tolist(), strict=True)}
        return {**numbers, "mean_class_top1": float(np.nanmean(self.class_accuracies()))}

    def class_accuracies(self) -> np.ndarray:
        """float64 [K]: top-1 of each class; NaN for classes without samples."""
        counts = self._confusions.sum(axis=1)
        right = np.diagonal(self._confusions)
        return np.where(counts > 0, right / np.maximum(counts, 1), np.nan)

    def state(self) -> dict[str, np.ndarray]:
        return {"confusions": self._confusions, "hits": self._hits}

    def merge(self, states: Sequence[dict[str, Any]]) -> None:
        self._confusions = np.sum([state["confusions"] for state in states], axis=0)
        self._hits = np.sum([state["hits"] for state in states], axis=0)

    def draw(self, folder: Path) -> list[Path]:
        """Write `confusion_matrix.png` into `folder`; returns the files written."""
        from pdx_core.confusion import draw_confusions

        return [draw_confusions(self._confusions, self.classes, folder / "confusion_matrix.png")]

    def _truth(self, sample: Sample) -> int:
        label = (sample.truth or sample).label
        if label is None:
            raise DataError(f"{sample.path or sample.id}: has no label, so it cannot be evaluated")
        if not 0 <= int(label) < len(self.classes):
            raise DataError(
                f"{sample.path or sample.id}: class id {int(label)} is outside 0..{len(self.classes) - 1}; the model "
                f"knows {len(self.classes)} classes"
            )
        return int(label)
