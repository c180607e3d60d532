"""Mask R-CNN (He et al. 2017) and Cascade Mask R-CNN: a two-stage detector with a mask branch beside its box head."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pdx_core.contracts import FeatureSpec
from pdx_core.errors import ConfigError
from pdx_core.paddle_support import require_paddle

require_paddle()

import paddle  # noqa: E402
import paddle.nn.functional as F  # noqa: E402
from paddle import Tensor, nn  # noqa: E402

from pdx_det.api import (  # noqa: E402
    RCNNHead,
    Regions,
    RoiExtractor,
    row_images,
    to_original,
    with_spare_rows,
    without_spare_rows,
)
from pdx_instseg.mask_dialects import detection_rules  # noqa: E402
from pdx_instseg.mask_head import MaskBranch  # noqa: E402
from pdx_instseg.mask_targets import ARRAYS, has_mask, mask_targets  # noqa: E402


class MaskRCNNHead(nn.Layer):
    """Boxes as `RCNNHead` finds them, and a mask for each.

    mask_resolution: side of the region features that the mask branch gets; masks are twice as large
    mask_convs, mask_channels, mask_norm: see `MaskBranch`
    share_box_trunk: the mask branch works on what the last residual stage makes of a region (the C4 form), instead of
                     on features of its own
    box_options:     see `RCNNHead`
    """

    def __init__(
        self,
        features: Sequence[FeatureSpec],
        num_classes: int,
        *,
        mask_resolution: int = 14,
        mask_convs: int = 4,
        mask_channels: int = 256,
        mask_norm: str = "none",
        share_box_trunk: bool = False,
        **box_options: Any,
    ) -> None:
        super().__init__()
        self.detector = RCNNHead(features, num_classes, **box_options)
        self.roi_levels, self.num_classes = self.detector.roi_levels, num_classes
        trunk = self.detector.stages[0].trunk
        if share_box_trunk:
            if not hasattr(trunk, "maps"):
                raise ConfigError("Model.head.share_box_trunk needs a box_trunk that is the last stage of a ResNet")
            self.roi, channels = None, trunk.out_channels
        else:
            sampling_ratio = box_options.get("sampling_ratio", 0)
            self.roi = RoiExtractor(features[: self.roi_levels], mask_resolution, sampling_ratio)
            channels = self.roi.channels
        self.mask = MaskBranch(channels, num_classes, convs=mask_convs, channels=mask_channels, norm=mask_norm)
        self.dialects = {"PaddleDetection": detection_rules(self.detector.dialects["PaddleDetection"])}

    def mask_logits(self, features: Sequence[Tensor], boxes: Tensor, counts: Tensor) -> Tensor:
        """boxes float32 [r, 4] in pixels of the network input, counts int32 [N] -> float32 [r, K, M, M]."""
        levels = features[: self.roi_levels]
        if self.roi is None:
            return self.mask(self.detector.stages[0].trunk.maps(self.detector.roi(levels, boxes, counts)))
        return self.mask(self.roi(levels, boxes, counts))

    # -- prediction --------------------------------------------------------------------------------------------------
    def forward(self, features: Sequence[Tensor], image_info: Mapping[str, Tensor] | None = None) -> dict[str, Any]:
        """What `RCNNHead` gives, and `levels`, the features that masks are cut from once the boxes are known."""
        return {**self.detector(features, image_info), "levels": features}

    def decode(self, raw: Mapping[str, Any], image_info: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Boxes in original pixels with small masks, which `mask_pasting` brings to the original image.

        bbox:     float32 [n, 6], label, score, x1, y1, x2, y2
        bbox_num: int32 [N]
        mask:     float32 [n, M, M], probabilities of the box's class over the area of the box
        """
        rows, counts = self.detector.detect(raw, image_info["im_shape"])
        masks = self._masks(raw["levels"], rows, counts)
        return {"bbox": to_original(rows, counts, image_info), "bbox_num": counts, "mask": masks}

    def _masks(self, levels: Sequence[Tensor], rows: Tensor, counts: Tensor) -> Tensor:
        """The probabilities for rows label, score, x1, y1, x2, y2 in pixels of the network input."""
        rows, _, order = with_spare_rows(rows, counts)
        logits = self.mask_logits(levels, rows[:, 2:], counts + 1)
        masks = F.sigmoid(_of_class(logits, rows[:, 0].astype("int64").clip(min=0)))
        return without_spare_rows(masks, order, counts)

    # -- training ----------------------------------------------------------------------------------------------------
    def loss(self, features: Sequence[Tensor], targets: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The losses of `RCNNHead`, and `loss_mask` on its foreground regions; see `mask_targets` for the masks."""
        losses, regions = self.detector.loss_and_regions(features, targets)
        return {**losses, "loss_mask": self._mask_loss(features, targets, regions)}

    def _mask_loss(self, features: Sequence[Tensor], targets: Mapping[str, Tensor], regions: Regions) -> Tensor:
        """Binary cross-entropy of the annotated class, mean over the pixels of all regions that have a mask."""
        packed = {name: targets[name].numpy() for name in ARRAYS}
        images = row_images(regions.counts, regions.boxes).numpy()
        labels, slots = regions.labels.numpy(), regions.matched.numpy()
        known = (labels < self.num_classes) & has_mask(packed)[images, slots]
        # An image that has none gives its first region, with weight 0: operators on regions fail for an image without
        # any, and a loss of zero must still reach every parameter.
        first = np.searchsorted(images, np.setdiff1d(images, images[known]))
        chosen = np.union1d(np.flatnonzero(known), first)
        images, slots, labels = images[chosen], slots[chosen], labels[chosen].clip(max=self.num_classes - 1)
        boxes = regions.boxes.gather(paddle.to_tensor(chosen))
        counts = np.bincount(images, minlength=len(packed["gt_polygons"])).astype(np.int32)
        logits = _of_class(self.mask_logits(features, boxes, paddle.to_tensor(counts)), paddle.to_tensor(labels))
        wanted = mask_targets(packed, images, slots, boxes.numpy(), logits.shape[-1])
        weight = known[chosen].astype(np.float32) / max(1, known.sum())
        loss = F.binary_cross_entropy_with_logits(logits, paddle.to_tensor(wanted), reduction="none").mean([1, 2])
        return (loss * paddle.to_tensor(weight)).sum()


def _of_class(logits: Tensor, labels: Tensor) -> Tensor:
    """The map of each region's class: [r, K, M, M], int64 [r] -> [r, M, M]."""
    rows = paddle.cumsum(paddle.ones_like(labels)) - 1
    return logits.gather_nd(paddle.stack([rows, labels], axis=1))
