"""Mean average precision as the Pascal VOC challenge defines it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pdx_core.data.sample import Sample
from pdx_core.errors import ConfigError, DataError
from pdx_core.files import write_json
from pdx_core.results_boxes import BoxesResult
from pdx_det.metrics.mistakes import Mistakes
from pdx_det.metrics.overlap import iou_matrix

STYLES = ("integral", "11point")


class VocMap:
    """mAP at one IoU. Difficult and crowd objects count neither as found nor as missed.

    style: "integral" is the area under the curve (VOC 2010 and later), "11point" the mean of the precision at recalls
           0, 0.1 ... 1 (VOC 2007)
    iou:   a box matches at this overlap or more; widths are x2 - x1, where the original tools add a pixel

    What is kept is 9 bytes a detection.
    """

    def __init__(
        self, classes: Sequence[str], style: str = "integral", iou: float = 0.5, min_score: float = 0.5
    ) -> None:
        if style not in STYLES:
            raise ConfigError(f"style must be {' or '.join(STYLES)}, got {style!r}")
        if not 0 < iou <= 1:
            raise ConfigError(f"iou must be above 0 and at most 1, got {iou!r}")
        self.classes = tuple(classes)
        self.style, self.iou = style, iou
        self.mistakes = Mistakes(len(self.classes), min_score)
        self._known = np.zeros(len(self.classes), np.int64)  # objects that have to be found
        self._judged: list[np.ndarray] = []  # float32 [d, 3] per image: label, score, 1 hit or 0 false alarm

    def update(self, results: Sequence[BoxesResult], samples: Sequence[Sample]) -> None:
        for result, sample in zip(results, samples, strict=True):
            boxes = sample.boxes
            if boxes is None:
                raise DataError(f"{sample.path or sample.id}: has no boxes, so it cannot be evaluated")
            optional = boxes.difficult | boxes.crowd
            np.add.at(self._known, boxes.labels[~optional], 1)
            rows = np.column_stack([result.class_ids, result.scores, result.xyxy]).astype(np.float32)
            self._judged.append(self._judge(rows, boxes.xyxy, boxes.labels, optional))
            self.mistakes.update(rows, boxes)

    def compute(self) -> dict[str, float]:
        """ "mAP", a fraction of 1: the mean over the classes that occur."""
        precisions = self.average_precisions()
        defined = precisions[~np.isnan(precisions)]
        return {"mAP": float(defined.mean()) if len(defined) else float("nan")}

    def average_precisions(self) -> np.ndarray:
        """float64 [K]; NaN for classes that do not occur."""
        judged = np.concatenate(self._judged) if self._judged else np.zeros((0, 3), np.float32)
        found = np.full(len(self.classes), np.nan)
        for label in np.flatnonzero(self._known):
            own = judged[judged[:, 0] == label]
            own = own[np.argsort(-own[:, 1], kind="stable")]
            hits, alarms = np.cumsum(own[:, 2] == 1), np.cumsum(own[:, 2] == 0)
            recall = hits / self._known[label]
            precision = hits / np.maximum(hits + alarms, 1)
            found[label] = average_precision(recall, precision, self.style)
        return found

    def state(self) -> dict[str, Any]:
        return {"known": self._known, "judged": self._judged, "mistakes": self.mistakes.state()}

    def merge(self, states: Sequence[dict[str, Any]]) -> None:
        self._known = np.sum([state["known"] for state in states], axis=0)
        self._judged = [rows for state in states for rows in state["judged"]]
        self.mistakes.merge([state["mistakes"] for state in states])

    def draw(self, folder: Path) -> list[Path]:
        """Write the figures of each class, the confusion matrix and the error breakdown."""
        values = self.average_precisions().tolist()
        figures = {name: None if value != value else value for name, value in zip(self.classes, values, strict=True)}
        write_json(folder / "per_class.json", figures)
        return [folder / "per_class.json", *self.mistakes.draw(self.classes, folder)]

    def _judge(self, rows: np.ndarray, xyxy: np.ndarray, labels: np.ndarray, optional: np.ndarray) -> np.ndarray:
        """label, score, hit of the boxes of an image that count; the best scores choose first."""
        rows = rows[np.argsort(-rows[:, 1], kind="stable")]
        overlap = np.where(rows[:, :1] == labels[None], iou_matrix(rows[:, 2:], xyxy), 0.0)  # [d, g]
        taken, judged = np.zeros(len(labels), bool), []
        for row, shares in zip(rows, overlap, strict=True):
            thing = int(shares.argmax()) if len(shares) else -1
            hit = thing >= 0 and shares[thing] >= self.iou
            if hit and optional[thing]:
                continue
            right = hit and not taken[thing]
            if right:
                taken[thing] = True
            judged.append((row[0], row[1], float(right)))
        return np.array(judged, np.float32).reshape(-1, 3)


def average_precision(recall: np.ndarray, precision: np.ndarray, style: str) -> float:
    """Of one class. recall, precision: float [d] after each detection, best score first."""
    if style == "11point":
        reached = [precision[recall >= level] for level in np.linspace(0, 1, 11)]
        return float(np.mean([part.max() if len(part) else 0.0 for part in reached]))
    recall = np.concatenate([[0.0], recall, [1.0]])
    precision = np.concatenate([[0.0], precision, [0.0]])
    precision = np.maximum.accumulate(precision[::-1])[::-1]  # never rises with recall
    return float(np.sum(np.diff(recall) * precision[1:]))
