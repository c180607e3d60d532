"""The losses of YOLOv3 and PP-YOLO, level by level. Every term is a sum over an image, averaged over the batch.

Sums over positives are taken at the positives only; a dense target tensor would be zero everywhere else.
"""

from __future__ import annotations

from pdx_core.paddle_support import require_paddle

require_paddle()

import paddle  # noqa: E402
import paddle.nn.functional as F  # noqa: E402
from paddle import Tensor  # noqa: E402

from pdx_det import boxes  # noqa: E402


def place_loss(predicted: Tensor, offset: Tensor, sharpness: float) -> Tensor:
    """Of the centre within its cell: [P, 2] logits, [P, 2] targets -> [P].

    Cross entropy as in YOLOv3; with PP-YOLO's widened sigmoid, whose range exceeds 0..1, the absolute error.
    """
    if sharpness == 1.0:
        return F.binary_cross_entropy_with_logits(predicted, offset, reduction="none").sum(-1)
    return (cell_offset(predicted, sharpness) - offset).abs().sum(-1)


def cell_offset(logits: Tensor, sharpness: float) -> Tensor:
    """Centre within its cell, 0..1, or a little beyond when `sharpness` (scale_x_y of the release) is above 1."""
    return sharpness * F.sigmoid(logits) - 0.5 * (sharpness - 1.0)


def class_loss(logits: Tensor, classes: Tensor, smooth: bool) -> Tensor:
    """Of the classes at positives: [P, K] logits, [P, K] of 0 and 1 -> [P]."""
    if smooth:
        amount = min(1.0 / classes.shape[-1], 1.0 / 40)
        classes = classes * (1.0 - 2 * amount) + amount
    return F.binary_cross_entropy_with_logits(logits, classes, reduction="none").sum(-1)


def objectness_loss(logits: Tensor, weight: Tensor, overlap: Tensor, ignore_iou: float) -> Tensor:
    """Of the objectness everywhere.

    logits:  [N, M]
    weight:  [N, M], of the positive in that place; zero elsewhere
    overlap: [N, M], largest IoU of the predicted box with a ground-truth box; above `ignore_iou` a place without
             target is left out
    returns: [N]
    """
    target = (weight > 0).astype(logits.dtype)
    loss = F.binary_cross_entropy_with_logits(logits, target, reduction="none")
    counted = weight + (1.0 - target) * (overlap <= ignore_iou).astype(logits.dtype)
    return (loss * counted).sum(-1)


def overlap_loss(predicted: Tensor, target: Tensor) -> Tensor:
    """1 - IoU^2 of boxes pair by pair: [P, 4], [P, 4] -> [P]."""
    return 1.0 - boxes.aligned_iou(predicted, target) ** 2


def overlap_estimate_loss(logits: Tensor, predicted: Tensor, target: Tensor) -> Tensor:
    """Of the branch that guesses the IoU of its own box: [P] logits, [P, 4], [P, 4] -> [P]."""
    with paddle.no_grad():
        truth = boxes.aligned_iou(predicted, target)
    return F.binary_cross_entropy_with_logits(logits, truth, reduction="none")
