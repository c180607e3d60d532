"""Which anchor or region answers for which annotated box, and which of them are trained on.

Everything here carries no gradient.
"""

from __future__ import annotations

from pdx_core.paddle_support import require_paddle

require_paddle()

import paddle  # noqa: E402
from paddle import Tensor  # noqa: E402

from pdx_det.boxes import pairwise_iou  # noqa: E402

FOREGROUND, BACKGROUND, IGNORED = 1, 0, -1


@paddle.no_grad()
def match_boxes(
    boxes: Tensor, truth: Tensor, foreground_iou: float, background_iou: float, keep_best: bool
) -> tuple[Tensor, Tensor]:
    """Match each box with the annotated box it overlaps most.

    boxes:     float32 [n, 4]; truth: float32 [g, 4], g may be 0
    keep_best: the boxes that overlap an annotation most are foreground whatever the overlap (RPN, RetinaNet)
    returns:   index into truth int64 [n] (0 where g is 0), and int64 [n] of FOREGROUND, BACKGROUND or IGNORED
    """
    count = boxes.shape[0]
    if truth.shape[0] == 0:
        return paddle.zeros([count], dtype="int64"), paddle.full([count], BACKGROUND, dtype="int64")
    overlaps = pairwise_iou(truth, boxes)  # [g, n]
    best = overlaps.max(axis=0)  # [n]
    index = overlaps.argmax(axis=0)  # [n]
    state = paddle.full([count], IGNORED, dtype="int64")
    state = paddle.where(best < background_iou, paddle.full_like(state, BACKGROUND), state)
    state = paddle.where(best >= foreground_iou, paddle.full_like(state, FOREGROUND), state)
    if keep_best:
        top = overlaps.max(axis=1, keepdim=True)  # [g, 1]
        is_top = ((overlaps > 0) & (overlaps == top)).astype("int32").sum(axis=0) > 0
        state = paddle.where(is_top, paddle.full_like(state, FOREGROUND), state)
    return index, state


@paddle.no_grad()
def sample(state: Tensor, count: int, foreground_fraction: float, at_random: bool = True) -> tuple[Tensor, Tensor]:
    """Choose at most `count` entries, at most that fraction of them foreground, the rest background.

    state:     int64 [n] as `match_boxes` gives it
    at_random: False takes the first ones, which makes a step repeatable
    returns:   int64 indices of the chosen foreground and of the chosen background
    """
    foreground = paddle.nonzero(state == FOREGROUND).flatten()
    background = paddle.nonzero(state == BACKGROUND).flatten()
    foreground_count = min(int(count * foreground_fraction), foreground.shape[0])
    background_count = min(count - foreground_count, background.shape[0])
    return _take(foreground, foreground_count, at_random), _take(background, background_count, at_random)


def _take(indices: Tensor, count: int, at_random: bool) -> Tensor:
    if count == indices.shape[0]:
        return indices
    if not at_random:
        return indices[:count]
    return indices.gather(paddle.randperm(indices.shape[0])[:count])
