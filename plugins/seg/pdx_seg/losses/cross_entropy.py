"""Cross-entropy over the pixels that are not ignored: all of them, or the hard ones only."""

from __future__ import annotations

from collections.abc import Sequence

from pdx_core.errors import ConfigError
from pdx_core.paddle_support import require_paddle

require_paddle()

import paddle  # noqa: E402
import paddle.nn.functional as F  # noqa: E402
from paddle import Tensor, nn  # noqa: E402

from pdx_seg.labels import IGNORE  # noqa: E402

_TINY = 1e-12  # instead of a division by zero where every pixel is ignored; the loss is then 0


class CrossEntropy(nn.Layer):
    """The mean over pixels, weighted by the pixel's class where weights are given.

    class_weights:   one number per class; () for none. A mean does not change when all are multiplied by one factor
    label_smoothing: share of the target spread evenly over all classes
    """

    def __init__(self, num_classes: int, class_weights: Sequence[float] = (), label_smoothing: float = 0.0) -> None:
        super().__init__()
        self._weights = class_weight_tensor(num_classes, class_weights)
        self._smoothing = label_smoothing

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        """logits float32 [N, K, H, W], labels int64 [N, H, W] -> scalar."""
        losses = pixel_losses(logits, labels)  # [N, H, W], 0 where ignored
        if self._smoothing:
            log_scores = F.log_softmax(logits, axis=1).mean(axis=1)  # [N, H, W]
            even = -log_scores * (labels != IGNORE).astype(losses.dtype)
            losses = losses * (1 - self._smoothing) + even * self._smoothing
        shares = pixel_shares(labels, self._weights)
        return (losses * shares).sum() / shares.sum().clip(min=_TINY)


class OhemCrossEntropy(nn.Layer):
    """Online hard example mining (Shrivastava et al., 2016): the mean over pixels that are not yet sure.

    threshold: a pixel counts while the score of its true class is below it
    min_kept:  at least so many pixels of the batch count, the hardest, or all when there are fewer
    """

    def __init__(
        self,
        num_classes: int,
        threshold: float = 0.7,
        min_kept: int = 10000,
        class_weights: Sequence[float] = (),
    ) -> None:
        super().__init__()
        self._weights = class_weight_tensor(num_classes, class_weights)
        self._threshold = threshold
        self._min_kept = min_kept

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        losses = pixel_losses(logits, labels)
        shares = pixel_shares(labels, self._weights)
        shares = shares * self._hard(losses.detach(), labels).astype(shares.dtype)
        return (losses * shares).sum() / shares.sum().clip(min=_TINY)

    def _hard(self, losses: Tensor, labels: Tensor) -> Tensor:
        """bool [N, H, W]."""
        valid = labels != IGNORE
        scores = paddle.where(valid, paddle.exp(-losses), paddle.full_like(losses, 2.0))  # ignored ones come last
        hard = scores < self._threshold
        kept = min(self._min_kept, int(valid.sum()))
        if kept and int(hard.sum()) < kept:
            limit = paddle.topk(scores.flatten(), kept, largest=False)[0][-1]
            hard = scores <= limit
        return hard & valid


def pixel_losses(logits: Tensor, labels: Tensor) -> Tensor:
    """-log of the true class's score at each pixel, float32 [N, H, W]; 0 where the label is IGNORE."""
    losses = F.cross_entropy(logits.astype("float32"), labels, ignore_index=IGNORE, reduction="none", axis=1)
    return losses.reshape(labels.shape)


def pixel_shares(labels: Tensor, weights: Tensor | None) -> Tensor:
    """float32 [N, H, W]: how much each pixel counts; 0 where the label is IGNORE."""
    valid = labels != IGNORE
    if weights is None:
        return valid.astype("float32")
    known = paddle.where(valid, labels, paddle.zeros_like(labels))
    return paddle.gather(weights, known.flatten()).reshape(labels.shape) * valid.astype("float32")


def class_weight_tensor(num_classes: int, weights: Sequence[float]) -> Tensor | None:
    """float32 [K], or None for (). Raises ConfigError for another number than one per class."""
    if not weights:
        return None
    if len(weights) != num_classes:
        raise ConfigError(
            f"Model.head.losses: class_weights has {len(weights)} numbers for {num_classes} classes; give one per class"
        )
    return paddle.to_tensor([float(weight) for weight in weights], dtype="float32")
