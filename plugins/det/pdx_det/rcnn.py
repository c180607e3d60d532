"""Two-stage detection heads: Faster R-CNN (Ren et al. 2015), and its cascade (Cai and Vasconcelos 2018) with `stages`.

Boxes are x1 y1 x2 y2 with w = x2 - x1. Regions of a batch are stored image after image, with a count for each image.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pdx_core.contracts import FeatureSpec
from pdx_core.errors import ConfigError
from pdx_core.paddle_support import require_paddle

require_paddle()

import paddle  # noqa: E402
import paddle.nn.functional as F  # noqa: E402
from paddle import Tensor, nn  # noqa: E402

from pdx_det.box_heads import BoxPredictor, FullyConnectedTrunk, ResidualTrunk  # noqa: E402
from pdx_det.boxes import clip, decode, diou, encode, giou  # noqa: E402
from pdx_det.nms import by_image, multiclass_nms, soft_nms  # noqa: E402
from pdx_det.rcnn_dialects import detection_rules  # noqa: E402
from pdx_det.rcnn_sampling import Annotation, Regions, annotations, sample_regions  # noqa: E402
from pdx_det.roi import RoiExtractor, row_images, with_spare_rows, without_spare_rows  # noqa: E402
from pdx_det.rpn import RegionProposalNetwork  # noqa: E402

IOU_LOSSES = {
    "giou": giou,
    "diou": diou,
    "ciou": lambda first, second: diou(first, second, complete=True),
}


class BoxStage(nn.Layer):
    """One box head: region features -> class scores and refined boxes.

    weights:  scale of the regression targets dx dy dw dh
    iou_loss: "giou", "diou" or "ciou" on decoded boxes instead of L1 on deltas
    """

    def __init__(
        self,
        trunk: nn.Layer,
        num_classes: int,
        class_specific: bool,
        weights: Sequence[float],
        iou_loss: str | None = None,
        iou_loss_weight: float = 10.0,
    ) -> None:
        super().__init__()
        self.trunk = trunk
        self.predictor = BoxPredictor(trunk.out_channels, num_classes, class_specific)
        self.num_classes, self.class_specific = num_classes, class_specific
        self.weights = tuple(weights)
        self.iou_loss, self.iou_loss_weight = iou_loss, iou_loss_weight

    def forward(self, region_features: Tensor) -> tuple[Tensor, Tensor]:
        """[r, C, S, S] -> logits [r, K + 1], deltas [r, 4K] or [r, 4]."""
        return self.predictor(self.trunk(region_features))

    def refine(self, boxes: Tensor, deltas: Tensor) -> Tensor:
        """Decoded boxes float32 [r, K or 1, 4], not clipped."""
        return decode(deltas, boxes, self.weights)

    def loss(self, logits: Tensor, deltas: Tensor, regions: Regions) -> tuple[Tensor, Tensor]:
        """Cross-entropy, mean over regions; regression of the foreground, sum over all regions' number."""
        score_loss = F.cross_entropy(logits, regions.labels)
        foreground = paddle.nonzero(regions.labels < self.num_classes).flatten()
        if foreground.shape[0] == 0:
            return score_loss, deltas.sum() * 0.0
        own = deltas.reshape([deltas.shape[0], -1, 4]).gather(foreground)  # [f, K or 1, 4]
        if self.class_specific:
            labels = regions.labels.gather(foreground)
            rows = paddle.arange(foreground.shape[0], dtype="int64")
            own = own.gather_nd(paddle.stack([rows, labels], axis=1))  # [f, 4]
        else:
            own = own.squeeze(1)  # [f, 4]
        boxes, targets = regions.boxes.gather(foreground), regions.targets.gather(foreground)
        count = regions.labels.shape[0]
        if self.iou_loss is None:
            return score_loss, (own - encode(targets, boxes, self.weights)).abs().sum() / count
        refined = decode(own, boxes, self.weights).squeeze(1)
        overlap_loss = (1 - IOU_LOSSES[self.iou_loss](refined, targets)) * self.iou_loss_weight
        return score_loss, overlap_loss.sum() / count


class RCNNHead(nn.Layer):
    """Region proposals, then one box head or a cascade of them.

    features:     levels from the backbone or neck, fine to coarse
    anchor_sizes: per level; default: 32 on the first and doubled on each further one
    stages:       foreground IoU of each box head; one entry is Faster R-CNN, three are Cascade R-CNN
    box_trunk:    "fc" (two fully connected layers), "conv_fc" (four convolutions with group norm and one layer), or the
                  name of a ResNet whose last stage is used, as the C4 models do
    roi_levels:   how many levels, from the finest, the regions are cut from (the coarsest is for proposals only)
    nms_kind:     "greedy", or "soft", which lowers the scores of overlapping boxes and takes no nms_iou
    """

    def __init__(
        self,
        features: Sequence[FeatureSpec],
        num_classes: int,
        *,
        anchor_sizes: Sequence[Sequence[float]] | None = None,
        stages: Sequence[float] = (0.5,),
        box_trunk: str = "fc",
        resolution: int = 7,
        sampling_ratio: int = 0,
        roi_levels: int = 4,
        rpn_pre_nms: tuple[int, int] = (2000, 1000),
        rpn_post_nms: tuple[int, int] = (1000, 1000),
        samples: int = 512,
        sample_at_random: bool = True,
        iou_loss: str | None = None,
        nms_kind: str = "greedy",
        score_threshold: float = 0.05,
        nms_iou: float = 0.5,
        keep_top_k: int = 100,
    ) -> None:
        super().__init__()
        if nms_kind not in ("greedy", "soft"):
            raise ConfigError(f"no suppression named {nms_kind!r} for two-stage heads; choose greedy or soft")
        if anchor_sizes is None:
            anchor_sizes = [(32.0 * 2**index,) for index in range(len(features))]
        self.rpn = RegionProposalNetwork(
            features,
            anchor_sizes,
            pre_nms=rpn_pre_nms,
            post_nms=rpn_post_nms,
            sample_at_random=sample_at_random,
        )
        self.roi = RoiExtractor(features[:roi_levels], resolution, sampling_ratio)
        self.roi_levels = roi_levels
        cascade = len(stages) > 1
        self.stages = nn.LayerList(
            BoxStage(
                _make_trunk(box_trunk, features[0].channels, resolution),
                num_classes,
                class_specific=not cascade,
                weights=[10.0 * (index + 1)] * 2 + [5.0 * (index + 1)] * 2,
                iou_loss=iou_loss,
            )
            for index in range(len(stages))
        )
        self.foreground_ious = tuple(stages)
        self.num_classes = num_classes
        self.dialects = {"PaddleDetection": detection_rules(self.stages[0].trunk, cascade)}
        self.samples, self.sample_at_random = samples, sample_at_random
        self.nms_kind = nms_kind
        self.score_threshold, self.nms_iou, self.keep_top_k = score_threshold, nms_iou, keep_top_k

    # -- prediction --------------------------------------------------------------------------------------------------
    def forward(self, features: Sequence[Tensor], image_info: Mapping[str, Tensor] | None = None) -> dict[str, Any]:
        """Proposals' raw outputs, and with `im_shape` in `image_info` the scored and refined boxes.

        Adds `rois` [r, 4], `counts` int32 [N], `boxes` [r, K or 1, 4] not clipped and `scores` [r, K + 1].
        """
        raw: dict[str, Any] = {"rpn": self.rpn(features)}
        if image_info is None or "im_shape" not in image_info:
            return raw
        im_shape = image_info["im_shape"]
        rois, _, counts = self.rpn.propose(raw["rpn"], im_shape)
        return {**raw, **self.run_stages(features, rois, counts, im_shape)}

    def run_stages(self, features: Sequence[Tensor], rois: Tensor, counts: Tensor, im_shape: Tensor) -> dict[str, Any]:
        """Scores (mean over the stages) and boxes of the last stage for the given regions."""
        limits = im_shape.gather(row_images(counts, rois))  # [r, 2]
        probabilities, refined = [], rois.unsqueeze(1)
        for index, stage in enumerate(self.stages):
            if index:
                rois = clip(refined.squeeze(1), limits)
            logits, deltas = stage(self.roi(features[: self.roi_levels], rois, counts))
            refined = stage.refine(rois, deltas)
            probabilities.append(F.softmax(logits))
        scores = sum(probabilities) / len(probabilities)
        return {"rois": rois, "counts": counts, "boxes": refined, "scores": scores}

    def detect(self, raw: Mapping[str, Any], im_shape: Tensor) -> tuple[Tensor, Tensor]:
        """Rows label, score, x1, y1, x2, y2 in pixels of the network input, and rows per image int32 [N]."""
        limits = im_shape.gather(row_images(raw["counts"], raw["rois"])).unsqueeze(1)  # [r, 1, 2]
        boxes = clip(raw["boxes"], limits)
        scores = raw["scores"][:, :-1]
        if boxes.shape[1] == 1:
            boxes = boxes.expand([-1, self.num_classes, 4])
        if self.nms_kind == "soft":
            return soft_nms(
                by_image(boxes, raw["counts"]).transpose([0, 2, 1, 3]),  # [N, K, P, 4]
                by_image(scores, raw["counts"]).transpose([0, 2, 1]),
                score_threshold=self.score_threshold,
                keep_top_k=self.keep_top_k,
            )
        rows, _, counts = multiclass_nms(
            boxes,
            scores,
            score_threshold=self.score_threshold,
            iou_threshold=self.nms_iou,
            keep_top_k=self.keep_top_k,
            background=self.num_classes,
            boxes_num=raw["counts"],
        )
        return rows, counts

    def decode(self, raw: Mapping[str, Any], image_info: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """`bbox` [n, 6] label, score, x1, y1, x2, y2 in original pixels, `bbox_num` int32 [N]."""
        rows, counts = self.detect(raw, image_info["im_shape"])
        return {"bbox": to_original(rows, counts, image_info), "bbox_num": counts}

    # -- training ----------------------------------------------------------------------------------------------------
    def loss(self, features: Sequence[Tensor], targets: Mapping[str, Tensor]) -> dict[str, Tensor]:
        losses, _ = self.loss_and_regions(features, targets)
        return losses

    def loss_and_regions(
        self, features: Sequence[Tensor], targets: Mapping[str, Tensor]
    ) -> tuple[dict[str, Tensor], Regions]:
        """Losses of proposals and boxes, and the regions of the first stage (a mask branch trains on them too)."""
        truth = annotations(targets)
        raw = self.rpn(features)
        losses = self.rpn.loss(raw, [known.boxes for known in truth])
        rois, _, counts = self.rpn.propose(raw, targets["im_shape"])
        boxes = paddle.split(rois, counts.tolist()) if len(truth) > 1 else [rois]
        first = None
        for index, (stage, foreground_iou) in enumerate(zip(self.stages, self.foreground_ious, strict=True)):
            regions = self._regions(boxes, truth, index, foreground_iou)
            first = first or regions
            logits, deltas = stage(self.roi(features[: self.roi_levels], regions.boxes, regions.counts))
            score_loss, delta_loss = stage.loss(logits, deltas, regions)
            ending = f"_stage{index}" if len(self.stages) > 1 else ""
            losses[f"loss_bbox_cls{ending}"] = score_loss / len(self.stages)
            losses[f"loss_bbox_reg{ending}"] = delta_loss / len(self.stages)
            if index + 1 < len(self.stages):
                boxes = _next_boxes(stage.refine(regions.boxes, deltas.detach()), regions.counts, targets["im_shape"])
        return losses, first

    def _regions(
        self, boxes: Sequence[Tensor], truth: Sequence[Annotation], index: int, foreground_iou: float
    ) -> Regions:
        return sample_regions(
            boxes,
            truth,
            self.num_classes,
            foreground_iou=foreground_iou,
            count=None if index else self.samples,
            add_truth=index == 0,
            at_random=self.sample_at_random,
        )


@paddle.no_grad()
def _next_boxes(refined: Tensor, counts: Tensor, im_shape: Tensor) -> list[Tensor]:
    """Refined boxes of each image, clipped, without the empty ones: what the next stage of a cascade trains on."""
    sides = counts.tolist()
    result = []
    for boxes, limit in zip(paddle.split(refined.squeeze(1), sides), im_shape, strict=True):
        clipped = clip(boxes, limit)
        full = paddle.nonzero((clipped[:, 2] > clipped[:, 0]) & (clipped[:, 3] > clipped[:, 1])).flatten()
        result.append(clipped.gather(full) if full.shape[0] else paddle.zeros([1, 4]))
    return result


def to_original(rows: Tensor, counts: Tensor, image_info: Mapping[str, Tensor]) -> Tensor:
    """Rows with boxes in pixels of the original images, clipped to them; the label of an empty box becomes -1.

    rows: float32 [n, 6] label, score, x1, y1, x2, y2 in pixels of the network input
    """
    im_shape, scale = image_info["im_shape"], image_info["scale_factor"]
    rows, image, order = with_spare_rows(rows, counts)
    row_scale = scale.gather(image)  # [N + n, 2] y, x
    original = paddle.floor(im_shape / scale + 0.5).gather(image)  # [N + n, 2] h, w
    factors = paddle.concat([row_scale[:, 1:2], row_scale[:, 0:1]] * 2, axis=-1)
    boxes = clip(rows[:, 2:] / factors, original)
    full = (boxes[:, 2] > boxes[:, 0]) & (boxes[:, 3] > boxes[:, 1])
    labels = paddle.where(full, rows[:, 0], paddle.full_like(rows[:, 0], -1.0))
    return without_spare_rows(paddle.concat([labels.unsqueeze(1), rows[:, 1:2], boxes], axis=1), order, counts)


def _make_trunk(kind: str, channels: int, resolution: int) -> nn.Layer:
    if kind in ("fc", "conv_fc"):
        return FullyConnectedTrunk(channels, resolution, convs=4 if kind == "conv_fc" else 0)
    return ResidualTrunk(kind)
