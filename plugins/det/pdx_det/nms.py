"""Non-maximum suppression as tensor functions that run eagerly and export with the network.

Rows are label, score, x1, y1, x2, y2. Nothing found in a batch gives zero rows.
"""

from __future__ import annotations

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
        order = ("score_threshold", "nms_top_k", "keep_top_k", "nms_threshold", "normalized", "nms_eta", "background_label")
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
