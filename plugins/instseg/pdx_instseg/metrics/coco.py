"""Average precision of masks as COCO defines it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import attrs
import numpy as np

from pdx_core.data.sample import Sample
from pdx_core.errors import DataError
from pdx_core.files import write_json
from pdx_det.api import CocoBox, CocoTables, coco_tables, draw_precision_recall, write_json_rows
from pdx_instseg.results import InstancesResult
from pdx_instseg.run_lengths import RunLengths

_OF_BOXES = ("AP", "AP50", "AP75")


class CocoMask:
    """AP over mask IoU 0.5 to 0.95, by size, and average recall; the AP of the boxes beside it. See `CocoBox` for the
    options; confusions and kinds of errors are told by the boxes.

    What is kept of a mask are its run lengths, some hundred bytes.
    """

    def __init__(self, classes: Sequence[str], **options: Any) -> None:
        self.boxes = CocoBox(classes, **options)
        self.classes = self.boxes.classes
        self._masks: dict[int | str, tuple[tuple[int, int], list[bytes], list[bytes]]] = {}  # size, found, true
        self._tables: CocoTables | None = None

    def update(self, results: Sequence[InstancesResult], samples: Sequence[Sample]) -> None:
        self.boxes.update(results, samples)
        for result, sample in zip(results, samples, strict=True):
            truth = true_masks(sample)
            for mask in (*result.run_lengths, *truth):
                if mask.size != tuple(sample.size):
                    raise DataError(f"{sample.path or sample.id}: {sample.size} pixels, but a mask has {mask.size}")
            found = [mask.counts for mask in result.run_lengths]
            self._masks[sample.id] = (tuple(sample.size), found, [mask.counts for mask in truth])
        self._tables = None

    def compute(self) -> dict[str, float]:
        """Fractions of 1; -1 where the data hold nothing of the kind, as the COCO tools have it."""
        boxes = self.boxes.compute()
        return {**self.tables().figures(), **{f"box_{name}": boxes[name] for name in _OF_BOXES}}

    def per_class(self) -> dict[str, dict[str, float]]:
        """AP, AP50 and AR100 of every class by its name, and AP and AP50 of its boxes."""
        boxes = self.boxes.per_class()
        return {
            name: {**figures, "box_AP": boxes[name]["AP"], "box_AP50": boxes[name]["AP50"]}
            for name, figures in self.tables().per_class(self.classes).items()
        }

    def tables(self) -> CocoTables:
        """Precision and recall of the masks of all classes, computed once for what was seen so far."""
        if self._tables is None:
            judged = [attrs.evolve(image, masks=self._masks[name]) for name, image in self.boxes.judged()]
            self._tables = coco_tables(judged, len(self.classes), self.boxes.backend)
        return self._tables

    def state(self) -> dict[str, Any]:
        return {"boxes": self.boxes.state(), "masks": self._masks}

    def merge(self, states: Sequence[dict[str, Any]]) -> None:
        """An image that several processes evaluated counts once."""
        self.boxes.merge([state["boxes"] for state in states])
        self._masks = {name: masks for state in states for name, masks in state["masks"].items()}
        self._tables = None

    def draw(self, folder: Path) -> list[Path]:
        """Write boxes and masks as COCO results, the figures of each class, and the pictures; returns the files."""
        files = [folder / "segm.json", folder / "bbox.json", folder / "per_class.json"]
        write_json_rows(files[0], self._detections())
        write_json_rows(files[1], self.boxes.detections())
        write_json(files[2], self.per_class())
        files.append(draw_precision_recall(self.tables(), self.classes, folder / "precision_recall.png"))
        return files + self.boxes.mistakes.draw(self.classes, folder)

    def _detections(self) -> Iterator[dict[str, Any]]:
        """The lines of a COCO result file of masks."""
        image, number = None, 0
        for item in self.boxes.detections():
            number = number + 1 if item["image_id"] == image else 0
            image = item["image_id"]
            size, found, _ = self._masks[image]
            yield {
                "image_id": image,
                "category_id": item["category_id"],
                "segmentation": RunLengths(size, found[number]).json,
                "score": item["score"],
            }


def true_masks(sample: Sample) -> list[RunLengths]:
    """The masks of a sample as it was read: those of our readers, else made of what any reader gives."""
    if "run_lengths" in sample.extra:
        return sample.extra["run_lengths"]
    if sample.masks is None:
        raise DataError(f"{sample.path or sample.id}: has no masks, so it cannot be evaluated")
    return [_coded(mask, tuple(sample.size)) for mask in sample.masks]


def _coded(mask: Any, size: tuple[int, int]) -> RunLengths:
    """A mask as `Sample.masks` has it: a bitmap, or polygons, of which there may be none."""
    if isinstance(mask, np.ndarray):
        return RunLengths.of_bitmap(mask)
    return RunLengths.of_polygons(mask, size) if len(mask) else RunLengths.of_bitmap(np.zeros(size, np.uint8))
