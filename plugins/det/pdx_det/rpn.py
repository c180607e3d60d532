"""Region proposal network (Ren et al. 2015): where something might be, whatever it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pdx_core.contracts import FeatureSpec
from pdx_core.errors import ConfigError
from pdx_core.paddle_support import declare_int32, require_paddle

require_paddle()

import paddle  # noqa: E402
import paddle.nn.functional as F  # noqa: E402
from paddle import Tensor, nn  # noqa: E402
from paddle.vision.ops import generate_proposals  # noqa: E402

from pdx_det.anchors import cell_anchors  # noqa: E402
from pdx_det.boxes import encode  # noqa: E402
from pdx_det.matching import match_boxes, sample  # noqa: E402
from pdx_det.roi import row_images  # noqa: E402


class AnchorGrid(nn.Layer):
    """Anchors of one level for maps of any size. They are constants and no part of a weight file."""

    def __init__(self, sizes: Sequence[float], ratios: Sequence[float], stride: int) -> None:
        super().__init__()
        self.stride = stride
        base = paddle.to_tensor(cell_anchors(sizes, ratios))
        self.register_buffer("base", base, persistable=False)

    def forward(self, level: Tensor) -> Tensor:
        """level [N, C, H, W] -> float32 [H * W * A, 4], by cell (row-major), then anchor, centred on the corner."""
        height, width = paddle.shape(level)[2], paddle.shape(level)[3]
        y = paddle.arange(0, height, dtype="float32") * self.stride
        x = paddle.arange(0, width, dtype="float32") * self.stride
        grid_y, grid_x = paddle.meshgrid(y, x)
        shifts = paddle.stack([grid_x, grid_y, grid_x, grid_y], axis=-1).reshape([-1, 1, 4])  # [H * W, 1, 4]
        return (shifts + self.base).reshape([-1, 4])


class RegionProposalNetwork(nn.Layer):
    """Scores and shifts the anchors of every level and keeps the best boxes.

    anchor_sizes: per level, the sides of its anchors in pixels
    pre_nms, post_nms: boxes kept before and after suppression, as (training, evaluation); before: per level,
        after: over all levels of an image
    """

    def __init__(
        self,
        features: Sequence[FeatureSpec],
        anchor_sizes: Sequence[Sequence[float]],
        *,
        ratios: Sequence[float] = (0.5, 1.0, 2.0),
        pre_nms: tuple[int, int] = (2000, 1000),
        post_nms: tuple[int, int] = (1000, 1000),
        nms_iou: float = 0.7,
        samples: int = 256,
        sample_at_random: bool = True,
    ) -> None:
        super().__init__()
        if len(anchor_sizes) != len(features):
            strides = ", ".join(str(level.stride) for level in features)
            raise ConfigError(
                f"Model.head.anchor_sizes has anchors for {len(anchor_sizes)} levels, but {len(features)} come in "
                f"(strides {strides}); name those to use with Model.backbone.out_stages"
            )
        channels = features[0].channels
        anchors = len(anchor_sizes[0]) * len(ratios)
        initial = paddle.ParamAttr(initializer=nn.initializer.Normal(0.0, 0.01))
        self.conv = nn.Conv2D(channels, channels, 3, padding=1, weight_attr=initial)
        self.score = nn.Conv2D(channels, anchors, 1, weight_attr=initial)
        self.delta = nn.Conv2D(channels, 4 * anchors, 1, weight_attr=initial)
        self.grids = nn.LayerList(
            AnchorGrid(sizes, ratios, level.stride) for sizes, level in zip(anchor_sizes, features, strict=True)
        )
        self.pre_nms, self.post_nms, self.nms_iou = pre_nms, post_nms, nms_iou
        self.samples, self.sample_at_random = samples, sample_at_random

    def forward(self, features: Sequence[Tensor]) -> dict[str, list[Tensor]]:
        """Per level: `scores` logits [N, A, H, W], `deltas` [N, 4A, H, W], `anchors` [H * W * A, 4]."""
        raw: dict[str, list[Tensor]] = {"scores": [], "deltas": [], "anchors": []}
        for index, grid in enumerate(self.grids):  # in a graph, Paddle's own `zip` knows no `strict`
            level = features[index]
            hidden = F.relu(self.conv(level))
            raw["scores"].append(self.score(hidden))
            raw["deltas"].append(self.delta(hidden))
            raw["anchors"].append(grid(level))
        return raw

    @paddle.no_grad()
    def propose(self, raw: Mapping[str, Sequence[Tensor]], im_shape: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The best boxes of each image, clipped to it.

        im_shape: float32 [N, 2], height and width
        returns:  boxes float32 [r, 4] image after image, best first; logits [r]; boxes per image int32 [N]
        """
        pre_nms = self.pre_nms[0 if self.training else 1]
        post_nms = self.post_nms[0 if self.training else 1]
        boxes, scores, images = [], [], []
        for index, anchors in enumerate(raw["anchors"]):
            score, delta = raw["scores"][index], raw["deltas"][index]
            level_boxes, level_scores, level_counts = generate_proposals(
                score,
                delta,
                im_shape,
                anchors,
                paddle.ones_like(anchors),
                pre_nms_top_n=pre_nms,
                post_nms_top_n=post_nms,
                nms_thresh=self.nms_iou,
                min_size=0.0,
                pixel_offset=False,
                return_rois_num=True,
            )
            boxes.append(level_boxes)
            scores.append(level_scores.flatten())
            images.append(row_images(declare_int32(level_counts, im_shape[:, 0]), level_boxes))
        return _best_per_image(paddle.concat(boxes), paddle.concat(scores), paddle.concat(images), im_shape, post_nms)

    def loss(self, raw: Mapping[str, Sequence[Tensor]], truth: Sequence[Tensor]) -> dict[str, Tensor]:
        """Binary cross-entropy on sampled anchors and L1 on the foreground ones, both divided by the sample size.

        truth: per image, float32 [g, 4] annotated boxes in input pixels
        """
        anchors = paddle.concat(list(raw["anchors"]))  # [n, 4]
        scores = paddle.concat([_rows(level, 1) for level in raw["scores"]], axis=1).squeeze(-1)  # [N, n]
        deltas = paddle.concat([_rows(level, 4) for level in raw["deltas"]], axis=1)  # [N, n, 4]
        score_loss, delta_loss = scores.sum() * 0.0, deltas.sum() * 0.0
        for index, boxes in enumerate(truth):
            matched, state = match_boxes(anchors, boxes, 0.7, 0.3, keep_best=True)
            foreground, background = sample(state, self.samples, 0.5, self.sample_at_random)
            chosen = paddle.concat([foreground, background])
            labels = paddle.concat([paddle.ones_like(foreground), paddle.zeros_like(background)]).astype("float32")
            score_loss += F.binary_cross_entropy_with_logits(scores[index].gather(chosen), labels, reduction="sum")
            if foreground.shape[0]:
                target = encode(boxes.gather(matched.gather(foreground)), anchors.gather(foreground))
                delta_loss += (deltas[index].gather(foreground) - target).abs().sum()
        normaliser = float(self.samples * len(truth))
        return {"loss_rpn_cls": score_loss / normaliser, "loss_rpn_reg": delta_loss / normaliser}


def _rows(level: Tensor, width: int) -> Tensor:
    """[N, A * width, H, W] -> [N, H * W * A, width]."""
    count = level.shape[0]
    return level.transpose([0, 2, 3, 1]).reshape([count, -1, width])


def _best_per_image(boxes: Tensor, scores: Tensor, images: Tensor, im_shape: Tensor, keep: int) -> tuple[Any, ...]:
    """Sort rows by image, then by falling score, and keep the first `keep` of each image."""
    by_score = paddle.argsort(scores, descending=True)
    ordered_images = images.gather(by_score)  # [r]
    rank = paddle.cumsum(paddle.ones_like(ordered_images)) - 1  # [r], unique, so no stable sort is needed
    by_image = paddle.argsort(ordered_images * (rank.max() + 1) + rank)
    order = by_score.gather(by_image)
    sorted_images = images.gather(order)
    image_ids = paddle.cumsum(paddle.ones_like(im_shape[:, 0], dtype="int64")) - 1  # [N]
    totals = (sorted_images.unsqueeze(0) == image_ids.unsqueeze(1)).astype("int64").sum(axis=1)  # [N]
    starts = paddle.cumsum(totals) - totals
    place = rank - starts.gather(sorted_images)  # position of each row within its image
    kept = paddle.nonzero(place < keep).flatten()
    chosen = order.gather(kept)
    return boxes.gather(chosen), scores.gather(chosen), totals.clip(max=keep).astype("int32")
