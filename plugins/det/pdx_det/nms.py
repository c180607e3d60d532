"""Non-maximum suppression as tensor functions that run eagerly and export with the network.

Rows are label, score, x1, y1, x2, y2. Nothing found in a batch gives zero rows.
"""

from __future__ import annotations

from pdx_core.errors import ConfigError
from pdx_core.paddle_support import require_paddle

require_paddle()

import paddle  # noqa: E402
from paddle import _C_ops  # noqa: E402


def multiclass_nms(
    boxes: paddle.Tensor,
    scores: paddle.Tensor,
    *,
    score_threshold: float,
    iou_threshold: float,
    pre_top_k: int = -1,
    keep_top_k: int = 100,
    background: int = -1,
    normalized: bool = True,
    boxes_num: paddle.Tensor | None = None,
) -> tuple[paddle.Tensor, paddle.Tensor, paddle.Tensor]:
    """Class by class greedy suppression, then the best `keep_top_k` rows of each image.

    boxes:      float32 [N, M, 4], or [n, K, 4] with a box per class when `boxes_num` is given
    scores:     float32 [N, K, M], or [n, K]
    pre_top_k:  candidates kept per class before suppression; -1 keeps all
    background: column of `scores` that is no class; -1 for none
    normalized: False counts a pixel more in each side, as some releases do
    boxes_num:  int32 [N], rows of each image in the second form
    returns:    rows float32 [r, 6], index int32 [r, 1] into the flattened boxes, rows per image int32 [N]
    """
    attributes = {
        "score_threshold": score_threshold,
        "nms_top_k": pre_top_k,
        "keep_top_k": keep_top_k,
        "nms_threshold": iou_threshold,
        "normalized": normalized,
        "nms_eta": 1.0,
        "background_label": background,
    }
    if paddle.in_dynamic_mode() or paddle.framework.in_pir_mode():
        order = (
            "score_threshold",
            "nms_top_k",
            "keep_top_k",
            "nms_threshold",
            "normalized",
            "nms_eta",
            "background_label",
        )
        rows, index, count = _C_ops.multiclass_nms3(boxes, scores, boxes_num, *(attributes[name] for name in order))
    else:
        rows, index, count = _append_multiclass_nms(boxes, scores, boxes_num, attributes)
    return rows.reshape([-1, 6]), index, count


def _append_multiclass_nms(boxes, scores, boxes_num, attributes):
    """The same operator in the older static graph, which has no function for it."""
    from paddle.base.layer_helper import LayerHelper

    helper = LayerHelper("multiclass_nms3")
    rows = helper.create_variable_for_type_inference(dtype=boxes.dtype)
    index = helper.create_variable_for_type_inference(dtype="int32")
    count = helper.create_variable_for_type_inference(dtype="int32")
    inputs = {"BBoxes": boxes, "Scores": scores}
    if boxes_num is not None:
        inputs["RoisNum"] = boxes_num
    outputs = {"Out": rows, "Index": index, "NmsRoisNum": count}
    helper.append_op(type="multiclass_nms3", inputs=inputs, attrs=attributes, outputs=outputs)
    for tensor in (rows, index, count):
        tensor.stop_gradient = True
    return rows, index, count


def matrix_nms(
    boxes: paddle.Tensor,
    scores: paddle.Tensor,
    *,
    score_threshold: float,
    post_threshold: float,
    pre_top_k: int = -1,
    keep_top_k: int = 100,
    gaussian: bool = False,
    sigma: float = 2.0,
    background: int = -1,
    normalized: bool = True,
) -> tuple[paddle.Tensor, paddle.Tensor]:
    """Suppression by decaying scores all at once (Matrix NMS, Wang et al. 2020).

    boxes:   float32 [N, M, 4]
    scores:  float32 [N, K, M]
    returns: rows float32 [r, 6], rows per image int32 [N]
    """
    rows, count, _ = paddle.vision.ops.matrix_nms(  # the third is the index, which is None here
        boxes,
        scores,
        score_threshold=score_threshold,
        post_threshold=post_threshold,
        nms_top_k=pre_top_k,
        keep_top_k=keep_top_k,
        use_gaussian=gaussian,
        gaussian_sigma=sigma,
        background_label=background,
        normalized=normalized,
        return_index=False,
        return_rois_num=True,
    )
    return rows.reshape([-1, 6]), count


def soft_nms(
    boxes: paddle.Tensor,
    scores: paddle.Tensor,
    *,
    score_threshold: float,
    sigma: float = 0.5,
    pre_top_k: int = -1,
    keep_top_k: int = 100,
    normalized: bool = True,
) -> tuple[paddle.Tensor, paddle.Tensor]:
    """Suppression that lowers the scores of overlapping boxes by exp(-iou^2 / sigma) (Bodla et al. 2017).

    All classes of all images go through one loop side by side: each turn takes the best box of every class.

    boxes:     float32 [N, M, 4], or [N, K, M, 4] with a box for each class
    scores:    float32 [N, K, M]
    pre_top_k: candidates of each class; -1 keeps all
    returns:   rows float32 [r, 6] sorted by image and falling score, rows per image int32 [N]
    """
    live, order = paddle.topk(scores, at_most(pre_top_k, scores, axis=2), axis=2)  # [N, K, C]
    place = [paddle.cumsum(paddle.ones_like(order), axis=axis) - 1 for axis in range(len(boxes.shape) - 2)]
    corners = paddle.gather_nd(boxes, paddle.stack([*place, order], axis=-1))  # [N, K, C, 4]
    live = paddle.where(live > score_threshold, live, paddle.zeros_like(live))
    extra = 0.0 if normalized else 1.0
    sides = corners[..., 2:] - corners[..., :2] + extra
    areas = sides[..., 0] * sides[..., 1]

    def unfinished(live, final):
        return live.max() > 0

    def turn(live, final):
        best = paddle.nn.functional.one_hot(live.argmax(axis=-1), live.shape[-1]).astype(live.dtype)  # [N, K, C]
        final = final + best * live
        winner = (corners * best.unsqueeze(-1)).sum(axis=2, keepdim=True)  # [N, K, 1, 4]
        shared = paddle.minimum(corners[..., 2:], winner[..., 2:]) - paddle.maximum(corners[..., :2], winner[..., :2])
        shared = (shared + extra).clip(min=0)
        overlap = shared[..., 0] * shared[..., 1]
        iou = overlap / (areas + (areas * best).sum(axis=-1, keepdim=True) - overlap).clip(min=1e-10)
        live = live * paddle.exp(-(iou**2) / sigma) * (1.0 - best)
        return paddle.where(live > score_threshold, live, paddle.zeros_like(live)), final

    _, final = paddle.static.nn.while_loop(unfinished, turn, [live, paddle.zeros_like(live)])
    final = final.flatten(1)  # [N, K * C]
    best_scores, chosen = paddle.topk(final, at_most(keep_top_k, final, axis=1), axis=1)  # [N, k]
    label = (chosen // live.shape[-1]).astype(boxes.dtype)
    image = paddle.cumsum(paddle.ones_like(chosen), axis=0) - 1
    box = paddle.gather_nd(corners.flatten(1, 2), paddle.stack([image, chosen], axis=-1))  # [N, k, 4]
    rows = paddle.concat([label.unsqueeze(-1), best_scores.unsqueeze(-1), box], axis=-1)
    found = best_scores > 0
    return paddle.gather_nd(rows, paddle.nonzero(found)), found.astype("int32").sum(axis=1).astype("int32")


def by_image(values: paddle.Tensor, counts: paddle.Tensor) -> paddle.Tensor:
    """Rows of all images, one after the other, as a block for each image: [r, ...] -> [N, P, ...].

    counts: int32 [N], rows of each image; P is the largest. Blocks of images with fewer rows end in zeros.
    """
    counts = counts.astype("int64")
    position = paddle.arange(0, counts.max(), 1, dtype="int64").unsqueeze(0)  # [1, P]
    row = (paddle.cumsum(counts) - counts).unsqueeze(1) + position  # [N, P]
    known = position < counts.unsqueeze(1)
    blocks = paddle.gather_nd(values, paddle.where(known, row, paddle.zeros_like(row)).unsqueeze(-1))
    return blocks * known.astype(values.dtype).reshape([0, 0, *[1] * (len(values.shape) - 1)])


def at_most(limit: int, tensor: paddle.Tensor, axis: int) -> int | paddle.Tensor:
    """The smaller of `limit` and the size of an axis, which a graph for inputs of any size does not know yet."""
    size = tensor.shape[axis]
    if not isinstance(size, int) or size < 0:
        size = paddle.shape(tensor)[axis].astype("int32")
        return size if limit < 0 else size.clip(max=limit)
    return size if limit < 0 else min(limit, size)


class Suppression:
    """The way a one-stage head ends: one of the suppressions with its settings.

    nms_kind:        "greedy", "matrix" (linear decay) or "soft" (Gaussian)
    score_threshold: candidates are above it; for "matrix" and "soft" it also holds after the scores were lowered
    nms_iou:         for "greedy" only
    pre_top_k:       candidates kept per class before suppression; -1 keeps all
    keep_top_k:      boxes kept per image
    max_places:      candidates kept over all classes, those with the highest score of any class; -1 keeps all
    normalized:      False counts a pixel more in each side, as some releases do
    background:      column of the scores that is no class, the last; -1 for none

    The releases have no `max_places`. It cannot change a row whose score is above the best score of the places left
    out, since no box is suppressed by a worse one: rows differ only where more than `max_places` places pass the
    threshold and fewer than `keep_top_k` boxes survive among the best of them. Without it, suppression takes longer
    than the network as long as the scores of a detector are still undecided.
    """

    KINDS = ("greedy", "matrix", "soft")

    def __init__(
        self,
        nms_kind: str = "greedy",
        score_threshold: float = 0.01,
        nms_iou: float = 0.45,
        pre_top_k: int = 1000,
        keep_top_k: int = 100,
        max_places: int = 1000,
        normalized: bool = True,
        background: int = -1,
    ) -> None:
        if nms_kind not in self.KINDS:
            raise ConfigError(f"no suppression named {nms_kind!r}; choose {', '.join(self.KINDS)}")
        self.nms_kind = nms_kind
        self.score_threshold = score_threshold
        self.nms_iou = nms_iou
        self.pre_top_k = pre_top_k
        self.keep_top_k = keep_top_k
        self.max_places = max_places
        self.normalized = normalized
        self.background = background

    def __call__(self, boxes: paddle.Tensor, scores: paddle.Tensor) -> dict[str, paddle.Tensor]:
        """boxes [N, M, 4], scores [N, M, K] -> `bbox` float32 [r, 6], `bbox_num` int32 [N]."""
        boxes, scores = self._best_places(boxes, scores)
        scores = scores.transpose([0, 2, 1])  # [N, K, m]
        shared = {
            "score_threshold": self.score_threshold,
            "pre_top_k": self.pre_top_k,
            "keep_top_k": self.keep_top_k,
            "normalized": self.normalized,
        }
        if self.nms_kind == "matrix":
            rows, count = matrix_nms(
                boxes, scores, post_threshold=self.score_threshold, background=self.background, **shared
            )
        elif self.nms_kind == "soft":
            if self.background >= 0:  # always the last column
                scores = scores[:, : self.background]
            rows, count = soft_nms(boxes, scores, **shared)
        else:
            rows, _, count = multiclass_nms(
                boxes, scores, iou_threshold=self.nms_iou, background=self.background, **shared
            )
        return {"bbox": rows, "bbox_num": count}

    def _best_places(self, boxes: paddle.Tensor, scores: paddle.Tensor) -> tuple[paddle.Tensor, paddle.Tensor]:
        if self.max_places < 0:
            return boxes, scores
        count = at_most(self.max_places, scores, axis=1)
        foreground = scores if self.background < 0 else scores[:, :, : self.background]
        _, chosen = paddle.topk(foreground.max(axis=2), count, axis=1)  # [N, m]
        image = paddle.cumsum(paddle.ones_like(chosen), axis=0) - 1
        index = paddle.stack([image, chosen], axis=-1)  # [N, m, 2]
        return paddle.gather_nd(boxes, index), paddle.gather_nd(scores, index)
