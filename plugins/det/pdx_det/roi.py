"""Regions of interest: which feature level they belong to, and their features cut out of it."""

from __future__ import annotations

import math
from collections.abc import Sequence

from pdx_core.contracts import FeatureSpec
from pdx_core.paddle_support import require_paddle

require_paddle()

import paddle  # noqa: E402
from paddle import Tensor, nn  # noqa: E402
from paddle.vision.ops import distribute_fpn_proposals, roi_align  # noqa: E402

# A region of this side belongs to the level of this number (stride 2^number), Lin et al. 2017
CANONICAL_SIDE, CANONICAL_LEVEL = 224, 4


def row_images(counts: Tensor, rows: Tensor) -> Tensor:
    """Image index of each row when rows are stored image after image.

    counts:  int [N], rows of each image
    rows:    [r, C], only its length is used
    returns: int64 [r]
    """
    ends = paddle.cumsum(counts.astype("int64"))  # [N]
    positions = paddle.cumsum(paddle.ones_like(rows[:, 0], dtype="int64")) - 1  # [r]
    return (positions.unsqueeze(1) >= ends.unsqueeze(0)).astype("int64").sum(axis=1)


def with_spare_rows(rows: Tensor, counts: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Rows of a batch with one more in front of each image's: a box of one pixel of class 0.

    Operators on regions fail for an image without any (in Paddle 2.6 even beside images that have some, and then so do
    most operators on empty tensors), so they are given these rows, and `without_spare_rows` takes them out again.

    rows:    float32 [n, 6], label, score, x1, y1, x2, y2, image after image; n may be 0
    counts:  int32 [N], rows of each image
    returns: float32 [N + n, 6], int64 [N + n] image of each row, int64 [N + n] the order that puts the new rows first
    """
    every = counts.astype("int64")
    each = paddle.cumsum(paddle.ones_like(every)) - 1  # [N]
    new = paddle.to_tensor([[0.0, 0.0, 0.0, 0.0, 1.0, 1.0]]) * paddle.ones_like(every, "float32").unsqueeze(1)
    joined = paddle.concat([new, rows])
    image = row_images(every + 1, joined)
    position = paddle.cumsum(paddle.ones_like(image)) - 1
    is_new = position == (paddle.cumsum(every + 1) - every - 1).gather(image)
    source = paddle.where(is_new, image, position - image - 1 + each.max() + 1)
    return joined.gather(source), image, paddle.argsort(source)


def without_spare_rows(values: Tensor, order: Tensor, counts: Tensor) -> Tensor:
    """What was computed for the rows of `with_spare_rows`, for the given rows only: [N + n, ...] -> [n, ...]."""
    return values.gather(order)[paddle.shape(counts)[0] :]


class RoiExtractor(nn.Layer):
    """Features of fixed size for regions of any size, by RoIAlign (He et al. 2017).

    features:       levels to cut from, fine to coarse; with several, a region goes to the level of its size
    resolution:     side of the result
    sampling_ratio: samples per bin and axis; 0 and below adapts to the region (0 is Paddle's choice for FPN models)
    """

    def __init__(self, features: Sequence[FeatureSpec], resolution: int, sampling_ratio: int = 0) -> None:
        super().__init__()
        self.resolution = resolution
        self.sampling_ratio = sampling_ratio
        self.scales = [1 / level.stride for level in features]
        self.first_level = round(math.log2(features[0].stride))
        self.channels = features[0].channels

    def forward(self, features: Sequence[Tensor], rois: Tensor, counts: Tensor) -> Tensor:
        """rois float32 [r, 4] in input pixels, counts int32 [N] -> float32 [r, C, resolution, resolution]."""
        if len(self.scales) == 1:
            return self._align(features[0], rois, counts, self.scales[0])
        last_level = self.first_level + len(self.scales) - 1
        by_level, restore, level_counts = distribute_fpn_proposals(
            rois, self.first_level, last_level, CANONICAL_LEVEL, CANONICAL_SIDE, rois_num=counts
        )
        parts = [
            self._align(features[index], by_level[index], level_counts[index], scale)
            for index, scale in enumerate(self.scales)
        ]
        return paddle.gather(paddle.concat(parts), restore.flatten())

    def _align(self, feature: Tensor, rois: Tensor, counts: Tensor, scale: float) -> Tensor:
        return roi_align(feature, rois, counts, self.resolution, scale, self.sampling_ratio, aligned=True)
