"""From the levels of any trunk to points (Sun et al., "Integral Human Pose Regression", 2018)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import paddle
import paddle.nn.functional as F
from paddle import Tensor, nn

from pdx_core.contracts import FeatureSpec


class PointsHead(nn.Layer):
    """A map per point; the centre of mass of its softmax is the point, which is finer than a cell and has a gradient.

    width:  channels in which the levels are added up, coarse to fine
    stride: of the maps; the finest level used is the first that is at least so coarse
    """

    def __init__(self, features: tuple[FeatureSpec, ...], num_classes: int, width: int = 64, stride: int = 4) -> None:
        super().__init__()
        self.first = next((at for at, level in enumerate(features) if level.stride >= stride), len(features) - 1)
        self.stride = features[self.first].stride
        self.lateral = nn.LayerList(nn.Conv2D(level.channels, width, 1) for level in features[self.first :])
        self.mix = nn.Sequential(nn.Conv2D(width, width, 3, padding=1), nn.BatchNorm2D(width), nn.ReLU())
        # One cell more all round, or no centre of mass would lie within half a cell of the border
        self.maps = nn.Conv2D(width, num_classes, 3, padding=2)

    def forward(self, features: tuple[Tensor, ...], image_info: Any = None) -> Tensor:
        """Levels [N, C_i, H / s_i, W / s_i] -> maps float32 [N, K, H / stride + 2, W / stride + 2]."""
        levels = [lateral(features[self.first + at]) for at, lateral in enumerate(self.lateral)]
        for at in range(len(levels) - 1, 0, -1):
            size = paddle.shape(levels[at - 1])[2:]
            levels[at - 1] = levels[at - 1] + F.interpolate(levels[at], size=size, mode="nearest")
        return self.maps(self.mix(levels[0]))

    def loss(self, features: tuple[Tensor, ...], targets: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """targets: points float32 [N, K, 2] in input pixels, known float32 [N, K]."""
        cells = self.centres(self(features)) / self.stride
        error = (cells - targets["points"] / self.stride).abs().sum(axis=-1)  # [N, K]
        known = targets["known"]
        return {"loss_points": (error * known).sum() / known.sum().clip(min=1)}

    def decode(self, raw: Tensor, image_info: Mapping[str, Tensor] | None = None) -> dict[str, Tensor]:
        """Maps -> points float32 [N, K, 2], x and y in pixels of the original image."""
        factor = image_info["scale_factor"].flip(axis=[1]).unsqueeze(1)  # [N, 1, 2] x, y
        return {"points": self.centres(raw) / factor}

    def centres(self, maps: Tensor) -> Tensor:
        """Maps [N, K, h, w] -> centres of mass float32 [N, K, 2], x and y in pixels of the network input."""
        height, width = paddle.shape(maps)[2], paddle.shape(maps)[3]
        y, x = paddle.meshgrid(
            (paddle.arange(0, height, dtype="float32") - 0.5) * self.stride,
            (paddle.arange(0, width, dtype="float32") - 0.5) * self.stride,
        )
        grid = paddle.stack([x.flatten(), y.flatten()], axis=-1)  # [h * w, 2]
        return paddle.matmul(F.softmax(maps.flatten(2).astype("float32"), axis=-1), grid)
