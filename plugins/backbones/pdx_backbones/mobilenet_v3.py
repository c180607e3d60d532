"""MobileNetV3 (Howard et al., "Searching for MobileNetV3", 2019) as Paddle trains it.

Deviations of Paddle's release from the paper, kept because the published weights need them: the first block has an
expansion convolution although it does not widen, squeeze-and-excitation reduces to exactly a quarter (not rounded to a
multiple of 8), and its gate is clip(0.2 x + 0.5, 0, 1) instead of clip(x / 6 + 0.5, 0, 1).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from pdx_core.contracts import DialectRules, FeatureSpec
from pdx_core.paddle_support import require_paddle

require_paddle()

from paddle import Tensor, nn  # noqa: E402

from pdx_backbones.dialects import translate_indexed, translate_parts  # noqa: E402
from pdx_backbones.layers import ConvNorm, SqueezeExcite, freeze, make_divisible  # noqa: E402
from pdx_backbones.mobilenet_v3_specs import BLOCKS, STEM_CHANNELS  # noqa: E402
from pdx_backbones.stages import plan_chain  # noqa: E402

_WORDS = {
    "stem": "conv",
    "norm": "bn",
    "expand": "expand_conv",
    "depthwise": "bottleneck_conv",
    "se": "mid_se",
    "reduce": "conv1",
    "restore": "conv2",
    "project": "linear_conv",
}


class InvertedResidual(nn.Layer):
    """Widen by a 1x1 convolution, filter each channel, (attend,) narrow without activation; add when shapes agree."""

    def __init__(
        self,
        in_channels: int,
        wide_channels: int,
        out_channels: int,
        kernel_size: int,
        stride: int,
        dilation: int,
        *,
        attend: bool,
        residual: bool,
        act: str,
        norm: str,
    ) -> None:
        super().__init__()
        self.expand = ConvNorm(in_channels, wide_channels, 1, act=act, norm=norm)
        self.depthwise = ConvNorm(
            wide_channels,
            wide_channels,
            kernel_size,
            stride,
            dilation=dilation,
            groups=wide_channels,
            act=act,
            norm=norm,
        )
        self.se = SqueezeExcite(wide_channels, wide_channels // 4, gate_slope=0.2) if attend else nn.Identity()
        self.project = ConvNorm(wide_channels, out_channels, 1, act=None, norm=norm)
        self.residual = residual

    def forward(self, x: Tensor) -> Tensor:
        out = self.project(self.se(self.depthwise(self.expand(x))))
        return x + out if self.residual else out


class MobileNetV3(nn.Layer):
    """The trunk; the 960-wide (small: 576) and 1280-wide convolutions that follow it are the classification head's.

    variant:       "large" or "small"
    scale:         width multiplier; channels are rounded to multiples of 8
    out_stages:    levels to return, of strides 4, 8, 16, 32
    output_stride: 8 or 16 turn later strides into dilations
    norm:          "batch", "frozen" or "group"
    freeze_stages: 1 fixes the stem, 2 also the blocks up to stride 4, 3 those up to stride 8 ...
    """

    dialects: ClassVar[Mapping[str, DialectRules]] = {
        "PaddleClas": translate_parts(_WORDS),
        "PaddleSeg": translate_parts(_WORDS, prefix="backbone."),
        "PaddleDetection": (
            *translate_indexed(
                r"blocks\.(\d+)\.", lambda match: f"conv{int(match.group(1)) + 2}.", _WORDS, prefix="backbone."
            ),
            *translate_parts({**_WORDS, "stem": "conv1"}, prefix="backbone."),
        ),
    }

    def __init__(
        self,
        variant: str = "large",
        scale: float = 1.0,
        out_stages: Sequence[int] = (0, 1, 2, 3),
        output_stride: int = 32,
        norm: str = "batch",
        freeze_stages: int = 0,
    ) -> None:
        super().__init__()
        rows = BLOCKS[variant]
        plan = plan_chain(
            [row.stride for row in rows],
            out_stages=out_stages,
            output_stride=output_stride,
            norm=norm,
            freeze_stages=freeze_stages,
            late_dilation=True,
        )
        channels = make_divisible(STEM_CHANNELS * scale)
        self.stem = ConvNorm(3, channels, 3, 2, act="hardswish", norm=plan.stem_norm)
        self.blocks = nn.LayerList()
        for row, place in zip(rows, plan.blocks, strict=False):  # later blocks serve no wanted level
            out_channels = make_divisible(row.channels * scale)
            self.blocks.append(
                InvertedResidual(
                    channels,
                    make_divisible(row.wide_channels * scale),
                    out_channels,
                    row.kernel_size,
                    place.stride,
                    place.dilation,
                    attend=row.attend,
                    residual=row.stride == 1 and channels == out_channels,
                    act=row.act,
                    norm=place.norm,
                )
            )
            channels = out_channels
        freeze(*plan.frozen_parts(self.stem, self.blocks))

        self._outputs = frozenset(plan.outputs)
        self.features = tuple(
            FeatureSpec(make_divisible(rows[index].channels * scale), stride) for index, stride in plan.outputs.items()
        )

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """images float32 [N, 3, H, W] -> one tensor per entry of `features`."""
        x = self.stem(images)
        levels = []
        for index, block in enumerate(self.blocks):
            x = block(x)
            if index in self._outputs:
                levels.append(x)
        return tuple(levels)
