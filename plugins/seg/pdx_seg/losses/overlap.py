"""Losses on the overlap of whole regions: Dice, and the Lovasz extension of intersection over union."""

from __future__ import annotations

from pdx_core.paddle_support import require_paddle

require_paddle()

import paddle  # noqa: E402
import paddle.nn.functional as F  # noqa: E402
from paddle import Tensor, nn  # noqa: E402

from pdx_seg.labels import IGNORE  # noqa: E402


class Dice(nn.Layer):
    """1 - 2 |P Y| / (|P| + |Y|) of each class over the batch (Milletari et al., 2016), mean over the classes there are.

    smooth: is added above and below, so that a class of few pixels does not jump between 0 and 1
    """

    def __init__(self, num_classes: int, smooth: float = 1.0) -> None:
        super().__init__()
        self._num_classes = num_classes
        self._smooth = smooth

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        """logits float32 [N, K, H, W], labels int64 [N, H, W] -> scalar."""
        scores, truth, valid = _by_class(logits, labels, self._num_classes)
        scores = scores * valid
        shared = (scores * truth).sum(axis=1)  # [K]
        pixels = truth.sum(axis=1)
        losses = 1 - (2 * shared + self._smooth) / (scores.sum(axis=1) + pixels + self._smooth)
        return _mean_of_present(losses, pixels)


class Lovasz(nn.Layer):
    """Lovasz-Softmax (Berman et al., 2018): a surrogate of the mean IoU, over the classes that the batch has."""

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        self._num_classes = num_classes

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        """logits float32 [N, K, H, W], labels int64 [N, H, W] -> scalar."""
        scores, truth, valid = _by_class(logits, labels, self._num_classes)
        # An ignored pixel has no error, stands last when errors are sorted, and so adds nothing.
        errors = (truth - scores).abs() * valid  # [K, P]
        order = paddle.argsort(errors.detach(), axis=1, descending=True)
        errors = paddle.take_along_axis(errors, order, axis=1)
        with paddle.no_grad():
            steps = _iou_steps(paddle.take_along_axis(truth, order, axis=1))
        return _mean_of_present((errors * steps).sum(axis=1), truth.sum(axis=1))


def _iou_steps(truth: Tensor) -> Tensor:
    """By how much 1 - IoU grows when the pixels of each row become wrong one after the other, float32 [K, P]."""
    pixels = truth.sum(axis=1, keepdim=True)
    shared = pixels - truth.cumsum(axis=1)
    union = pixels + (1 - truth).cumsum(axis=1)
    missed = 1 - shared / union
    return paddle.concat([missed[:, :1], missed[:, 1:] - missed[:, :-1]], axis=1)


def _by_class(logits: Tensor, labels: Tensor, num_classes: int) -> tuple[Tensor, Tensor, Tensor]:
    """Scores and truth of every class, float32 [K, P] over all P pixels of the batch, and float32 [1, P]: 0 if ignored.

    An ignored pixel is of no class.
    """
    scores = F.softmax(logits.astype("float32"), axis=1).transpose([1, 0, 2, 3]).flatten(1)  # [K, P]
    flat = labels.flatten().unsqueeze(0)  # [1, P]
    truth = (flat == paddle.arange(num_classes, dtype=flat.dtype).unsqueeze(1)).astype("float32")
    return scores, truth, (flat != IGNORE).astype("float32")


def _mean_of_present(losses: Tensor, pixels: Tensor) -> Tensor:
    """Mean of the losses [K] of classes that have pixels [K]; 0 without any."""
    present = (pixels > 0).astype(losses.dtype)
    return (losses * present).sum() / present.sum().clip(min=1.0)
