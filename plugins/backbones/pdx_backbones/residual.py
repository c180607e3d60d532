"""Residual blocks of the ResNet family, which HRNet is made of too.

A bottleneck strides in its 3x3 convolution, as Paddle's releases do.
"""

from __future__ import annotations

from typing import Any

from pdx_core.paddle_support import require_paddle

require_paddle()

import paddle  # noqa: E402
import paddle.nn.functional as F  # noqa: E402
from paddle import Tensor, nn  # noqa: E402

from pdx_backbones.deformable import DeformableConvNorm  # noqa: E402
from pdx_backbones.layers import ConvNorm  # noqa: E402

_SQUEEZE = 16  # channels of a block over those of its attention


class ChannelAttention(nn.Layer):
    """Squeeze and excitation (Hu et al., 2018) with linear layers and a sigmoid."""

    def __init__(self, channels: int, squeeze_channels: int) -> None:
        super().__init__()
        self.reduce = nn.Linear(channels, squeeze_channels)
        self.restore = nn.Linear(squeeze_channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        gate = F.adaptive_avg_pool2d(x, 1).flatten(1)  # [N, C]
        gate = F.sigmoid(self.restore(F.relu(self.reduce(gate))))
        return x * gate.unsqueeze([2, 3])


class SplitConv(nn.Layer):
    """3x3 convolutions over `scales` - 1 slices of the channels; the last slice passes (Gao et al., "Res2Net", 2019).

    cascade: each slice is added to the next one's input, and the last one passes as it is. Without, as where a stage
             begins, slices are independent and the last one is averaged over 3x3.
    """

    def __init__(
        self, channels: int, scales: int, stride: int, *, cascade: bool, deformable: bool, **options: Any
    ) -> None:
        super().__init__()
        width = channels // scales
        kind = DeformableConvNorm if deformable else ConvNorm
        self.convs = nn.LayerList(kind(width, width, 3, stride, **options) for _ in range(scales - 1))
        self.pool = nn.Identity() if cascade else nn.AvgPool2D(3, stride, padding=1)
        self.scales = scales
        self.cascade = cascade

    def forward(self, x: Tensor) -> Tensor:
        slices = x.split(self.scales, axis=1)
        outputs: list[Tensor] = []
        for index, conv in enumerate(self.convs):
            carried = self.cascade and index > 0
            outputs.append(conv(slices[index] + outputs[-1] if carried else slices[index]))
        return paddle.concat([*outputs, self.pool(slices[-1])], axis=1)


class Residual(nn.Layer):
    """Adds a branch to its input, or to a 1x1 convolution of it where `project` asks for one.

    pool_shortcut: average pooling before the convolution takes over its stride (vd). An odd size is rounded up.
    """

    def __init__(
        self, in_channels: int, out_channels: int, stride: int, *, project: bool, pool_shortcut: bool, norm: str
    ) -> None:
        super().__init__()
        pooled = project and pool_shortcut and stride > 1
        self.pool = nn.AvgPool2D(stride, stride, ceil_mode=True) if pooled else nn.Identity()
        self.short = nn.Identity()
        if project:
            self.short = ConvNorm(in_channels, out_channels, 1, 1 if pooled else stride, act=None, norm=norm)

    def branch(self, x: Tensor) -> Tensor:
        raise NotImplementedError

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.branch(x) + self.short(self.pool(x)))


class BasicBlock(Residual):
    """Two 3x3 convolutions."""

    def __init__(
        self, in_channels: int, channels: int, stride: int, dilation: int, *, norm: str, **shortcut: bool
    ) -> None:
        super().__init__(in_channels, channels, stride, norm=norm, **shortcut)
        self.conv0 = ConvNorm(in_channels, channels, 3, stride, dilation=dilation, norm=norm)
        self.conv1 = ConvNorm(channels, channels, 3, dilation=dilation, act=None, norm=norm)

    def branch(self, x: Tensor) -> Tensor:
        return self.conv1(self.conv0(x))


class Bottleneck(Residual):
    """1x1, 3x3 (grouped, deformable or split), 1x1 to four times the channels.

    scales:  more than 1 split the 3x3 convolution, see `SplitConv`
    cascade: of the split; False for the first block of a stage that strides
    attend:  channel attention behind the last convolution (SENet)
    """

    def __init__(
        self,
        in_channels: int,
        channels: int,
        stride: int,
        dilation: int,
        *,
        norm: str,
        width: int,
        groups: int = 1,
        deformable: bool = False,
        scales: int = 1,
        cascade: bool = True,
        attend: bool = False,
        **shortcut: bool,
    ) -> None:
        super().__init__(in_channels, 4 * channels, stride, norm=norm, **shortcut)
        options = {"dilation": dilation, "groups": groups, "norm": norm}
        self.conv0 = ConvNorm(in_channels, width, 1, norm=norm)
        if scales > 1:
            self.conv1 = SplitConv(width, scales, stride, cascade=cascade, deformable=deformable, **options)
        elif deformable:
            self.conv1 = DeformableConvNorm(width, width, 3, stride, **options)
        else:
            self.conv1 = ConvNorm(width, width, 3, stride, **options)
        self.conv2 = ConvNorm(width, 4 * channels, 1, act=None, norm=norm)
        self.se = ChannelAttention(4 * channels, 4 * channels // _SQUEEZE) if attend else nn.Identity()

    def branch(self, x: Tensor) -> Tensor:
        return self.se(self.conv2(self.conv1(self.conv0(x))))
