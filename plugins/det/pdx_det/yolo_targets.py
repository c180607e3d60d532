"""Which anchor in which cell answers for a ground-truth box, in the rule of YOLOv3 (numpy, no gradient)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np


class LevelTargets(NamedTuple):
    """The answers of one level. P is at least 1: an image without boxes gives one row of weight zero.

    Positives are numbered in the flattened order image, anchor, row, column.
    """

    index: np.ndarray  # int64 [P]
    offset: np.ndarray  # float32 [P, 2], x and y of the centre within its cell, 0..1
    log_scale: np.ndarray  # float32 [P, 2], log of width and height over those of the anchor
    box: np.ndarray  # float32 [P, 4], x1 y1 x2 y2 in input pixels
    size_weight: np.ndarray  # float32 [P], 2 - area of the box / area of the image: small boxes count more
    weight: np.ndarray  # float32 [P], of the box: 1, or its share in a mixup
    classes: np.ndarray  # float32 [P, num_classes], 1 at every class that some box in this place has


def assign_boxes(
    boxes: np.ndarray,
    labels: np.ndarray,
    weights: np.ndarray,
    *,
    image_size: tuple[int, int],
    anchors: np.ndarray,
    masks: Sequence[Sequence[int]],
    strides: Sequence[int],
    num_classes: int,
) -> list[LevelTargets]:
    """The targets of each level. A box belongs to the anchor, of all levels, whose shape overlaps its own most.

    boxes:      float32 [N, G, 4] x1 y1 x2 y2 in input pixels
    labels:     int [N, G], below zero for rows that are no target
    weights:    float32 [N, G]; zero takes a box out
    image_size: height and width of the input
    anchors:    float32 [all anchors, 2] width and height in pixels
    masks:      indices of the anchors of each level

    Of two boxes in the same place the later one is kept, with the classes of both, as in Paddle's release.
    """
    height, width = image_size
    sides = boxes[..., 2:] - boxes[..., :2]
    images, slots = np.nonzero((labels >= 0) & (weights > 0) & (sides > 0).all(axis=-1))
    boxes, sides = boxes[images, slots].astype(np.float32), sides[images, slots].astype(np.float32)  # [B, 4], [B, 2]
    labels, weights = labels[images, slots], weights[images, slots]
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2
    best = _best_anchor(sides, anchors)
    levels = []
    for mask, stride in zip(masks, strides, strict=True):
        rows, columns = height // stride, width // stride
        shares = np.isin(best, mask)
        places: dict[int, int] = {}  # place -> the box that has it
        classes: dict[int, set[int]] = {}
        for row in np.flatnonzero(shares):
            column = min(int(centres[row, 0] / width * columns), columns - 1)
            line = min(int(centres[row, 1] / height * rows), rows - 1)
            anchor = list(mask).index(best[row])
            place = ((int(images[row]) * len(mask) + anchor) * rows + line) * columns + column
            places[place] = row
            classes.setdefault(place, set()).add(int(labels[row]))
        levels.append(
            _pack(places, classes, boxes, sides, centres, weights, anchors[best], stride, (height, width), num_classes)
        )
    return levels


def _best_anchor(sides: np.ndarray, anchors: np.ndarray) -> np.ndarray:
    """Index of the anchor with the largest overlap when both have the same centre: [B, 2], [A, 2] -> int64 [B]."""
    overlap = np.minimum(sides[:, None], anchors[None]).prod(axis=-1)  # [B, A]
    union = sides.prod(axis=-1)[:, None] + anchors.prod(axis=-1)[None] - overlap
    return np.argmax(overlap / union, axis=1) if len(sides) else np.zeros(0, dtype=np.int64)


def _pack(
    places, classes, boxes, sides, centres, weights, anchor_sides, stride, image_size, num_classes
) -> LevelTargets:
    if not places:
        return LevelTargets(
            index=np.zeros(1, np.int64),
            offset=np.full((1, 2), 0.5, np.float32),
            log_scale=np.zeros((1, 2), np.float32),
            box=np.array([[0, 0, 1, 1]], np.float32),
            size_weight=np.zeros(1, np.float32),
            weight=np.zeros(1, np.float32),
            classes=np.zeros((1, num_classes), np.float32),
        )
    chosen = np.array(list(places.values()))
    hot = np.zeros((len(chosen), num_classes), np.float32)
    for row, place in enumerate(places):
        hot[row, sorted(classes[place])] = 1.0
    height, width = image_size
    grid = centres[chosen] / np.array([width, height], np.float32)
    grid = grid * np.array([width // stride, height // stride], np.float32)
    return LevelTargets(
        index=np.array(list(places), np.int64),
        offset=grid - np.floor(grid),
        log_scale=np.log(sides[chosen] / anchor_sides[chosen]).astype(np.float32),
        box=boxes[chosen],
        size_weight=(2.0 - sides[chosen].prod(axis=-1) / (width * height)).astype(np.float32),
        weight=weights[chosen].astype(np.float32),
        classes=hot,
    )
