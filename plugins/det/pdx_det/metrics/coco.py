"""Average precision of boxes as COCO defines it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pdx_core.data.sample import Sample
from pdx_core.errors import ConfigError, DataError
from pdx_core.files import atomic_write, write_json
from pdx_core.results_boxes import BoxesResult
from pdx_det.metrics.coco_tables import BACKENDS, Judged, Tables, tables
from pdx_det.metrics.mistakes import Mistakes


class CocoBox:
    """AP over IoU 0.5 to 0.95, by size, and average recall; confusions and kinds of errors beside them.

    backend:   "pycocotools", or "faster-coco-eval" for the same numbers in less time where it is installed
    min_score: boxes below it do not count as found in the confusion matrix and the error breakdown

    What is kept is 24 bytes a detection and 25 a true box.
    """

    def __init__(self, classes: Sequence[str], backend: str = "pycocotools", min_score: float = 0.5) -> None:
        if backend not in BACKENDS:
            raise ConfigError(f"no COCO evaluation named {backend!r}; choose {' or '.join(BACKENDS)}")
        self.classes = tuple(classes)
        self.backend = backend
        self.mistakes = Mistakes(len(self.classes), min_score)
        self._category_ids: tuple[int, ...] = tuple(range(1, len(self.classes) + 1))
        self._images: list[tuple[int | str, np.ndarray, np.ndarray, np.ndarray]] = []  # id, rows, truth, labels
        self._tables: Tables | None = None

    def update(self, results: Sequence[BoxesResult], samples: Sequence[Sample]) -> None:
        for result, sample in zip(results, samples, strict=True):
            boxes = sample.boxes
            if boxes is None:
                raise DataError(f"{sample.path or sample.id}: has no boxes, so it cannot be evaluated")
            if len(boxes) and boxes.labels.max() >= len(self.classes):
                raise DataError(f"{sample.path or sample.id}: class id {boxes.labels.max()} is not one of the model's")
            self._category_ids = sample.extra.get("category_ids", self._category_ids)
            rows = np.column_stack([result.class_ids, result.scores, result.xyxy]).astype(np.float32)
            area = boxes.area
            if area is None:
                area = np.prod(boxes.xyxy[:, 2:] - boxes.xyxy[:, :2], axis=1)
            truth = np.column_stack([boxes.xyxy, area]).astype(np.float32)  # [g, 5]
            labels = np.where(boxes.crowd, -1 - boxes.labels, boxes.labels).astype(np.int32)  # crowds: below zero
            self._images.append((sample.id, rows, truth, labels))
            self.mistakes.update(rows, boxes)
        self._tables = None

    def compute(self) -> dict[str, float]:
        """Fractions of 1; -1 where the data hold nothing of the kind, as the COCO tools have it."""
        return self.tables().figures()

    def per_class(self) -> dict[str, dict[str, float]]:
        """AP, AP50 and AR100 of every class by its name."""
        return self.tables().per_class(self.classes)

    def tables(self) -> Tables:
        """Precision and recall of all classes, computed once for what was seen so far."""
        if self._tables is None:
            self._tables = tables([judged for _, judged in self.judged()], len(self.classes), self.backend)
        return self._tables

    def state(self) -> dict[str, Any]:
        return {"images": self._images, "category_ids": self._category_ids, "mistakes": self.mistakes.state()}

    def merge(self, states: Sequence[dict[str, Any]]) -> None:
        """An image that several processes evaluated counts once."""
        found = {image[0]: image for state in states for image in state["images"]}
        self._images = list(found.values())
        self._category_ids = states[0]["category_ids"]
        self.mistakes.merge([state["mistakes"] for state in states])
        self._tables = None

    def draw(self, folder: Path) -> list[Path]:
        """Write the detections as COCO results, the figures of each class, and the pictures; returns the files."""
        from pdx_det.metrics.curves import draw_precision_recall

        files = [folder / "bbox.json", folder / "per_class.json"]
        write_json_rows(files[0], self.detections())
        write_json(files[1], self.per_class())
        files.append(draw_precision_recall(self.tables(), self.classes, folder / "precision_recall.png"))
        return files + self.mistakes.draw(self.classes, folder)

    def detections(self) -> Iterator[dict[str, Any]]:
        """The lines of a COCO result file: image_id, category_id, bbox x y w h, score; image by image, as they came."""
        for image, rows, _, _ in self._images:
            for label, score, x1, y1, x2, y2 in rows.astype(np.float64).tolist():
                yield {
                    "image_id": image,
                    "category_id": self._category_ids[int(label)],
                    "bbox": [round(value, 4) for value in (x1, y1, x2 - x1, y2 - y1)],
                    "score": round(score, 6),
                }

    def judged(self) -> Iterator[tuple[int | str, Judged]]:
        """Each image with its id, in the order of the ids, whatever order or process they came from: ties are broken by
        it."""
        order = sorted(self._images, key=lambda image: (isinstance(image[0], str), image[0]))
        for number, (name, rows, truth, labels) in enumerate(order, 1):
            crowd = labels < 0
            yield name, Judged(number, rows, truth[:, :4], np.where(crowd, -1 - labels, labels), crowd, truth[:, 4])


def write_json_rows(path: Path, items: Iterable[dict[str, Any]]) -> None:
    """Write a JSON list item by item, each in a line of its own."""
    import json

    with atomic_write(path, "w") as stream:
        separator = "["
        for item in items:
            stream.write(separator + json.dumps(item, ensure_ascii=False))
            separator = ",\n"
        stream.write("[]\n" if separator == "[" else "]\n")
