"""The neck of PicoDet (Yu et al. 2021): a path aggregation network of thin cross-stage partial layers."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import ClassVar

from pdx_core.contracts import DialectRules, FeatureSpec
from pdx_core.paddle_support import require_paddle

require_paddle()

import paddle  # noqa: E402
import paddle.nn.functional as F  # noqa: E402
from paddle import Tensor, nn  # noqa: E402

from pdx_backbones.layers import ConvNorm  # noqa: E402

ACT = "hardswish"
_PARTS = (
    (r"^lateral\.", "conv_t.convs."),
    (r"^extra_lateral\.", "first_top_conv."),
    (r"^extra_upward\.", "second_top_conv."),
    (r"depthwise\.conv", "dwconv"),
    (r"depthwise\.norm", "bn1"),
    (r"pointwise\.conv", "pwconv"),
    (r"pointwise\.norm", "bn2"),
    (r"\.norm\.", ".bn."),
    (r"\.main\.", ".main_conv."),
    (r"\.short\.", ".short_conv."),
    (r"\.join\.", ".final_conv."),
    (r"\.narrow\.", ".blocks.0.conv1."),
    (r"\.filter\.", ".blocks.0.conv2."),
)


def _official(match: re.Match[str]) -> str:
    name = match.group()
    for expression, replacement in _PARTS:
        name = re.sub(expression, replacement, name)
    return f"neck.{name}"


class DepthwisePair(nn.Layer):
    """A filter per channel, then a 1x1 convolution, both with norm and activation."""

    def __init__(self, channels: int, kernel_size: int = 5, stride: int = 1) -> None:
        super().__init__()
        self.depthwise = ConvNorm(channels, channels, kernel_size, stride, groups=channels, act=ACT)
        self.pointwise = ConvNorm(channels, channels, 1, act=ACT)

    def forward(self, x: Tensor) -> Tensor:
        return self.pointwise(self.depthwise(x))


class PartialLayer(nn.Layer):
    """Half of the width is filtered, half goes past, both are joined. The filtered half has no residual connection."""

    def __init__(self, in_channels: int, channels: int, kernel_size: int) -> None:
        super().__init__()
        half = channels // 2
        self.main = ConvNorm(in_channels, half, 1, act=ACT)
        self.short = ConvNorm(in_channels, half, 1, act=ACT)
        self.narrow = ConvNorm(half, half, 1, act=ACT)
        self.filter = DepthwisePair(half, kernel_size)
        self.join = ConvNorm(2 * half, channels, 1, act=ACT)

    def forward(self, x: Tensor) -> Tensor:
        filtered = self.filter(self.narrow(self.main(x)))
        return self.join(paddle.concat([filtered, self.short(x)], axis=1))


class CSPPAN(nn.Layer):
    """Down, up, and one level more, at twice the coarsest stride.

    features: consecutive levels whose strides double; the input should be a multiple of the coarsest one
    """

    dialects: ClassVar[Mapping[str, DialectRules]] = {"PaddleDetection": ((r".+", _official),)}

    def __init__(self, features: Sequence[FeatureSpec], channels: int = 96, kernel_size: int = 5) -> None:
        super().__init__()
        count = len(features)
        self.lateral = nn.LayerList(ConvNorm(level.channels, channels, 1, act=ACT) for level in features)
        self.top_down_blocks = nn.LayerList(
            PartialLayer(2 * channels, channels, kernel_size) for _ in range(count - 1)
        )  # coarsest first
        self.downsamples = nn.LayerList(DepthwisePair(channels, kernel_size, 2) for _ in range(count - 1))
        self.bottom_up_blocks = nn.LayerList(
            PartialLayer(2 * channels, channels, kernel_size) for _ in range(count - 1)
        )
        self.extra_lateral = DepthwisePair(channels, kernel_size, 2)
        self.extra_upward = DepthwisePair(channels, kernel_size, 2)
        strides = [level.stride for level in features]
        self.features = tuple(FeatureSpec(channels, stride) for stride in (*strides, 2 * strides[-1]))

    def forward(self, features: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        lateral = [conv(features[index]) for index, conv in enumerate(self.lateral)]
        down = [lateral[-1]]  # finest first
        for index, block in enumerate(self.top_down_blocks):
            enlarged = F.interpolate(down[0], scale_factor=2.0, mode="nearest")
            down.insert(0, block(paddle.concat([enlarged, lateral[-2 - index]], axis=1)))
        levels = [down[0]]
        for index, block in enumerate(self.bottom_up_blocks):
            reduced = self.downsamples[index](levels[-1])
            levels.append(block(paddle.concat([reduced, down[index + 1]], axis=1)))
        levels.append(self.extra_lateral(lateral[-1]) + self.extra_upward(levels[-1]))
        return tuple(levels)
