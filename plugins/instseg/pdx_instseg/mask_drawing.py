"""Draws objects with their masks: tinted areas with outlines, frames and names."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from pdx_core.drawing import draw_boxes, label_colour
from pdx_core.opencv import require_cv2
from pdx_instseg.outlines import contours

_TINT = 0.45  # share of the colour
_FEW = 12  # objects that are told apart by their frames; of one class, more are told apart by their colours

Window = tuple[np.ndarray, tuple[int, int]]


def draw_instances(
    image: np.ndarray,
    windows: Iterable[Window],
    xyxy: np.ndarray,
    texts: Sequence[str],
    labels: Sequence[int] | np.ndarray,
) -> np.ndarray:
    """One object after the other, the last on top.

    image:   uint8 [H, W, 3], RGB; not changed
    windows: of each object the bitmap, uint8 [h, w] of 0 and 1, and x and y of its first pixel
    xyxy:    float [n, 4], the boxes
    labels:  class ids, which choose the colours; the many objects of a single class get a colour each
    returns: uint8 [H, W, 3], RGB
    """
    cv2 = require_cv2()
    height, width = image.shape[:2]
    drawn = image.copy()
    kinds = [int(label) for label in labels]
    crowded = len(kinds) > _FEW
    each = crowded and len(set(kinds)) == 1
    colours = [label_colour(number if each else kind) for number, kind in enumerate(kinds)]
    line = max(1, max(height, width) // 640)
    for (bitmap, (left, top)), colour in zip(windows, colours, strict=True):
        area = drawn[top : top + bitmap.shape[0], left : left + bitmap.shape[1]]
        inside = bitmap[: area.shape[0], : area.shape[1]].astype(bool)
        if not inside.any():
            continue
        area[inside] = (area[inside] * (1 - _TINT) + np.array(colour) * _TINT).astype(np.uint8)
        cv2.drawContours(drawn, contours(inside.view(np.uint8), (left, top)), -1, colour, line)
    boxes = np.clip(xyxy, 0, np.array([width - 1, height - 1] * 2, np.float32))
    if crowded and _hide_the_picture(boxes, texts, height, width):
        return drawn
    return draw_boxes(drawn, boxes, texts, colours)


def _hide_the_picture(boxes: np.ndarray, texts: Sequence[str], height: int, width: int) -> bool:
    """Whether names and frames would cover what they name: objects smaller than their names."""
    letter = max(11, max(height, width) // 48)  # as `draw_boxes` writes
    name = 0.6 * letter * np.mean([len(text) for text in texts])
    sides = np.sqrt((boxes[:, 2:] - boxes[:, :2]).clip(0).prod(axis=1))
    return bool(np.median(sides) < name)
