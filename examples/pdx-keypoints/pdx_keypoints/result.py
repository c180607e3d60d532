"""What the network says about one image: named points, printed, saved and drawn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs
import numpy as np

from pdx_core.drawing import draw_boxes, label_colour
from pdx_core.results import Result

_SIDE_FOR_NAMES = 400  # pixels; on smaller pictures the names would hide what they name


@attrs.define(kw_only=True, eq=False)
class PointsResult(Result):
    """The points of one image.

    xy:          float32 [K, 2], x and y in pixels of the original image
    label_names: K names
    """

    xy: np.ndarray = attrs.field(kw_only=False)
    label_names: Sequence[str] = attrs.field(kw_only=False)

    def content(self) -> dict[str, Any]:
        return {
            "points": [
                {"label": name, "coordinate": list(np.round(point, 2))}
                for name, point in zip(self.label_names, self.xy, strict=True)
            ]
        }

    @property
    def summary(self) -> str:
        return ", ".join(f"{name} {x:.0f} {y:.0f}" for name, (x, y) in zip(self.label_names, self.xy, strict=True))

    def draw(self, image: np.ndarray) -> dict[str, np.ndarray]:
        return {"res": draw_points(image, self.xy, self.label_names)}


def draw_points(image: np.ndarray, xy: np.ndarray, names: Sequence[str]) -> np.ndarray:
    """A dot in a colour of its own for each point, with its name where the picture is large enough to see both.

    image: uint8 [H, W, 3] RGB, not changed; xy: float32 [K, 2], points with NaN are left out
    """
    from PIL import Image, ImageDraw

    seen = np.flatnonzero(~np.isnan(xy[:, 0]))
    colours = [label_colour(index) for index in seen.tolist()]
    radius = max(2.0, max(image.shape) / 150)
    picture = Image.fromarray(image)
    for (x, y), colour in zip(xy[seen].tolist(), colours, strict=True):
        box = (x - radius, y - radius, x + radius, y + radius)
        ImageDraw.Draw(picture).ellipse(box, fill=colour, outline="white")
    if max(image.shape) < _SIDE_FOR_NAMES:
        return np.asarray(picture)
    frames = np.concatenate([xy[seen] - 3 * radius, xy[seen] + 3 * radius], axis=1)
    return draw_boxes(np.asarray(picture), frames, [names[index] for index in seen], colours)
