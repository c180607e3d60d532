"""The head of SSD (Liu et al. 2016): priors of fixed shape on every level, refined and classified at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pdx_core.contracts import DialectRules, FeatureSpec
from pdx_core.errors import ConfigError
from pdx_core.paddle_support import require_paddle

require_paddle()

import paddle  # noqa: E402
import paddle.nn.functional as F  # noqa: E402
from paddle import Tensor, nn  # noqa: E402

from pdx_det import boxes  # noqa: E402
from pdx_det.anchors import prior_sides  # noqa: E402
from pdx_det.nms import Suppression  # noqa: E402
from pdx_det.ssd_matching import hard_negatives, match_priors  # noqa: E402

CODER_WEIGHTS = (10.0, 10.0, 5.0, 5.0)  # one over the variances 0.1 0.1 0.2 0.2


class SeparablePredictor(nn.Layer):
    """A filter per channel, norm, ReLU6, then a 1x1 convolution without bias (SSDLite)."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.depthwise = nn.Conv2D(in_channels, in_channels, 3, padding=1, groups=in_channels, bias_attr=False)
        self.norm = nn.BatchNorm2D(in_channels)
        self.pointwise = nn.Conv2D(in_channels, out_channels, 1, bias_attr=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.pointwise(F.relu6(self.norm(self.depthwise(x))))


class SSDHead(nn.Layer):
    """One convolution for boxes and one for scores on each level. Scores have a background column, the last.

    min_sizes, max_sizes: sides in pixels of the small square prior of each level, and of the larger one, whose side
                   is their geometric mean; 0 leaves the larger one out. A level may also have several small ones, and
                   then no larger ones; no `max_sizes` at all leaves them all out
    ratios:        per level, width over height of further priors; each is used with its inverse
    steps:         per level, pixels from one cell to the next; 0: image size over map size
    min_max_first: order of the priors of a cell: small, larger, ratios; instead of small, ratios, larger
    clip_priors:   cut priors at the border of the image
    separable:     SSDLite's predictors
    spelling:      what the released files call the head: "ssd" or "blaze"
    The rest, `suppression`, is what `nms.Suppression` takes.
    """

    def __init__(
        self,
        features: Sequence[FeatureSpec],
        num_classes: int,
        min_sizes: Sequence[float | Sequence[float]],
        max_sizes: Sequence[float] = (),
        ratios: Sequence[Sequence[float]] = (),
        steps: Sequence[float] = (),
        min_max_first: bool = False,
        clip_priors: bool = False,
        kernel_size: int = 3,
        separable: bool = False,
        match_iou: float = 0.5,
        negative_ratio: float = 3.0,
        spelling: str = "ssd",
        **suppression: Any,
    ) -> None:
        super().__init__()
        count = len(features)
        steps, max_sizes = tuple(steps) or (0,) * count, tuple(max_sizes) or (0,) * count
        ratios = tuple(ratios) or ((),) * count
        for name, values in (("min_sizes", min_sizes), ("max_sizes", max_sizes), ("ratios", ratios), ("steps", steps)):
            if len(values) != count:
                raise ConfigError(f"{name} must have one entry for each of the {count} levels; got {len(values)}")
        if spelling not in ("ssd", "blaze"):
            raise ConfigError(f"spelling must be ssd or blaze; got {spelling!r}")
        self.dialects: Mapping[str, DialectRules] = {"PaddleDetection": _rules(f"{spelling}_head")}
        self.num_classes = num_classes
        sides = []
        for small, large, own_ratios in zip(min_sizes, max_sizes, ratios, strict=True):
            several = list(small) if isinstance(small, Sequence) else [small]
            if large and len(several) > 1:
                raise ConfigError(f"a level with several min_sizes {several} takes no max_sizes; got {large}")
            sides.append(prior_sides(several, [large] if large else [], own_ratios, min_max_first))
        self.boxes = nn.LayerList()
        self.scores = nn.LayerList()
        for level, own_sides in zip(features, sides, strict=True):
            for layers, width in ((self.boxes, 4), (self.scores, num_classes + 1)):
                channels = len(own_sides) * width
                if separable:
                    layers.append(SeparablePredictor(level.channels, channels))
                else:
                    layers.append(nn.Conv2D(level.channels, channels, kernel_size, padding=kernel_size // 2))
        self._sides = [own.astype(np.float32) for own in sides]
        self._steps = steps
        self._clip_priors = clip_priors
        self._match_iou = match_iou
        self._negative_ratio = negative_ratio
        self._suppress = Suppression(**{"pre_top_k": 400, "keep_top_k": 200, **suppression}, background=num_classes)

    def forward(
        self, features: tuple[Tensor, ...], image_info: Mapping[str, Tensor] | None = None
    ) -> dict[str, list[Tensor]]:
        """Per level: `deltas` [N, H*W*P, 4], `logits` [N, H*W*P, K + 1]; and `levels`, the maps, for their sizes."""
        deltas, logits = [], []
        for index, level in enumerate(features):
            deltas.append(self.boxes[index](level).transpose([0, 2, 3, 1]).flatten(1).reshape([0, -1, 4]))
            logits.append(
                self.scores[index](level).transpose([0, 2, 3, 1]).flatten(1).reshape([0, -1, self.num_classes + 1])
            )
        return {"deltas": deltas, "logits": logits, "levels": list(features)}

    def priors(self, levels: Sequence[Tensor], images: Tensor) -> list[Tensor]:
        """Per level float32 [H*W*P, 4], corners normalised to the image; cells row-major, then the priors of a cell."""
        size = paddle.shape(images)[2:].astype("float32")  # height, width
        size = paddle.concat([size[1:2], size[0:1]])  # x, y
        found = []
        for index, level in enumerate(levels):
            ones = paddle.ones_like(level[0, 0])  # [H, W]
            cells = paddle.stack([paddle.cumsum(ones, axis=1), paddle.cumsum(ones, axis=0)], axis=-1)  # [H, W, 2]
            step = self._steps[index] or size / cells[-1, -1]
            centres = ((cells - 0.5) * step).unsqueeze(2)  # [H, W, 1, 2]
            half = paddle.to_tensor(self._sides[index]) / 2  # [P, 2]
            # Pixels first: whole numbers mostly, so that priors which overlap a box alike do so to the last bit
            corners = [(centres - half) / size, (centres + half) / size]
            priors = paddle.concat(corners, axis=-1).reshape([-1, 4])
            found.append(priors.clip(0.0, 1.0) if self._clip_priors else priors)
        return found

    def decode_boxes(self, raw: Mapping[str, list[Tensor]], image_info: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
        """All boxes before suppression: [N, M, 4] in original pixels, not clipped; scores [N, M, K + 1]."""
        priors = paddle.concat(self.priors(raw["levels"], image_info["images"])).unsqueeze(0)  # [1, M, 4]
        deltas = paddle.concat(raw["deltas"], axis=1) / paddle.to_tensor(CODER_WEIGHTS)
        size = priors[..., 2:] - priors[..., :2]
        centre = priors[..., :2] + size / 2 + deltas[..., :2] * size
        half = paddle.exp(deltas[..., 2:]) * size / 2
        found = paddle.concat([centre - half, centre + half], axis=-1)
        canvas = paddle.shape(image_info["images"])[2:].astype("float32")  # with the padding, if there is any
        original = canvas / image_info["scale_factor"]  # [N, 2] height, width
        original = paddle.concat([original[:, 1:2], original[:, 0:1]] * 2, axis=-1).unsqueeze(1)
        return found * original, F.softmax(paddle.concat(raw["logits"], axis=1), axis=-1)

    def decode(self, raw: Mapping[str, list[Tensor]], image_info: Mapping[str, Tensor]) -> dict[str, Tensor]:
        return self._suppress(*self.decode_boxes(raw, image_info))

    def loss(self, features: tuple[Tensor, ...], targets: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """`loss_loc`, smooth L1 of positives, and `loss_conf`, cross entropy of positives and hard negatives, both
        divided by the number of positives. Crowd boxes are no targets."""
        raw = self.forward(features)
        height, width = targets["images"].shape[2:]
        priors = paddle.concat(self.priors(raw["levels"], targets["images"]))  # [M, 4]
        logits = paddle.concat(raw["logits"], axis=1)  # [N, M, K + 1]
        scale = paddle.to_tensor([width, height, width, height], dtype="float32")
        matched, labels = [], []
        for image in range(logits.shape[0]):
            own = targets["gt_labels"][image].astype("int64")
            known = (own >= 0) & (targets["gt_crowd"][image] == 0) & (targets["gt_weights"][image] > 0)
            rows = paddle.nonzero(known).flatten()
            truth = targets["gt_boxes"][image].gather(rows) / scale if rows.shape[0] else paddle.zeros([0, 4])
            own = own.gather(rows) if rows.shape[0] else own[:0]
            own_boxes, own_labels = match_priors(priors, truth, own, self.num_classes, self._match_iou)
            matched.append(own_boxes)
            labels.append(own_labels)
        own_boxes, own_labels = paddle.stack(matched), paddle.stack(labels)  # [N, M, 4], [N, M]
        positive = (own_labels != self.num_classes).astype("float32")
        safe = paddle.where(positive.unsqueeze(-1) > 0, own_boxes, priors.unsqueeze(0).expand_as(own_boxes))
        wanted = boxes.encode(safe, priors.unsqueeze(0), CODER_WEIGHTS)
        place = F.smooth_l1_loss(paddle.concat(raw["deltas"], axis=1), wanted, reduction="none").sum(-1)  # [N, M]
        entropy = F.cross_entropy(logits, own_labels.unsqueeze(-1), reduction="none").squeeze(-1)  # [N, M]
        counted = positive + hard_negatives(entropy.detach(), own_labels, self.num_classes, self._negative_ratio)
        total = positive.sum().clip(min=1.0)
        return {"loss_loc": (place * positive).sum() / total, "loss_conf": (entropy * counted).sum() / total}


def _rules(head: str) -> DialectRules:
    start = r"(boxes|scores)\.(\d+)\."
    return (
        (start + r"depthwise\.(\w+)", rf"{head}.\1\2.dw_conv.\3"),
        (start + r"norm\.(\w+)", rf"{head}.\1\2.bn.\3"),
        (start + r"pointwise\.(\w+)", rf"{head}.\1\2.pw_conv.\3"),
        (start + r"(\w+)", rf"{head}.\1\2.\3"),
    )
