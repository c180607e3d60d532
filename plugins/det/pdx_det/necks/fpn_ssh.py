"""The neck of BlazeFace-FPN-SSH: two levels of a pyramid, then context modules (SSH, Najibi et al. 2017)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import ClassVar

from pdx_core.contracts import DialectRules, FeatureSpec
from pdx_core.errors import ConfigError
from pdx_core.paddle_support import require_paddle

require_paddle()

import paddle  # noqa: E402
import paddle.nn.functional as F  # noqa: E402
from paddle import Tensor, nn  # noqa: E402

from pdx_backbones.layers import ConvNorm  # noqa: E402

SLOPE = 0.01


class LeakyConv(ConvNorm):
    """Convolution, norm and leaky ReLU of slope 0.01."""

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int) -> None:
        super().__init__(in_channels, out_channels, kernel_size, act=None)
        self.act = nn.LeakyReLU(SLOPE)  # not in a forward of its own: Paddle 2.6 cannot export super() there


class Context(nn.Layer):
    """Five 3x3 convolutions in a row; what the first, third and fifth of them see is put side by side.

    The paper lets the second convolution start from the input; Paddle's release lets it start from the first.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        half, quarter = channels // 2, channels // 4
        self.convs = nn.LayerList(
            [
                ConvNorm(channels, half, 3, act=None),
                LeakyConv(half, quarter, 3),
                ConvNorm(quarter, quarter, 3, act=None),
                LeakyConv(quarter, quarter, 3),
                ConvNorm(quarter, quarter, 3, act=None),
            ]
        )

    def forward(self, x: Tensor) -> Tensor:
        seen = []
        for index, conv in enumerate(self.convs):
            x = conv(x)
            if index % 2 == 0:
                seen.append(x)
        return F.relu(paddle.concat(seen, axis=1))


class FPNSSH(nn.Layer):
    """Both levels get half the channels of the finer one."""

    dialects: ClassVar[Mapping[str, DialectRules]] = {
        "PaddleDetection": (
            (r"lateral\.(\d)\.(conv|norm)\.(\w+)", lambda match: _key(match, f"fpn.conv{int(match[1]) + 1}_fpn")),
            (r"()merge\.(conv|norm)\.(\w+)", lambda match: _key(match, "fpn.conv3_fpn")),
            (
                r"context\.(\d)\.convs\.(\d)\.(conv|norm)\.(\w+)",
                lambda match: _key(match, f"ssh{int(match[1]) + 1}.conv{match[2]}_ssh"),
            ),
        ),
    }

    def __init__(self, features: Sequence[FeatureSpec]) -> None:
        super().__init__()
        channels = features[0].channels // 2
        if len(features) != 2 or channels % 4:
            raise ConfigError(
                "FPNSSH takes two levels, the finer with a multiple of 8 channels; the backbone gives "
                + ", ".join(f"{level.channels} channels at stride {level.stride}" for level in features)
            )
        self.lateral = nn.LayerList(LeakyConv(level.channels, channels, 1) for level in features)
        self.merge = LeakyConv(channels, channels, 3)
        self.context = nn.LayerList(Context(channels) for _ in features)
        self.features = tuple(FeatureSpec(channels, level.stride) for level in features)

    def forward(self, features: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        fine, coarse = self.lateral[0](features[0]), self.lateral[1](features[1])
        size = paddle.shape(fine)[2:]
        fine = self.merge(fine + F.interpolate(coarse, size=size, mode="nearest"))
        return self.context[0](fine), self.context[1](coarse)


def _key(match: re.Match[str], layer: str) -> str:
    word, leaf = match.groups()[-2:]
    return f"neck.{layer}.{'_conv' if word == 'conv' else '_batch_norm'}.{leaf}"
