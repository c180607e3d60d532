"""The head of RetinaNet (Lin et al. 2017): two towers shared by all levels, nine anchors per cell, focal loss."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from pdx_core.contracts import DialectRules, FeatureSpec
from pdx_core.paddle_support import require_paddle

require_paddle()

import paddle  # noqa: E402
import paddle.nn.functional as F  # noqa: E402
from paddle import ParamAttr, Tensor, nn  # noqa: E402

from pdx_det import boxes  # noqa: E402
from pdx_det.anchors import octave_sizes  # noqa: E402
from pdx_det.focal_losses import focal_loss  # noqa: E402
from pdx_det.matching import BACKGROUND, FOREGROUND, match_boxes  # noqa: E402
from pdx_det.nms import Suppression, at_most  # noqa: E402
from pdx_det.rpn import AnchorGrid  # noqa: E402

PRIOR_SCORE = 0.01
TOWER_DEPTH = 4
_NORMAL = nn.initializer.Normal(0.0, 0.01)


def _conv(in_channels: int, out_channels: int, bias: float = 0.0) -> nn.Conv2D:
    return nn.Conv2D(
        in_channels,
        out_channels,
        3,
        padding=1,
        weight_attr=ParamAttr(initializer=_NORMAL),
        bias_attr=ParamAttr(initializer=nn.initializer.Constant(bias)),
    )


def _tower(channels: int) -> nn.Sequential:
    return nn.Sequential(*(nn.Sequential(_conv(channels, channels), nn.ReLU()) for _ in range(TOWER_DEPTH)))


class RetinaNetHead(nn.Layer):
    """Class logits and box deltas of every anchor.

    octaves, ratios:      anchors of a cell: `octaves` sizes from 4 strides on, each in every height / width ratio
    foreground_iou, background_iou: anchors between them are not trained on
    places_per_level:     candidates of each level, those with the best score of any class
    The rest, `suppression`, is what `nms.Suppression` takes.
    """

    dialects: ClassVar[Mapping[str, DialectRules]] = {
        "PaddleDetection": (
            (r"class_tower\.(\d)\.0\.(\w+)", r"head.conv_feat.fcos_head_cls_tower_conv_\1.conv.\2"),
            (r"box_tower\.(\d)\.0\.(\w+)", r"head.conv_feat.fcos_head_reg_tower_conv_\1.conv.\2"),
            (r"scores\.(\w+)", r"head.retina_cls.\1"),
            (r"deltas\.(\w+)", r"head.retina_reg.\1"),
        ),
    }

    def __init__(
        self,
        features: Sequence[FeatureSpec],
        num_classes: int,
        octaves: int = 3,
        ratios: Sequence[float] = (0.5, 1.0, 2.0),
        foreground_iou: float = 0.5,
        background_iou: float = 0.4,
        places_per_level: int = 1000,
        **suppression: Any,
    ) -> None:
        super().__init__()
        channels = features[0].channels
        anchors = octaves * len(ratios)
        self.class_tower = _tower(channels)
        self.box_tower = _tower(channels)
        self.scores = _conv(channels, anchors * num_classes, -math.log((1 - PRIOR_SCORE) / PRIOR_SCORE))
        self.deltas = _conv(channels, anchors * 4)
        self.grids = nn.LayerList(
            AnchorGrid(octave_sizes(level.stride, octaves), ratios, level.stride) for level in features
        )
        self.num_classes = num_classes
        self._foreground_iou = foreground_iou
        self._background_iou = background_iou
        self._places_per_level = places_per_level
        self._suppress = Suppression(**{"score_threshold": 0.05, "nms_iou": 0.5, **suppression})

    def forward(
        self, features: tuple[Tensor, ...], image_info: Mapping[str, Tensor] | None = None
    ) -> dict[str, list[Tensor]]:
        """Per level: `scores` logits [N, A * K, H, W], `deltas` [N, A * 4, H, W], `anchors` [H * W * A, 4]."""
        raw: dict[str, list[Tensor]] = {"scores": [], "deltas": [], "anchors": []}
        for index, grid in enumerate(self.grids):
            level = features[index]
            raw["scores"].append(self.scores(self.class_tower(level)))
            raw["deltas"].append(self.deltas(self.box_tower(level)))
            raw["anchors"].append(grid(level))
        return raw

    def decode_boxes(self, raw: Mapping[str, list[Tensor]], image_info: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
        """The best boxes of each level: [N, M, 4] in original pixels, not clipped; scores [N, M, K]."""
        found, scores = [], []
        for index, anchors in enumerate(raw["anchors"]):
            logits = _rows(raw["scores"][index], self.num_classes)  # [N, a, K]
            deltas = _rows(raw["deltas"][index], 4)  # [N, a, 4]
            kept = at_most(self._places_per_level, logits, axis=1)
            if isinstance(kept, int) and kept == logits.shape[1]:
                chosen = paddle.cumsum(paddle.ones_like(logits[:, :, 0], dtype="int64"), axis=1) - 1  # all, as they are
            else:
                _, chosen = paddle.topk(logits.max(axis=2), kept, axis=1)  # [N, m]
            image = paddle.cumsum(paddle.ones_like(chosen), axis=0) - 1
            place = paddle.stack([image, chosen], axis=-1)  # [N, m, 2]
            own_deltas = paddle.gather_nd(deltas, place)
            own_anchors = paddle.gather_nd(anchors, chosen.unsqueeze(-1))  # [N, m, 4]
            level_boxes = boxes.decode(own_deltas.reshape([-1, 4]), own_anchors.reshape([-1, 4])).squeeze(1)
            found.append(paddle.reshape(level_boxes, paddle.shape(own_deltas)))
            scores.append(F.sigmoid(paddle.gather_nd(logits, place)))
        joined = boxes.to_original(paddle.concat(found, axis=1), image_info["scale_factor"])
        return joined, paddle.concat(scores, axis=1)

    def decode(self, raw: Mapping[str, list[Tensor]], image_info: Mapping[str, Tensor]) -> dict[str, Tensor]:
        return self._suppress(*self.decode_boxes(raw, image_info))

    def loss(self, features: tuple[Tensor, ...], targets: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """`loss_cls`, focal, and `loss_reg`, the absolute error of deltas; sums over the batch divided by the number of
        foreground anchors. Crowd boxes are no targets."""
        raw = self.forward(features)
        anchors = paddle.concat(raw["anchors"])  # [M, 4]
        logits = paddle.concat([_rows(level, self.num_classes) for level in raw["scores"]], axis=1)  # [N, M, K]
        deltas = paddle.concat([_rows(level, 4) for level in raw["deltas"]], axis=1)  # [N, M, 4]
        class_loss, box_loss, count = logits.sum() * 0.0, deltas.sum() * 0.0, 0
        for image in range(logits.shape[0]):
            labels = targets["gt_labels"][image].astype("int64")
            known = (labels >= 0) & (targets["gt_crowd"][image] == 0) & (targets["gt_weights"][image] > 0)
            rows = paddle.nonzero(known).flatten()
            truth = targets["gt_boxes"][image].gather(rows) if rows.shape[0] else paddle.zeros([0, 4])
            index, state = match_boxes(anchors, truth, self._foreground_iou, self._background_iou, keep_best=True)
            foreground = paddle.nonzero(state == FOREGROUND).flatten()
            background = paddle.nonzero(state == BACKGROUND).flatten()
            if background.shape[0]:
                negatives = logits[image].gather(background)
                class_loss += focal_loss(negatives, paddle.zeros_like(negatives))
            if foreground.shape[0]:
                own = index.gather(foreground)
                positives = logits[image].gather(foreground)
                class_loss += focal_loss(positives, F.one_hot(labels.gather(rows).gather(own), self.num_classes))
                wanted = boxes.encode(truth.gather(own), anchors.gather(foreground))
                box_loss += (deltas[image].gather(foreground) - wanted).abs().sum()
                count += foreground.shape[0]
        return {"loss_cls": class_loss / max(count, 1), "loss_reg": box_loss / max(count, 1)}


def _rows(level: Tensor, width: int) -> Tensor:
    """[N, A * width, H, W] -> [N, H * W * A, width]."""
    return level.transpose([0, 2, 3, 1]).flatten(1).reshape([0, -1, width])
