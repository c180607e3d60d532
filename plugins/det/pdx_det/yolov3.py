"""The head of YOLOv3 (Redmon & Farhadi 2018) and PP-YOLO (Long et al. 2020)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from pdx_core.contracts import DialectRules, FeatureSpec
from pdx_core.errors import ConfigError
from pdx_core.paddle_support import require_paddle

require_paddle()

import paddle  # noqa: E402
from paddle import Tensor, nn  # noqa: E402

from pdx_backbones.dialects import translate_parts  # noqa: E402
from pdx_det import boxes, yolo_losses  # noqa: E402
from pdx_det.nms import Suppression  # noqa: E402
from pdx_det.yolo_specs import COCO_ANCHORS  # noqa: E402
from pdx_det.yolo_targets import LevelTargets, assign_boxes  # noqa: E402

PRIOR_OBJECTNESS = 0.01


class YOLOv3Head(nn.Layer):
    """One 1x1 convolution per level: for each anchor x, y, log w, log h, objectness and a logit per class.

    anchors:          width and height in pixels, small to large; shared out evenly, the smallest to the finest level
    cell_sharpness:   scale_x_y of the release: 1.05 lets centres reach the border of their cell (PP-YOLO)
    iou_aware_factor: 0, or the share of the predicted IoU in the confidence: obj^(1-f) * iou^f (PP-YOLO)
    iou_loss_weight:  of 1 - IoU^2 beside the losses on x, y, w, h; 0 leaves it out
    confidence_threshold: boxes of a lower objectness are dropped before suppression
    The rest, `suppression`, is what `nms.Suppression` takes.

    Objectness starts at a probability of 0.01 instead of Paddle's 0.5, so that the first steps are not spent on
    silencing thousands of empty cells; loaded weights are not touched.
    """

    dialects: ClassVar[Mapping[str, DialectRules]] = {
        "PaddleDetection": translate_parts({"outputs": "yolo_output"}, prefix="yolo_head."),
    }

    def __init__(
        self,
        features: Sequence[FeatureSpec],
        num_classes: int,
        anchors: Sequence[Sequence[float]] = COCO_ANCHORS,
        cell_sharpness: float = 1.0,
        iou_aware_factor: float = 0.0,
        iou_loss_weight: float = 0.0,
        ignore_iou: float = 0.7,
        label_smooth: bool = False,
        confidence_threshold: float = 0.005,
        **suppression: Any,
    ) -> None:
        super().__init__()
        if not anchors or len(anchors) % len(features):
            raise ConfigError(
                f"{len(anchors)} anchors cannot be shared out evenly over {len(features)} levels; give a multiple"
            )
        per_level = len(anchors) // len(features)
        fields = 5 + num_classes + (iou_aware_factor > 0)
        self.outputs = nn.LayerList()  # coarsest level first, as in the released files
        for level in reversed(features):
            conv = nn.Conv2D(level.channels, per_level * fields, 1)
            bias = np.zeros(per_level * fields, np.float32)
            own = bias[per_level:] if iou_aware_factor > 0 else bias
            own.reshape(per_level, -1)[:, 4] = math.log(PRIOR_OBJECTNESS / (1 - PRIOR_OBJECTNESS))
            conv.bias.set_value(bias)
            self.outputs.append(conv)
        self.num_classes = num_classes
        self.anchors = np.array(anchors, np.float32)
        self._strides = tuple(level.stride for level in reversed(features))
        count = len(features)
        self._masks = tuple(tuple(range(per_level * i, per_level * (i + 1))) for i in reversed(range(count)))
        self._flat_anchors = [[round(side) for index in mask for side in anchors[index]] for mask in self._masks]
        self._sharpness = cell_sharpness
        self._iou_aware_factor = iou_aware_factor
        self._iou_loss_weight = iou_loss_weight
        self._ignore_iou = ignore_iou
        self._label_smooth = label_smooth
        self._confidence_threshold = confidence_threshold
        self._suppress = Suppression(**suppression)

    def forward(self, features: tuple[Tensor, ...], image_info: Mapping[str, Tensor] | None = None) -> list[Tensor]:
        """Raw maps, coarsest first: float32 [N, A * (5 + K), H, W]; IoU-aware ones have A IoU channels in front."""
        return [conv(features[-1 - index]) for index, conv in enumerate(self.outputs)]

    def take_over(self, name: str, given: np.ndarray, own: np.ndarray) -> np.ndarray | None:
        """Boxes and objectness of each anchor, and its IoU; only the logits of the classes start anew."""
        anchors = len(self._masks[0])
        iou = anchors if self._iou_aware_factor > 0 else 0
        if given.shape[1:] != own.shape[1:] or len(given) <= iou or (len(given) - iou) % anchors:
            return None
        merged = own.copy()
        merged[:iou] = given[:iou]
        theirs = given[iou:].reshape(anchors, -1, *given.shape[1:])
        merged[iou:].reshape(anchors, -1, *own.shape[1:])[:, :5] = theirs[:, :5]
        return merged

    def decode_boxes(self, raw: list[Tensor], image_info: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
        """All boxes before suppression: [N, M, 4] in original pixels, clipped; scores [N, M, K].

        Original sizes are rounded to whole pixels where Paddle's release truncates, which loses a pixel when the
        division comes out a hair too small. Padding counts as picture until the boxes are clipped.
        """
        scale = image_info["scale_factor"]
        canvas = paddle.shape(image_info["images"])[2:].astype("float32")
        whole = (canvas / scale + 0.5).astype("int32")  # [N, 2], the canvas in original pixels
        found, scores = [], []
        for level, output in enumerate(raw):
            level_boxes, level_scores = paddle.vision.ops.yolo_box(
                output,
                whole,
                anchors=self._flat_anchors[level],
                class_num=self.num_classes,
                conf_thresh=self._confidence_threshold,
                downsample_ratio=self._strides[level],
                clip_bbox=True,
                scale_x_y=self._sharpness,
                iou_aware=self._iou_aware_factor > 0,
                iou_aware_factor=self._iou_aware_factor,
            )
            found.append(level_boxes)
            scores.append(level_scores)
        original = (image_info["im_shape"] / scale + 0.5).astype("int32").astype("float32")  # [N, 2]
        limit = paddle.concat([original[:, 1:2], original[:, 0:1]] * 2, axis=-1).unsqueeze(1) - 1.0  # [N, 1, 4]
        return paddle.minimum(paddle.concat(found, axis=1), limit), paddle.concat(scores, axis=1)

    def decode(self, raw: list[Tensor], image_info: Mapping[str, Tensor]) -> dict[str, Tensor]:
        return self._suppress(*self.decode_boxes(raw, image_info))

    def loss(self, features: tuple[Tensor, ...], targets: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Sums over all levels of `loss_xy`, `loss_wh`, `loss_obj`, `loss_cls`, and where asked for `loss_iou` and
        `loss_iou_aware`. Crowd boxes are no targets."""
        height, width = targets["images"].shape[2:]
        labels = np.where(targets["gt_crowd"].numpy() > 0, -1, targets["gt_labels"].numpy())
        assigned = assign_boxes(
            targets["gt_boxes"].numpy(),
            labels,
            targets["gt_weights"].numpy(),
            image_size=(height, width),
            anchors=self.anchors,
            masks=self._masks,
            strides=self._strides,
            num_classes=self.num_classes,
        )
        known = paddle.to_tensor((labels >= 0).astype("float32")).unsqueeze(-1) * targets["gt_boxes"]  # [N, G, 4]
        totals: dict[str, Any] = {}
        for output, mask, stride, level in zip(
            self.forward(features), self._masks, self._strides, assigned, strict=True
        ):
            for name, value in self._level_loss(output, mask, stride, level, known).items():
                totals[name] = totals[name] + value if name in totals else value
        return totals

    def _level_loss(
        self, output: Tensor, mask: Sequence[int], stride: int, target: LevelTargets, known: Tensor
    ) -> dict[str, Tensor]:
        batch, _, rows, columns = output.shape
        count = len(mask)
        if self._iou_aware_factor > 0:
            iou_logits, output = output[:, :count].reshape([-1]), output[:, count:]  # [N*A*H*W]
        output = output.reshape([batch, count, -1, rows, columns]).transpose([0, 1, 3, 4, 2])  # [N, A, H, W, 5 + K]
        index = paddle.to_tensor(target.index)
        weight = paddle.to_tensor(target.weight)
        box_weight = weight * paddle.to_tensor(target.size_weight)
        picked = output.reshape([-1, 5 + self.num_classes]).gather(index)  # [P, 5 + K]
        losses = {
            "loss_xy": yolo_losses.place_loss(picked[:, :2], paddle.to_tensor(target.offset), self._sharpness)
            * box_weight,
            "loss_wh": (picked[:, 2:4] - paddle.to_tensor(target.log_scale)).abs().sum(-1) * box_weight,
            "loss_cls": yolo_losses.class_loss(picked[:, 5:], paddle.to_tensor(target.classes), self._label_smooth)
            * weight,
        }
        if self._iou_loss_weight > 0 or self._iou_aware_factor > 0:
            predicted = self._pixel_boxes(output[..., :4], mask, stride).reshape([-1, 4]).gather(index)
            truth = paddle.to_tensor(target.box)
            if self._iou_loss_weight > 0:
                losses["loss_iou"] = self._iou_loss_weight * yolo_losses.overlap_loss(predicted, truth) * box_weight
            if self._iou_aware_factor > 0:
                losses["loss_iou_aware"] = (
                    yolo_losses.overlap_estimate_loss(iou_logits.gather(index), predicted, truth) * weight
                )
        losses = {name: value.sum() / batch for name, value in losses.items()}
        with paddle.no_grad():
            everywhere = self._pixel_boxes(output[..., :4].detach(), mask, stride).reshape([batch, -1, 4])
            overlap = boxes.pairwise_iou(everywhere, known).max(axis=-1)  # [N, A*H*W]
        dense = np.zeros(batch * count * rows * columns, np.float32)
        dense[target.index] = target.weight
        losses["loss_obj"] = yolo_losses.objectness_loss(
            output[..., 4].reshape([batch, -1]),
            paddle.to_tensor(dense).reshape([batch, -1]),
            overlap,
            self._ignore_iou,
        ).mean()
        return losses

    def _pixel_boxes(self, output: Tensor, mask: Sequence[int], stride: int) -> Tensor:
        """Predicted boxes in input pixels: [N, A, H, W, 4] logits -> [N, A, H, W, 4] x1 y1 x2 y2."""
        rows, columns = output.shape[2:4]
        cells = np.stack(np.meshgrid(np.arange(columns), np.arange(rows)), axis=-1).astype(np.float32)  # [H, W, 2] x, y
        centre = (yolo_losses.cell_offset(output[..., :2], self._sharpness) + paddle.to_tensor(cells)) * stride
        anchors = paddle.to_tensor(self.anchors[list(mask)].reshape(1, len(mask), 1, 1, 2))
        half = paddle.exp(output[..., 2:]) * anchors / 2
        return paddle.concat([centre - half, centre + half], axis=-1)
