"""The points of one image. They stand in `Sample.extra` and move along with it, whatever transform it goes through."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import attrs
import numpy as np

from pdx_core.data.sample import Sample
from pdx_core.errors import DataError

_AXES = np.array([[0, 0], [1, 0], [0, 1]], np.float32)
_OTHER_SIDE = {"left": "right", "right": "left"}


@attrs.frozen(eq=False)
class Points:
    """A `pdx_core.contracts.Movable`.

    xy:      float32 [K, 2], x and y in pixels of the image they travel with; NaN where a point is not known
    partner: int64 [K], which point takes the place of each in a mirror image
    """

    xy: np.ndarray
    partner: np.ndarray

    def moved(self, move_points: Callable[[Any], Any], move_raster: Callable[[Any, Any], Any]) -> Points:
        """The points of the transformed image; in a mirror image what was a left eye is a right one."""
        xy = move_points(self.xy)
        corner, right, below = move_points(_AXES)
        mirrored = np.linalg.det(np.stack([right - corner, below - corner])) < 0
        return Points(xy[self.partner] if mirrored else xy, self.partner)


def partners(names: Sequence[str]) -> np.ndarray:
    """int64 [K]: `left_eye` and `right_eye` are partners; a point without `left` or `right` in its name is its own."""
    others = ["_".join(_OTHER_SIDE.get(word, word) for word in name.split("_")) for name in names]
    places = {name: index for index, name in enumerate(names)}
    return np.array([places.get(other, index) for index, other in enumerate(others)], np.int64)


def points_of(sample: Sample) -> Points:
    """The points of a sample; DataError where a reader gave none."""
    if "points" not in sample.extra:
        raise DataError(f"{sample.path or sample.id}: its reader gives no points; a reader of this task is needed")
    return sample.extra["points"]
