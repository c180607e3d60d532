"""Modulated deformable convolution (Zhu et al., "Deformable ConvNets v2", 2019)."""

from __future__ import annotations

from pdx_core.paddle_support import require_paddle

require_paddle()

import paddle.nn.functional as F  # noqa: E402
from paddle import ParamAttr, Tensor, nn  # noqa: E402
from paddle.vision.ops import DeformConv2D  # noqa: E402

from pdx_backbones.layers import activation, norm_layer  # noqa: E402


class DeformableConvNorm(nn.Layer):
    """`layers.ConvNorm` whose taps are moved and weighted by a convolution of the same input.

    That convolution starts at zero, so that training begins with a plain convolution at half strength.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int = 3,
        stride: int = 1,
        *,
        dilation: int = 1,
        groups: int = 1,
        act: str | None = "relu",
        norm: str = "batch",
    ) -> None:
        super().__init__()
        taps = kernel_size * kernel_size
        padding = dilation * (kernel_size - 1) // 2
        zero = ParamAttr(initializer=nn.initializer.Constant(0.0))
        self.offset = nn.Conv2D(
            in_channels,
            3 * taps,  # y and x of every tap, then their weights
            kernel_size,
            stride,
            padding,
            dilation,
            weight_attr=zero,
            bias_attr=zero,
        )
        self.conv = DeformConv2D(
            in_channels, out_channels, kernel_size, stride, padding, dilation, groups=groups, bias_attr=False
        )
        self.norm = norm_layer(norm, out_channels)
        self.act = activation(act)
        self._split = [2 * taps, taps]

    def forward(self, x: Tensor) -> Tensor:
        offset, weight = self.offset(x).split(self._split, axis=1)  # [N, 2 k k, H, W], [N, k k, H, W]
        return self.act(self.norm(self.conv(x, offset, F.sigmoid(weight))))
