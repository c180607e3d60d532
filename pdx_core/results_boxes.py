"""What a detector says about one image, in the shape PaddleX publishes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs
import numpy as np

from pdx_core.drawing import draw_boxes, label_colour
from pdx_core.results import Result


@attrs.define(kw_only=True, eq=False)
class BoxesResult(Result):
    """The boxes found in one image.

    class_ids:   int32 [n]
    scores:      float32 [n], 0..1
    xyxy:        float32 [n, 4], x1 y1 x2 y2 in pixels of the original image, as the network gave them
    label_names: n names
    size:        height and width of the original image; what is published and drawn is clipped to it
    """

    class_ids: np.ndarray = attrs.field(kw_only=False)
    scores: np.ndarray = attrs.field(kw_only=False)
    xyxy: np.ndarray = attrs.field(kw_only=False)
    label_names: list[str] = attrs.field(kw_only=False)
    size: tuple[int, int] | None = None

    @classmethod
    def of_rows(
        cls,
        input_path: str,
        rows: np.ndarray,
        classes: Sequence[str],
        *,
        threshold: float | None = None,
        topk: int | None = None,
        **others: Any,
    ) -> BoxesResult:
        """From rows label, score, x1, y1, x2, y2: float32 [n, 6].

        classes:   names by class id; where one is missing the id stands in for it
        threshold: rows with a score above it are kept, best first; None keeps all rows in their order
        topk:      at most so many of them
        """
        rows = rows[best_rows(rows, threshold, topk)]
        ids = rows[:, 0].astype(np.int32)
        names = [classes[index] if index < len(classes) else str(index) for index in ids.tolist()]
        return cls(input_path, ids, rows[:, 1].astype(np.float32), rows[:, 2:].astype(np.float32), names, **others)

    def __len__(self) -> int:
        return len(self.class_ids)

    @property
    def coordinates(self) -> np.ndarray:
        """float32 [n, 4]: the boxes clipped to the image."""
        if self.size is None:
            return self.xyxy
        height, width = self.size
        return np.clip(self.xyxy, 0, np.array([width, height, width, height], np.float32))

    def content(self) -> dict[str, Any]:
        return {
            "boxes": [
                {"cls_id": int(label), "label": name, "score": score, "coordinate": list(box)}
                for label, name, score, box in zip(
                    self.class_ids, self.label_names, self.scores, self.coordinates, strict=True
                )
            ]
        }

    @property
    def summary(self) -> str:
        if not len(self):
            return "nothing found"
        return ", ".join(f"{name} {score:.2f}" for name, score in zip(self.label_names, self.scores, strict=True))

    def draw(self, image: np.ndarray) -> dict[str, np.ndarray]:
        """Frames with name and score; the best lie on top."""
        height, width = image.shape[:2]
        boxes = np.clip(self.xyxy, 0, np.array([width - 1, height - 1] * 2, np.float32))[::-1]
        texts = [f"{name} {score:.2f}" for name, score in zip(self.label_names, self.scores, strict=True)][::-1]
        return {"res": draw_boxes(image, boxes, texts, [label_colour(int(index)) for index in self.class_ids[::-1]])}


def best_rows(rows: np.ndarray, threshold: float | None = None, topk: int | None = None) -> np.ndarray:
    """Which rows label, score, x1, y1, x2, y2 a result is made of, int64 [k]; see `BoxesResult.of_rows`."""
    chosen = np.arange(len(rows)) if threshold is None else np.flatnonzero(rows[:, 1] > threshold)
    if threshold is None and topk is None:
        return chosen
    return chosen[np.argsort(-rows[chosen, 1], kind="stable")][:topk]
