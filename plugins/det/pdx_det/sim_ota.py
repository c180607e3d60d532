"""SimOTA: which cells answer for which box, decided by what the network predicts (Ge et al., "YOLOX", 2021).

In the form of PicoDet, whose cost is a varifocal loss plus an overlap loss. Numpy, one image at a time, no gradient.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

CENTRE_RADIUS = 2.5  # in cells
CANDIDATES = 10  # overlaps that are added up to find how many cells a box gets
OVERLAP_WEIGHT = 6.0
OUTSIDE_COST = 1e8  # for cells that are not both in the box and near its centre
_TINY = 1e-10


class Assignment(NamedTuple):
    """The positives of one image; every other cell is background."""

    cells: np.ndarray  # int64 [P], increasing
    boxes: np.ndarray  # int64 [P], index of the ground-truth box of each
    counts: np.ndarray  # int64 [G], cells each box asked for


def assign(
    scores: np.ndarray,
    predicted: np.ndarray,
    centres: np.ndarray,
    strides: np.ndarray,
    boxes: np.ndarray,
    labels: np.ndarray,
) -> Assignment:
    """Assign cells to boxes.

    scores:    float32 [M, K], probabilities
    predicted: float32 [M, 4] x1 y1 x2 y2 in input pixels
    centres:   float32 [M, 2] x y of the cells in input pixels; strides: float32 [M]
    boxes:     float32 [G, 4]; labels: int [G]
    """
    none = np.zeros(0, np.int64)
    if not len(boxes):
        return Assignment(none, none, none)
    in_box, near = _inside(centres, strides, boxes)
    valid = np.flatnonzero(in_box.any(axis=1) | near.any(axis=1))
    if not len(valid):
        return Assignment(none, none, np.zeros(len(boxes), np.int64))
    overlap, generalised = _overlaps(predicted[valid], boxes)  # [V, G]
    cost = _varifocal_cost(scores[valid], overlap, labels) + OVERLAP_WEIGHT * (1.0 - generalised)
    cost += OUTSIDE_COST * ~(in_box & near)[valid]
    largest = -np.sort(-overlap, axis=0)[:CANDIDATES]
    counts = np.maximum(largest.sum(axis=0).astype(np.int64), 1)
    matched = np.zeros(cost.shape, bool)
    for box, count in enumerate(counts):
        matched[np.argsort(cost[:, box], kind="stable")[:count], box] = True
    contested = np.flatnonzero(matched.sum(axis=1) > 1)
    matched[contested] = False
    matched[contested, cost[contested].argmin(axis=1)] = True
    rows, chosen = np.nonzero(matched)
    return Assignment(valid[rows], chosen, counts)


def _inside(centres: np.ndarray, strides: np.ndarray, boxes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Whether each centre is strictly inside each box, and near the middle of that box: two bool [M, G]."""
    in_box = ((centres[:, None] > boxes[None, :, :2]) & (centres[:, None] < boxes[None, :, 2:])).all(axis=-1)
    middle = (boxes[:, :2] + boxes[:, 2:]) / 2
    distance = np.abs(centres[:, None] - middle[None])  # [M, G, 2]
    return in_box, (distance < CENTRE_RADIUS * strides[:, None, None]).all(axis=-1)


def _overlaps(first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """IoU and generalised IoU of every pair: [V, 4], [G, 4] -> two float32 [V, G]."""
    first, second = first[:, None], second[None]
    shared = (np.minimum(first[..., 2:], second[..., 2:]) - np.maximum(first[..., :2], second[..., :2])).clip(min=0)
    overlap = shared.prod(axis=-1)
    union = (first[..., 2:] - first[..., :2]).prod(-1) + (second[..., 2:] - second[..., :2]).prod(-1) - overlap
    hull = np.maximum(first[..., 2:], second[..., 2:]) - np.minimum(first[..., :2], second[..., :2])
    hull_area = hull.prod(axis=-1)
    iou = overlap / np.maximum(union, _TINY)
    return iou, iou - (hull_area - union) / np.maximum(hull_area, _TINY)


def _varifocal_cost(scores: np.ndarray, overlap: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Varifocal loss of the probabilities of a cell if it had the class and the overlap of each box: [V, G].

    All classes but one have the target zero, so their sum is computed once.
    """
    scores = scores.astype(np.float32).clip(1e-12, 1.0)
    against = -np.log((1.0 - scores).clip(min=1e-12)) * 0.75 * scores**2  # [V, K]
    own = scores[:, labels]  # [V, G]
    entropy = -(overlap * np.log(own) + (1.0 - overlap) * np.log((1.0 - own).clip(min=1e-12)))
    matching = np.where(overlap > 0, overlap * entropy, against[:, labels])
    return against.sum(axis=1, keepdims=True) - against[:, labels] + matching
