"""What a detector confuses, and which kinds of mistakes it makes (after Bolya et al. 2020, "TIDE").

Counted at one score threshold and an IoU of 0.5, as somebody who looks at the pictures would.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pdx_core.data.sample import Boxes
from pdx_core.files import atomic_write
from pdx_det.metrics.overlap import iou_matrix

MATCH_IOU = 0.5
TOUCH_IOU = 0.1  # below it a box has nothing to do with an object

KINDS = ("correct", "localisation", "classification", "both", "duplicate", "background", "missed")
_MEANING = {
    "correct": "right class, IoU at least 0.5",
    "localisation": "right class, IoU 0.1 to 0.5",
    "classification": "wrong class, IoU at least 0.5",
    "both": "wrong class, IoU 0.1 to 0.5",
    "duplicate": "the object was found before",
    "background": "nothing is there",
    "missed": "an object no box touches",
}


class Mistakes:
    """Streaming counts.

    confusions: int64 [K + 1, K + 1], truth by prediction; the last row is background, the last column "missed"
    kinds:      int64 [K, 7] in the order of KINDS, by the class of the box ("missed": of the object)

    Boxes on crowds and on difficult objects are not counted.
    """

    def __init__(self, num_classes: int, min_score: float) -> None:
        self.min_score = min_score
        self.confusions = np.zeros((num_classes + 1, num_classes + 1), np.int64)
        self.kinds = np.zeros((num_classes, len(KINDS)), np.int64)

    def update(self, rows: np.ndarray, boxes: Boxes) -> None:
        """rows: [d, 6] label score x1 y1 x2 y2 of one image; boxes: what is known about it."""
        rows = rows[rows[:, 1] >= self.min_score]
        rows = rows[np.argsort(-rows[:, 1], kind="stable")]
        optional = boxes.crowd | boxes.difficult
        if optional.any():
            covered = iou_matrix(rows[:, 2:], boxes.xyxy[optional], boxes.crowd[optional]).max(axis=1) >= MATCH_IOU
            known = boxes.xyxy[~optional]
            claimed = (
                iou_matrix(rows[:, 2:], known).max(axis=1) >= MATCH_IOU if len(known) else np.zeros(len(rows), bool)
            )
            rows = rows[~covered | claimed]
        overlap = iou_matrix(rows[:, 2:], boxes.xyxy[~optional])  # [d, g]
        labels, truth = rows[:, 0].astype(np.int64), boxes.labels[~optional]
        self._count_confusions(overlap, labels, truth)
        self._count_kinds(overlap, labels, truth)

    def state(self) -> dict[str, np.ndarray]:
        return {"confusions": self.confusions, "kinds": self.kinds}

    def merge(self, states: Sequence[dict[str, Any]]) -> None:
        self.confusions = np.sum([state["confusions"] for state in states], axis=0)
        self.kinds = np.sum([state["kinds"] for state in states], axis=0)

    def draw(self, classes: Sequence[str], folder: Path) -> list[Path]:
        """Write confusion_matrix.png and errors.png into `folder`."""
        from pdx_core.confusion import draw_confusions

        matrix = draw_confusions(
            self.confusions,
            [*classes, "background"],
            folder / "confusion_matrix.png",
            title=f"Confusions, score from {self.min_score:g}, IoU from {MATCH_IOU:g}",
        )
        return [matrix, _draw_kinds(self.kinds.sum(axis=0), folder / "errors.png", self.min_score)]

    def _count_confusions(self, overlap: np.ndarray, labels: np.ndarray, truth: np.ndarray) -> None:
        """Boxes and objects are paired by overlap whatever their class, the closest pair first."""
        nothing = len(self.confusions) - 1
        pairs = np.argwhere(overlap >= MATCH_IOU)
        order = np.argsort(-overlap[pairs[:, 0], pairs[:, 1]], kind="stable") if len(pairs) else []
        free_box, free_object = np.ones(len(labels), bool), np.ones(len(truth), bool)
        for box, thing in pairs[order].tolist() if len(pairs) else ():
            if free_box[box] and free_object[thing]:
                self.confusions[truth[thing], labels[box]] += 1
                free_box[box] = free_object[thing] = False
        np.add.at(self.confusions, (nothing, labels[free_box]), 1)
        np.add.at(self.confusions, (truth[free_object], nothing), 1)

    def _count_kinds(self, overlap: np.ndarray, labels: np.ndarray, truth: np.ndarray) -> None:
        found, touched = np.zeros(len(truth), bool), np.zeros(len(truth), bool)
        for row, label in zip(overlap, labels.tolist(), strict=True):
            kind, thing = _kind(row, truth == label, found)
            self.kinds[label, KINDS.index(kind)] += 1
            if kind == "correct":
                found[thing] = True
            if thing >= 0:
                touched[thing] = True
        np.add.at(self.kinds, (truth[~touched], KINDS.index("missed")), 1)


def _kind(overlap: np.ndarray, same: np.ndarray, found: np.ndarray) -> tuple[str, int]:
    """The kind of one box and the object it has to do with (-1: none). overlap: [g]; same: its class; found: before."""
    own = np.where(same, overlap, 0.0)
    free = np.where(found, 0.0, own)
    if len(free) and free.max() >= MATCH_IOU:
        return "correct", int(free.argmax())
    if len(own) and own.max() >= MATCH_IOU:
        return "duplicate", int(own.argmax())
    other = np.where(same, 0.0, overlap)
    if len(other) and other.max() >= MATCH_IOU:
        return "classification", int(other.argmax())
    if len(own) and own.max() >= TOUCH_IOU:
        return "localisation", int(own.argmax())
    if len(other) and other.max() >= TOUCH_IOU:
        return "both", int(other.argmax())
    return "background", -1


def _draw_kinds(counts: np.ndarray, path: Path, min_score: float) -> Path:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8.0, 4.2), dpi=110, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    colours = ["#2f855a"] + ["#c05621"] * (len(KINDS) - 1)
    bars = axes.barh([f"{name}\n{_MEANING[name]}" for name in KINDS], counts, color=colours)
    axes.bar_label(bars, padding=3)
    axes.invert_yaxis()
    axes.tick_params(axis="y", labelsize=8)
    axes.margins(x=0.12)
    axes.set(xlabel="boxes (missed: objects)", title=f"What becomes of boxes with a score from {min_score:g}")
    with atomic_write(path) as stream:
        figure.savefig(stream, format="png")
    return path
