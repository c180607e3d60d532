"""The head of PicoDet (Yu et al. 2021) in its first form: anchor-free, with distances to the sides as distributions."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from pdx_core.contracts import DialectRules, FeatureSpec
from pdx_core.paddle_support import require_paddle

require_paddle()

import paddle  # noqa: E402
import paddle.nn.functional as F  # noqa: E402
from paddle import ParamAttr, Tensor, nn  # noqa: E402

from pdx_det import boxes  # noqa: E402
from pdx_det.focal_losses import distribution_focal_loss, varifocal_loss  # noqa: E402
from pdx_det.necks.csp_pan import DepthwisePair  # noqa: E402
from pdx_det.nms import Suppression  # noqa: E402
from pdx_det.sim_ota import assign  # noqa: E402

PRIOR_SCORE = 0.01
TOWER_DEPTH = 2
LARGEST_TARGET = 0.1  # a distance must stay that far below the last bin


def _official(match: re.Match[str]) -> str:
    level, index, kind, rest = match.groups()
    return f"head.conv_feat.cls_conv_{'dw' if kind == 'depthwise' else 'pw'}{level}.{index}.{rest}"


class PicoHead(nn.Layer):
    """Per level a tower shared by classes and boxes, then one 1x1 convolution; nothing is shared between levels.

    Each side's distance, in cells, is the mean of a distribution over 0..largest_bin (generalised focal loss, Li et
    al. 2020). The rest, `suppression`, is what `nms.Suppression` takes.

    `scales` and `project` serve only the file format: the released files carry four scalars that nothing uses, and the
    numbers of the bins.
    """

    dialects: ClassVar[Mapping[str, DialectRules]] = {
        "PaddleDetection": (
            (r"towers\.(\d+)\.(\d+)\.(depthwise|pointwise)\.(.+)", _official),
            (r"outputs\.(\d+)\.(.+)", r"head.head_cls\1.\2"),
            (r"scales\.(\d+)", lambda match: f"head.p{int(match.group(1)) + 3}_feat.scale_reg"),
            (r"project", "head.distribution_project.project"),
        ),
    }

    def __init__(
        self,
        features: Sequence[FeatureSpec],
        num_classes: int,
        largest_bin: int = 7,
        **suppression: Any,
    ) -> None:
        super().__init__()
        self.num_classes = num_classes
        self._bins = largest_bin + 1
        self.towers = nn.LayerList(
            nn.Sequential(*(DepthwisePair(level.channels) for _ in range(TOWER_DEPTH))) for level in features
        )
        prior = -math.log((1 - PRIOR_SCORE) / PRIOR_SCORE)
        self.outputs = nn.LayerList(
            nn.Conv2D(
                level.channels,
                num_classes + 4 * self._bins,
                1,
                weight_attr=ParamAttr(initializer=nn.initializer.Normal(0.0, 0.01)),
                bias_attr=ParamAttr(initializer=nn.initializer.Constant(prior)),
            )
            for level in features
        )
        self.scales = nn.ParameterList(
            [self.create_parameter([1], default_initializer=nn.initializer.Constant(1.0)) for _ in features]
        )
        for scale in self.scales:
            scale.stop_gradient = True
        self.register_buffer("project", paddle.arange(self._bins, dtype="float32"))
        self._strides = tuple(level.stride for level in features)
        self._suppress = Suppression(**{"score_threshold": 0.025, "nms_iou": 0.6, **suppression})

    def forward(self, features: tuple[Tensor, ...], image_info: Mapping[str, Tensor] | None = None) -> list[Tensor]:
        """Raw maps, finest first: float32 [N, K + 4 * bins, H, W]: class logits, bins of left, top, right, bottom."""
        return [self.outputs[index](tower(features[index])) for index, tower in enumerate(self.towers)]

    def take_over(self, name: str, given: np.ndarray, own: np.ndarray) -> np.ndarray | None:
        """The bins of the sides, which do not depend on the classes."""
        if not name.startswith("outputs.") or given.shape[1:] != own.shape[1:]:
            return None
        sides = 4 * self._bins
        return np.concatenate([own[:-sides], given[-sides:]])

    def predictions(self, raw: list[Tensor]) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        """Class logits [N, M, K], bin logits [N, M, 4, bins], distances in cells [N, M, 4], and of the cells their
        centres in pixels [M, 2] and strides [M, 1]. Cells are row-major, the finest level first."""
        logits, bins, centres, strides = [], [], [], []
        for index, output in enumerate(raw):
            rows = output.transpose([0, 2, 3, 1]).flatten(1, 2)  # [N, H*W, K + 4 bins]
            logits.append(rows[:, :, : self.num_classes])
            bins.append(rows[:, :, self.num_classes :])
            centres.append(_cell_centres(output, self._strides[index]))
            strides.append(paddle.full_like(centres[-1][:, :1], self._strides[index]))
        joined = paddle.concat(bins, axis=1)
        joined = joined.reshape([0, -1, 4, self._bins])  # [N, M, 4, bins]
        distances = (F.softmax(joined, axis=-1) * self.project).sum(axis=-1)  # [N, M, 4]
        return paddle.concat(logits, axis=1), joined, distances, paddle.concat(centres), paddle.concat(strides)

    def decode_boxes(self, raw: list[Tensor]) -> tuple[Tensor, Tensor]:
        """All boxes before suppression: [N, M, 4] in pixels of the network input, not clipped; scores [N, M, K]."""
        logits, _, distances, centres, strides = self.predictions(raw)
        return _corners(centres, distances * strides), F.sigmoid(logits)

    def decode(self, raw: list[Tensor], image_info: Mapping[str, Tensor]) -> dict[str, Tensor]:
        found, scores = self.decode_boxes(raw)
        return self._suppress(boxes.to_original(found, image_info["scale_factor"]), scores)

    def loss(self, features: tuple[Tensor, ...], targets: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """`loss_vfl` (weight 1), `loss_bbox` (2) and `loss_dfl` (0.25). Crowd boxes are no targets."""
        logits, bins, distances, centres, strides = self.predictions(self.forward(features))
        predicted = _corners(centres, distances * strides)  # [N, M, 4]
        index, truth, labels, normaliser = self._assign(logits, predicted, centres, strides, targets)
        score_target = np.zeros((logits.shape[0] * logits.shape[1], self.num_classes), np.float32)
        if not len(index):
            zero = distances.sum() * 0.0
            return {
                "loss_vfl": varifocal_loss(logits.flatten(0, 1), paddle.to_tensor(score_target)) / normaliser,
                "loss_bbox": zero,
                "loss_dfl": zero,
            }
        chosen = paddle.to_tensor(index)
        cells = paddle.to_tensor(index % logits.shape[1])
        own_strides = strides.gather(cells)  # [P, 1]
        own_truth = paddle.to_tensor(truth) / own_strides
        own_boxes = predicted.flatten(0, 1).gather(chosen) / own_strides
        with paddle.no_grad():
            weight = F.sigmoid(logits.flatten(0, 1).gather(chosen)).max(axis=-1)  # [P]
            total = weight.sum().clip(min=1.0)
            score_target[index, labels] = boxes.aligned_iou(own_boxes, own_truth).numpy()
            centre = centres.gather(cells) / own_strides
            sides = paddle.concat([centre - own_truth[:, :2], own_truth[:, 2:] - centre], axis=-1)
            sides = sides.clip(0.0, self._bins - 1 - LARGEST_TARGET)  # [P, 4] in cells
        overlap_loss = (1.0 - boxes.giou(own_boxes, own_truth)) * weight
        side_loss = distribution_focal_loss(bins.flatten(0, 1).gather(chosen), sides).sum(-1) / 4 * weight
        return {
            "loss_vfl": varifocal_loss(logits.flatten(0, 1), paddle.to_tensor(score_target)) / normaliser,
            "loss_bbox": 2.0 * overlap_loss.sum() / total,
            "loss_dfl": 0.25 * side_loss.sum() / total,
        }

    @paddle.no_grad()
    def _assign(
        self, logits: Tensor, predicted: Tensor, centres: Tensor, strides: Tensor, targets: Mapping[str, Tensor]
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
        """Positives of the batch: index into all cells [P], their boxes [P, 4] and labels [P], and the divisor of the
        class loss."""
        scores, found = F.sigmoid(logits).numpy(), predicted.numpy()
        points, sizes = centres.numpy(), strides.numpy()[:, 0]
        truth, labels = targets["gt_boxes"].numpy(), targets["gt_labels"].numpy()
        known = (labels >= 0) & (targets["gt_crowd"].numpy() == 0) & (targets["gt_weights"].numpy() > 0)
        index, own_truth, own_labels, positives = [], [], [], 0
        for image, mask in enumerate(known):
            image_truth, image_labels = truth[image][mask], labels[image][mask]
            assigned = assign(scores[image], found[image], points, sizes, image_truth, image_labels)
            index.append(image * len(points) + assigned.cells)
            own_truth.append(image_truth[assigned.boxes])
            own_labels.append(image_labels[assigned.boxes])
            positives += max(len(assigned.cells), 1) if len(image_truth) else 0
        return np.concatenate(index), np.concatenate(own_truth), np.concatenate(own_labels), float(max(positives, 1))


def _cell_centres(level: Tensor, stride: int) -> Tensor:
    """Centres of the cells of a map in pixels, row-major: [N, C, H, W] -> float32 [H * W, 2] x, y."""
    ones = paddle.ones_like(level[0, 0])  # [H, W]
    x = paddle.cumsum(ones, axis=1) - 0.5
    y = paddle.cumsum(ones, axis=0) - 0.5
    return paddle.stack([x, y], axis=-1).reshape([-1, 2]) * stride


def _corners(centres: Tensor, distances: Tensor) -> Tensor:
    """Centres [M, 2] and distances left, top, right, bottom [N, M, 4] -> boxes [N, M, 4]."""
    return paddle.concat([centres - distances[..., :2], centres + distances[..., 2:]], axis=-1)
