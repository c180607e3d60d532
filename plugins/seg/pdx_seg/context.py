"""Looks at a map at several scales: atrous (DeepLab) and pooled (PSPNet) pyramids."""

from __future__ import annotations

from collections.abc import Sequence

from pdx_core.paddle_support import require_paddle

require_paddle()

import paddle  # noqa: E402
import paddle.nn.functional as F  # noqa: E402
from paddle import Tensor, nn  # noqa: E402

from pdx_backbones.layers import ConvNorm, SeparableConv, norm_layer  # noqa: E402
from pdx_seg.resize import resize_like  # noqa: E402


class PooledConv(nn.Layer):
    """Average pooling to `bins` x `bins` cells, 1x1 convolution, norm, ReLU.

    A training batch of one image pooled to a single cell gives each channel one value. Paddle's batch norm then passes
    it on as it is, whereas evaluation normalises it, so the network would be trained as another one than it is used.
    In that case the running statistics are used in training too, and stay as they are.
    """

    def __init__(self, in_channels: int, out_channels: int, bins: int, bias: bool = False) -> None:
        super().__init__()
        self.conv = nn.Conv2D(in_channels, out_channels, 1, bias_attr=None if bias else False)
        self.norm = norm_layer("batch", out_channels)
        self._bins = bins

    def forward(self, x: Tensor) -> Tensor:
        """[N, C, H, W] -> [N, C_out, bins, bins]."""
        x = self.conv(F.adaptive_avg_pool2d(x, self._bins))
        return F.relu(self._fixed_norm(x) if self._is_alone(x) else self.norm(x))

    def _is_alone(self, x: Tensor) -> bool:
        # Synchronised batch norm sees the images of the other devices as well.
        return self.norm.training and type(self.norm) is nn.BatchNorm2D and x.shape[0] * self._bins**2 == 1

    def _fixed_norm(self, x: Tensor) -> Tensor:
        norm = self.norm
        return F.batch_norm(
            x, norm._mean, norm._variance, norm.weight, norm.bias, training=False, epsilon=norm._epsilon
        )


class AtrousPyramid(nn.Layer):
    """Atrous spatial pyramid pooling (Chen et al., 2017): one branch per dilation and one for the whole image.

    ratios:    dilations; 1 stands for a 1x1 convolution, the others for 3x3
    separable: the 3x3 convolutions are depthwise and pointwise (DeepLabv3+)
    """

    def __init__(
        self, in_channels: int, ratios: Sequence[int], channels: int = 256, *, separable: bool, dropout: float
    ) -> None:
        super().__init__()
        self.branches = nn.LayerList()
        for ratio in ratios:
            if ratio == 1:
                branch = ConvNorm(in_channels, channels, 1, bias=True)
            elif separable:
                branch = SeparableConv(in_channels, channels, dilation=ratio, bias=True)
            else:
                branch = ConvNorm(in_channels, channels, 3, dilation=ratio, bias=True)
            self.branches.append(branch)
        self.pooled = PooledConv(in_channels, channels, 1)
        self.fuse = ConvNorm(channels * (len(ratios) + 1), channels, 1, bias=True)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        """[N, C, H, W] -> [N, channels, H, W]."""
        branches = [branch(x) for branch in self.branches]
        whole = self.pooled(x).expand_as(branches[0])
        return self.dropout(self.fuse(paddle.concat([*branches, whole], axis=1)))


class PooledPyramid(nn.Layer):
    """Pyramid pooling (Zhao et al., 2017): the map joined with its means over 1, 2 x 2, 3 x 3 ... cells.

    align_corners: of the way back to the size of the map; Paddle's FastSCNN aligns them, here only
    """

    def __init__(
        self, in_channels: int, out_channels: int, bins: Sequence[int] = (1, 2, 3, 6), align_corners: bool = False
    ) -> None:
        super().__init__()
        inner = in_channels // len(bins)
        self.pools = nn.LayerList(PooledConv(in_channels, inner, count, bias=True) for count in bins)
        self.fuse = ConvNorm(in_channels + inner * len(bins), out_channels, 3, bias=True)
        self._align_corners = align_corners

    def forward(self, x: Tensor) -> Tensor:
        """[N, C, H, W] -> [N, out_channels, H, W]."""
        pooled = [resize_like(pool(x), x, self._align_corners) for pool in self.pools]
        return self.fuse(paddle.concat([x, *reversed(pooled)], axis=1))
