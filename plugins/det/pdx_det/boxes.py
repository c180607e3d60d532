"""Geometry of boxes, as tensor functions: overlaps, their losses, and the coding of regression targets.

Boxes are float32 x1 y1 x2 y2 in pixels with w = x2 - x1; nothing here adds one to a width.
"""

from __future__ import annotations

import math

from pdx_core.paddle_support import require_paddle

require_paddle()

import paddle  # noqa: E402

# The size change is capped at 1000 / 16, the largest box over the smallest anchor, to keep exp finite (R-CNN releases).
MAX_LOG_SCALE = math.log(1000.0 / 16.0)
_TINY = 1e-10


def area(boxes: paddle.Tensor) -> paddle.Tensor:
    """Areas of boxes [..., 4] -> [...]; negative sides count as zero."""
    return (boxes[..., 2] - boxes[..., 0]).clip(min=0) * (boxes[..., 3] - boxes[..., 1]).clip(min=0)


def pairwise_iou(first: paddle.Tensor, second: paddle.Tensor) -> paddle.Tensor:
    """Intersection over union of every pair: [..., n, 4], [..., m, 4] -> [..., n, m]; zero where both are empty."""
    overlap = _intersection(first.unsqueeze(-2), second.unsqueeze(-3))
    union = area(first).unsqueeze(-1) + area(second).unsqueeze(-2) - overlap
    return paddle.where(overlap > 0, overlap / union.clip(min=_TINY), paddle.zeros_like(overlap))


def aligned_iou(first: paddle.Tensor, second: paddle.Tensor) -> paddle.Tensor:
    """Intersection over union of boxes pair by pair: [..., 4], [..., 4] -> [...]."""
    overlap = _intersection(first, second)
    return overlap / (area(first) + area(second) - overlap + _TINY)


def _intersection(first: paddle.Tensor, second: paddle.Tensor) -> paddle.Tensor:
    left_top = paddle.maximum(first[..., :2], second[..., :2])
    right_bottom = paddle.minimum(first[..., 2:], second[..., 2:])
    sides = (right_bottom - left_top).clip(min=0)
    return sides[..., 0] * sides[..., 1]


def giou(first: paddle.Tensor, second: paddle.Tensor) -> paddle.Tensor:
    """Generalised IoU pair by pair (Rezatofighi et al. 2019): [..., 4], [..., 4] -> [...], in (-1, 1]."""
    overlap = _intersection(first, second)
    union = area(first) + area(second) - overlap + _TINY
    hull = _hull_sides(first, second)
    hull_area = hull[..., 0] * hull[..., 1] + _TINY
    return overlap / union - (hull_area - union) / hull_area


def diou(first: paddle.Tensor, second: paddle.Tensor, complete: bool = False) -> paddle.Tensor:
    """Distance IoU, or complete IoU, pair by pair (Zheng et al. 2020): [..., 4], [..., 4] -> [...].

    Complete IoU also compares aspect ratios; its trade-off factor carries no gradient, as in the paper.
    """
    overlap_ratio = aligned_iou(first, second)
    hull = _hull_sides(first, second)
    diagonal = (hull**2).sum(-1) + _TINY
    centre_offset = (first[..., :2] + first[..., 2:] - second[..., :2] - second[..., 2:]) / 2
    value = overlap_ratio - (centre_offset**2).sum(-1) / diagonal
    if not complete:
        return value
    difference = _aspect_angle(second) - _aspect_angle(first)
    aspect = difference**2 * (4 / math.pi**2)
    factor = (aspect / (1 + _TINY - overlap_ratio + aspect)).detach()
    return value - factor * aspect


def _hull_sides(first: paddle.Tensor, second: paddle.Tensor) -> paddle.Tensor:
    """Width and height of the smallest box around each pair: [..., 2]."""
    return paddle.maximum(first[..., 2:], second[..., 2:]) - paddle.minimum(first[..., :2], second[..., :2])


def _aspect_angle(boxes: paddle.Tensor) -> paddle.Tensor:
    width = boxes[..., 2] - boxes[..., 0]
    height = boxes[..., 3] - boxes[..., 1]
    return paddle.atan(width / (height + _TINY))


def encode(boxes: paddle.Tensor, anchors: paddle.Tensor, weights: tuple[float, ...] = (1.0, 1.0, 1.0, 1.0)):
    """Regression targets of boxes relative to anchors (R-CNN parametrisation).

    boxes, anchors: [..., 4] x1 y1 x2 y2
    returns:        [..., 4] (dx, dy, log dw, log dh), each times its weight
    """
    anchor_size = anchors[..., 2:] - anchors[..., :2]
    box_size = boxes[..., 2:] - boxes[..., :2]
    anchor_centre = anchors[..., :2] + 0.5 * anchor_size
    box_centre = boxes[..., :2] + 0.5 * box_size
    shift = (box_centre - anchor_centre) / anchor_size
    scale = paddle.log(box_size / anchor_size)
    return paddle.concat([shift, scale], axis=-1) * paddle.to_tensor(weights, dtype=shift.dtype)


def decode(deltas: paddle.Tensor, anchors: paddle.Tensor, weights: tuple[float, ...] = (1.0, 1.0, 1.0, 1.0)):
    """Boxes from regression output; the inverse of `encode` with the size change capped at 1000 / 16.

    deltas:  [n, k * 4] or [n, k, 4], (dx, dy, log dw, log dh) for k classes
    anchors: [n, 4] x1 y1 x2 y2
    returns: [n, k, 4] x1 y1 x2 y2, not clipped
    """
    deltas = deltas.reshape([deltas.shape[0], -1, 4]) / paddle.to_tensor(weights, dtype=deltas.dtype)  # [n, k, 4]
    size = (anchors[:, 2:] - anchors[:, :2]).unsqueeze(1)  # [n, 1, 2]
    centre = anchors[:, :2].unsqueeze(1) + 0.5 * size
    new_centre = deltas[..., :2] * size + centre
    half = 0.5 * paddle.exp(deltas[..., 2:].clip(max=MAX_LOG_SCALE)) * size
    return paddle.concat([new_centre - half, new_centre + half], axis=-1)


def clip(boxes: paddle.Tensor, im_shape: paddle.Tensor) -> paddle.Tensor:
    """Boxes [..., 4] clipped to an image of height and width `im_shape` [2] (a broadcastable [..., 2] works too)."""
    limit = paddle.concat([im_shape[..., 1:2], im_shape[..., 0:1]] * 2, axis=-1)
    return paddle.minimum(boxes.clip(min=0), limit.astype(boxes.dtype))


def to_original(boxes: paddle.Tensor, scale_factor: paddle.Tensor) -> paddle.Tensor:
    """Boxes [N, M, 4] in pixels of the network input -> pixels of the original; `scale_factor` [N, 2] y, x."""
    factor = paddle.concat([scale_factor[:, 1:2], scale_factor[:, 0:1]] * 2, axis=-1)  # [N, 4]
    return boxes / factor.unsqueeze(1)
