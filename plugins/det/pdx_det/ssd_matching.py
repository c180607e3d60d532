"""Which prior answers for which box in SSD, and which background priors count (no gradient)."""

from __future__ import annotations

from pdx_core.paddle_support import require_paddle

require_paddle()

import paddle  # noqa: E402
from paddle import Tensor  # noqa: E402

from pdx_det.boxes import pairwise_iou  # noqa: E402


@paddle.no_grad()
def match_priors(
    priors: Tensor, boxes: Tensor, labels: Tensor, background: int, overlap: float
) -> tuple[Tensor, Tensor]:
    """Box and label of each prior of one image.

    A prior takes the box it overlaps most, from `overlap` on; and the prior that overlaps a box most takes that box in
    any case, the later one of two boxes with the same prior. The first prior is always background: so it is in Paddle's
    release, as a consequence of how it pads boxes, and it is kept for equal losses.

    priors:  float32 [M, 4]; boxes: float32 [G, 4], both normalised corners, G may be 0
    labels:  int64 [G]
    returns: float32 [M, 4], int64 [M]
    """
    count = priors.shape[0]
    if boxes.shape[0] == 0:
        return paddle.zeros_like(priors), paddle.full([count], background, dtype="int64")
    overlaps = pairwise_iou(boxes, priors)  # [G, M]
    chosen = overlaps.argmax(axis=0)  # [M]
    own = labels.gather(chosen)
    own = paddle.where(overlaps.max(axis=0) < overlap, paddle.full_like(own, background), own)
    for box, prior in enumerate(overlaps.argmax(axis=1).tolist()):
        chosen[prior] = box
        own[prior] = labels[box]
    own[0] = background
    return boxes.gather(chosen), own


@paddle.no_grad()
def hard_negatives(losses: Tensor, labels: Tensor, background: int, ratio: float) -> Tensor:
    """Mask of the background priors with the largest loss, at most `ratio` of them for each positive of the image.

    losses: float32 [N, M]; labels: int64 [N, M]; returns float32 [N, M]
    """
    negative = (labels == background).astype(losses.dtype)
    rank = (losses * negative).argsort(axis=1, descending=True).argsort(axis=1)
    positives = (1.0 - negative).sum(axis=1, keepdim=True)
    return (rank.astype(losses.dtype) < ratio * positives).astype(losses.dtype) * negative
