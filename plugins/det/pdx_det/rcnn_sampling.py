"""Regions that a box head is trained on: proposals plus annotations, matched and sampled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import attrs

from pdx_core.paddle_support import require_paddle

require_paddle()

import paddle  # noqa: E402
from paddle import Tensor  # noqa: E402

from pdx_det.matching import FOREGROUND, match_boxes, sample  # noqa: E402


@attrs.frozen
class Annotation:
    """What is known about one image.

    boxes:  float32 [g, 4] in input pixels
    labels: int64 [g]
    rows:   int64 [g], where each of them is in the padded targets
    """

    boxes: Tensor
    labels: Tensor
    rows: Tensor


@attrs.frozen
class Regions:
    """Regions of a batch, image after image, with their targets.

    boxes:   float32 [r, 4]
    counts:  int32 [N]
    labels:  int64 [r], the number of classes for background
    targets: float32 [r, 4], matched annotation; of no meaning for background
    matched: int64 [r], row of that annotation in the image's padded targets (`gt_boxes`)
    """

    boxes: Tensor
    counts: Tensor
    labels: Tensor
    targets: Tensor
    matched: Tensor


def annotations(targets: Mapping[str, Tensor]) -> list[Annotation]:
    """The real boxes of each image out of the padded targets of `Task.collate`; crowds are left out."""
    found = []
    for boxes, labels, crowd in zip(targets["gt_boxes"], targets["gt_labels"], targets["gt_crowd"], strict=True):
        kept = paddle.nonzero((labels >= 0) & (crowd == 0)).flatten()
        if kept.shape[0] == 0:
            found.append(Annotation(paddle.zeros([0, 4]), kept, kept))
        else:
            found.append(Annotation(boxes.gather(kept), labels.gather(kept).astype("int64"), kept))
    return found


@paddle.no_grad()
def sample_regions(
    boxes: Sequence[Tensor],
    truth: Sequence[Annotation],
    num_classes: int,
    *,
    foreground_iou: float = 0.5,
    count: int | None = 512,
    foreground_fraction: float = 0.25,
    add_truth: bool = True,
    at_random: bool = True,
) -> Regions:
    """Match the regions of each image with its annotations and choose those to train on.

    boxes: per image, float32 [r_i, 4]
    count: chosen per image; None keeps them all (later stages of a cascade)
    """
    parts: list[tuple[Tensor, ...]] = []
    for proposals, known in zip(boxes, truth, strict=True):
        if add_truth and known.boxes.shape[0]:
            proposals = paddle.concat([proposals, known.boxes])
        matched, state = match_boxes(proposals, known.boxes, foreground_iou, foreground_iou, keep_best=False)
        if count is not None:
            chosen = paddle.concat(sample(state, count, foreground_fraction, at_random))
            proposals, matched, state = proposals.gather(chosen), matched.gather(chosen), state.gather(chosen)
        labels = paddle.full_like(state, num_classes)
        targets = proposals
        if known.boxes.shape[0]:
            labels = paddle.where(state == FOREGROUND, known.labels.gather(matched), labels)
            targets = known.boxes.gather(matched)
            matched = known.rows.gather(matched)
        parts.append((proposals, labels, targets, matched))
    counts = paddle.to_tensor([part[0].shape[0] for part in parts], dtype="int32")
    joined = [paddle.concat(column) for column in zip(*parts, strict=True)]
    return Regions(boxes=joined[0], counts=counts, labels=joined[1], targets=joined[2], matched=joined[3])
