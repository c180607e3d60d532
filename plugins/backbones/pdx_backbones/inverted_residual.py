"""The block of MobileNetV2 (Sandler et al., 2018) and MobileNetV3."""

from __future__ import annotations

from pdx_core.paddle_support import require_paddle

require_paddle()

from paddle import Tensor, nn  # noqa: E402

from pdx_backbones.layers import ConvNorm, SqueezeExcite  # noqa: E402


class InvertedResidual(nn.Layer):
    """Widen by a 1x1 convolution, filter each channel, (attend,) narrow without activation; add where `residual`.

    act: of the first two convolutions
    """

    def __init__(
        self,
        in_channels: int,
        wide_channels: int,
        out_channels: int,
        kernel_size: int,
        stride: int,
        dilation: int,
        *,
        residual: bool,
        act: str,
        norm: str,
        attend: bool = False,
    ) -> None:
        super().__init__()
        shared = {"act": act, "norm": norm}
        self.expand = ConvNorm(in_channels, wide_channels, 1, **shared)
        self.depthwise = ConvNorm(
            wide_channels, wide_channels, kernel_size, stride, dilation=dilation, groups=wide_channels, **shared
        )
        # MobileNetV3 as Paddle trains it: exactly a quarter of the channels, and a flatter gate than the paper's
        self.se = SqueezeExcite(wide_channels, wide_channels // 4, gate_slope=0.2) if attend else nn.Identity()
        self.project = ConvNorm(wide_channels, out_channels, 1, act=None, norm=norm)
        self.residual = residual

    def forward(self, x: Tensor) -> Tensor:
        out = self.project(self.se(self.depthwise(self.expand(x))))
        return x + out if self.residual else out
