"""What an instance segmentation says about one image: a box and a mask for each object."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import attrs
import numpy as np

from pdx_core.results import plain
from pdx_core.results_boxes import BoxesResult
from pdx_instseg.mask_drawing import draw_instances
from pdx_instseg.outlines import contours
from pdx_instseg.run_lengths import RunLengths


@attrs.define(kw_only=True, eq=False)
class InstancesResult(BoxesResult):
    """The objects found in one image.

    run_lengths:   the mask of each box, of the size of the original image
    with_polygons: whether the JSON also holds the outlines of the masks

    `result["masks"]` and `masks` are bitmaps cut to their boxes, as PaddleX publishes them; the JSON has the run
    lengths of whole masks instead, as COCO has them. Bitmaps are made when they are asked for, so that a hundred masks
    on a large photo take no more memory than the largest of them.
    """

    run_lengths: Sequence[RunLengths] = attrs.field(factory=tuple, repr=False)
    with_polygons: bool = False

    @property
    def masks(self) -> list[np.ndarray]:
        """uint8 [h, w] of 0 and 1 for each object, cut to its box with both corners rounded to whole pixels."""
        return list(self._cut_masks())

    @property
    def areas(self) -> np.ndarray:
        """int64 [n]: pixels of each object."""
        return np.array([mask.area for mask in self.run_lengths], np.int64)

    def polygons(self, tolerance: float = 0.0) -> list[list[np.ndarray]]:
        """For each object the outer outlines of its parts, each int32 [corners, 2], x and y of pixels on the border.

        tolerance: how many pixels an outline may be off, to need fewer corners
        """
        return [contours(*self._window(mask), tolerance) for mask in self.run_lengths]

    def content(self) -> dict[str, Any]:
        return {**super().content(), "masks": self.masks}

    @property
    def shown(self) -> dict[str, Any]:
        return {**self.head, **super().content(), "masks": "..."}

    @property
    def summary(self) -> str:
        if not len(self):
            return "nothing found"
        areas = self.areas.tolist()
        return ", ".join(
            f"{name} {score:.2f} ({area} px)"
            for name, score, area in zip(self.label_names, self.scores, areas, strict=True)
        )

    @property
    def json(self) -> dict[str, Any]:
        return {"res": plain({**self.head, **super().content(), **self._coded_masks()})}

    def draw(self, image: np.ndarray) -> dict[str, np.ndarray]:
        """Tinted objects with outlines, names and scores; the best lie on top."""
        windows = (self._window(mask) for mask in reversed(self.run_lengths))
        texts = [f"{name} {score:.2f}" for name, score in zip(self.label_names, self.scores, strict=True)]
        return {"res": draw_instances(image, windows, self.coordinates[::-1], texts[::-1], self.class_ids[::-1])}

    def _coded_masks(self) -> dict[str, Any]:
        coded: dict[str, Any] = {"masks": [mask.json for mask in self.run_lengths]}
        if self.with_polygons:
            coded["polygons"] = [[part.tolist() for part in parts] for parts in self.polygons()]
        return coded

    def _window(self, mask: RunLengths) -> tuple[np.ndarray, tuple[int, int]]:
        """The bitmap without the empty part round it, uint8 [h, w], and x and y of its first pixel."""
        left, top, right, bottom = mask.frame
        return mask.bitmap()[top:bottom, left:right], (left, top)

    def _cut_masks(self) -> Iterator[np.ndarray]:
        for mask, box in zip(self.run_lengths, self.coordinates, strict=True):
            left, top, right, bottom = (round(value) for value in box.tolist())
            yield mask.bitmap()[top:bottom, left:right].copy()
