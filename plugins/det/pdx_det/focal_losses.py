"""Losses for many easy negatives: focal, varifocal, and the focal loss of a distribution."""

from __future__ import annotations

from pdx_core.paddle_support import require_paddle

require_paddle()

import paddle.nn.functional as F  # noqa: E402
from paddle import Tensor  # noqa: E402


def focal_loss(logits: Tensor, target: Tensor, alpha: float = 0.25, gamma: float = 2.0) -> Tensor:
    """Sum of the focal loss (Lin et al. 2017) over everything; `target` holds 0 and 1 and has the shape of `logits`."""
    entropy = F.binary_cross_entropy_with_logits(logits, target, reduction="none")
    probability = F.sigmoid(logits)
    miss = probability + target - 2.0 * probability * target  # 1 - p where the target is 1, p where it is 0
    weight = alpha * target + (1.0 - alpha) * (1.0 - target)
    return (weight * miss**gamma * entropy).sum()


def varifocal_loss(logits: Tensor, target: Tensor, alpha: float = 0.75) -> Tensor:
    """Sum of the varifocal loss (Zhang et al. 2021) over everything.

    target: of the shape of `logits`; the overlap with the box at positives, zero elsewhere. Negatives weigh
    alpha * p^2, and that weight carries gradient, as in Paddle's release.
    """
    entropy = F.binary_cross_entropy_with_logits(logits, target, reduction="none")
    negative = (target <= 0).astype(logits.dtype)
    return (entropy * (target + alpha * F.sigmoid(logits) ** 2 * negative)).sum()


def distribution_focal_loss(logits: Tensor, target: Tensor) -> Tensor:
    """Cross entropy on the two bins around a target (Li et al. 2020).

    logits: [..., bins]; target: [...], from 0 to less than bins - 1; returns [...]
    """
    left = target.floor()
    share = target - left
    log_probability = F.log_softmax(logits, axis=-1)
    bins = logits.shape[-1]
    at_left = F.one_hot(left.astype("int64"), bins)
    at_right = F.one_hot(left.astype("int64") + 1, bins)
    weights = at_left * (1.0 - share).unsqueeze(-1) + at_right * share.unsqueeze(-1)
    return -(weights * log_probability).sum(axis=-1)
