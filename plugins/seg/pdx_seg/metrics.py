"""How well label maps agree with the truth, from one confusion matrix that is added up image by image."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np

from pdx_core.data.sample import Sample
from pdx_core.errors import ConfigError, DataError
from pdx_core.files import write_json
from pdx_seg.counting import count_pairs
from pdx_seg.labels import IGNORE
from pdx_seg.results import LabelMapResult


class MeanIou:
    """mIoU, pixel accuracy, kappa and Dice over all pixels that are not ignored; per class beside them.

    absent: what a class that neither truth nor prediction holds adds to the means: "skip" leaves it out, "zero" counts
            it as 0, as PaddleSeg does. Where every class occurs the two agree.

    The state is one K x K matrix of counts, however many images were seen.
    """

    def __init__(self, classes: Sequence[str], absent: Literal["skip", "zero"] = "skip") -> None:
        if absent not in ("skip", "zero"):
            raise ConfigError(f"absent must be 'skip' or 'zero', got {absent!r}")
        self.classes = tuple(classes)
        self.absent = absent
        self._confusions = np.zeros((len(self.classes), len(self.classes)), dtype=np.int64)  # [truth, prediction]

    def update(self, results: Sequence[LabelMapResult], samples: Sequence[Sample]) -> None:
        for result, sample in zip(results, samples, strict=True):
            truth = sample.label_map
            name = sample.path or sample.id
            if truth is None:
                raise DataError(f"{name}: has no mask, so it cannot be evaluated")
            if truth.shape != result.label_map.shape:
                raise DataError(
                    f"{name}: the mask is {_size(truth)} pixels, the prediction {_size(result.label_map)}; "
                    "make the mask as large as its image"
                )
            try:
                self._confusions += count_pairs(truth, result.label_map, len(self.classes), IGNORE)
            except ValueError as error:
                raise DataError(f"{name}: {error}; run `pdx check` on the dataset") from None

    def compute(self) -> dict[str, float]:
        """Fractions of 1; NaN when no pixel was judged.

        mIoU:  mean of intersection / union of the classes
        Acc:   share of the pixels that are right
        Kappa: agreement beyond what the frequencies of the classes give by chance (Cohen)
        Dice:  mean over classes of 2 * intersection / (true + predicted pixels)
        mAcc:  mean over the classes that occur of the share of their pixels that were found
        """
        total = int(self._confusions.sum())
        if not total:
            return dict.fromkeys(("mIoU", "Acc", "Kappa", "Dice", "mAcc"), float("nan"))
        right, true, found = self._areas()
        accuracy = right.sum() / total
        chance = float((true / total) @ (found / total))
        return {
            "mIoU": self._mean(self.class_ious()),
            "Acc": float(accuracy),
            # One class everywhere, in truth and prediction: full agreement, and 0 / 0 in the formula
            "Kappa": float((accuracy - chance) / (1 - chance)) if chance < 1 else 1.0,
            "Dice": self._mean(_ratio(2 * right, true + found)),
            "mAcc": float(np.nanmean(_ratio(right, true))),
        }

    def class_ious(self) -> np.ndarray:
        """float64 [K]; NaN for classes that neither truth nor prediction holds."""
        right, true, found = self._areas()
        return _ratio(right, true + found - right)

    def per_class(self) -> dict[str, dict[str, float | int | None]]:
        """Numbers of every class by its name; None where its pixels do not allow one.

        Acc is the share of its true pixels that were found (recall), precision the share of its predicted pixels that
        are right, pixels how many the truth has.
        """
        right, true, found = self._areas()
        columns = {
            "IoU": self.class_ious(),
            "Acc": _ratio(right, true),
            "precision": _ratio(right, found),
            "Dice": _ratio(2 * right, true + found),
        }
        return {
            name: {
                **{key: None if np.isnan(values[row]) else float(values[row]) for key, values in columns.items()},
                "pixels": int(true[row]),
            }
            for row, name in enumerate(self.classes)
        }

    def state(self) -> dict[str, np.ndarray]:
        return {"confusions": self._confusions}

    def merge(self, states: Sequence[dict[str, Any]]) -> None:
        self._confusions = np.sum([state["confusions"] for state in states], axis=0)

    def draw(self, folder: Path) -> list[Path]:
        """Write the figures of each class, the confusion matrix and a bar chart of the IoUs; returns the files."""
        from pdx_core.confusion import draw_confusions
        from pdx_seg.iou_chart import draw_ious

        write_json(folder / "per_class.json", self.per_class())
        return [
            folder / "per_class.json",
            draw_confusions(self._confusions, self.classes, folder / "confusion_matrix.png", "Confused pixels"),
            draw_ious(self.class_ious(), self.classes, self._mean(self.class_ious()), folder / "class_iou.png"),
        ]

    def _areas(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """int64 [K] each: pixels that are right, that truth has, and that were predicted, of every class."""
        return np.diagonal(self._confusions), self._confusions.sum(axis=1), self._confusions.sum(axis=0)

    def _mean(self, values: np.ndarray) -> float:
        if self.absent == "zero":
            return float(np.nan_to_num(values).mean())
        return float("nan") if np.isnan(values).all() else float(np.nanmean(values))


def _ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """float64; NaN where the whole is nothing."""
    return np.where(whole > 0, part / np.maximum(whole, 1), np.nan)


def _size(label_map: np.ndarray) -> str:
    height, width = label_map.shape[-2:]
    return f"{width} x {height}"
