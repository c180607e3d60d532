"""The parts PP-YOLO adds to YOLOv3's neck (Long et al., "PP-YOLO", 2020): CoordConv, SPP and DropBlock."""

from __future__ import annotations

from collections.abc import Sequence

from pdx_core.paddle_support import require_paddle

require_paddle()

import paddle  # noqa: E402
import paddle.nn.functional as F  # noqa: E402
from paddle import Tensor, nn  # noqa: E402

from pdx_backbones.layers import ConvNorm  # noqa: E402

SPP_POOLS = (5, 9, 13)


class CoordConv(nn.Layer):
    """Convolution that also sees where it is: two more input channels rise along x and y (Liu et al. 2018).

    They run from -1 to -0.5, not to 1 as in the paper: the published weights were trained so.
    """

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int, act: str) -> None:
        super().__init__()
        self.conv = ConvNorm(in_channels + 2, out_channels, kernel_size, act=act)

    def forward(self, x: Tensor) -> Tensor:
        ones = paddle.ones_like(x[:, :1])  # [N, 1, H, W]
        return self.conv(paddle.concat([x, _ramp(ones, axis=3), _ramp(ones, axis=2)], axis=1))


def _ramp(ones: Tensor, axis: int) -> Tensor:
    """-1 ... -0.5 in even steps along `axis`; a single cell sits at -1."""
    position = paddle.cumsum(ones, axis=axis) - 1.0
    return position / (position.max().clip(min=1.0) * 2.0) - 1.0


class SpatialPyramidPooling(nn.Layer):
    """The map beside its maxima over windows of several sizes, mixed by a 1x1 convolution."""

    def __init__(self, channels: int, out_channels: int, act: str, pools: Sequence[int] = SPP_POOLS) -> None:
        super().__init__()
        self.conv = ConvNorm(channels * (len(pools) + 1), out_channels, 1, act=act)
        self._pools = tuple(pools)

    def forward(self, x: Tensor) -> Tensor:
        pooled = [F.max_pool2d(x, size, stride=1, padding=size // 2) for size in self._pools]
        return self.conv(paddle.concat([x, *pooled], axis=1))


class DropBlock(nn.Layer):
    """Zeroes square regions of the map in training (Ghiasi et al. 2018)."""

    def __init__(self, block_size: int = 3, keep_probability: float = 0.9) -> None:
        super().__init__()
        self._block_size = block_size
        self.keep_probability = keep_probability

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or self.keep_probability == 1.0:
            return x
        size = self._block_size
        height, width = x.shape[2:]
        rate = (1.0 - self.keep_probability) / size**2
        rate *= height * width / (max(height - size + 1, 1) * max(width - size + 1, 1))
        centres = (paddle.rand(x.shape) < rate).astype(x.dtype)
        keep = 1.0 - F.max_pool2d(centres, size, stride=1, padding=size // 2)
        return x * keep * (keep.shape[0] * keep.shape[1] * height * width / keep.sum().clip(min=1.0))
