"""The trunk of SqueezeNet 1.1 (Iandola et al., 2016), as PaddleClas lays it out.

The poolings are not padded and round down, so a level may be a pixel smaller than its stride says (55 instead of 56 for
an image of 224).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import ClassVar

import paddle
import paddle.nn.functional as F
from paddle import Tensor, nn

from pdx_core.contracts import DialectRules, FeatureSpec

# squeezed and expanded channels of each fire module, by level
_LEVELS = (
    ((16, 64), (16, 64)),
    ((32, 128), (32, 128)),
    ((48, 192), (48, 192), (64, 256), (64, 256)),
)
_PARTS = {"squeeze": "_conv._conv", "expand1": "_conv_path1._conv", "expand3": "_conv_path2._conv"}


def _official_fire(match: re.Match[str]) -> str:
    """levels.1.0.squeeze.weight -> _conv3._conv._conv.weight: fire modules are counted through, from 1."""
    level, index, part, leaf = match.groups()
    number = sum(len(fires) for fires in _LEVELS[: int(level)]) + int(index) + 1
    return f"_conv{number}.{_PARTS[part]}.{leaf}"


class Fire(nn.Layer):
    """A 1x1 squeeze, then 1x1 and 3x3 expansions side by side."""

    def __init__(self, in_channels: int, squeezed: int, expanded: int) -> None:
        super().__init__()
        self.squeeze = nn.Conv2D(in_channels, squeezed, 1)
        self.expand1 = nn.Conv2D(squeezed, expanded, 1)
        self.expand3 = nn.Conv2D(squeezed, expanded, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.squeeze(x))
        return paddle.concat([F.relu(self.expand1(x)), F.relu(self.expand3(x))], axis=1)  # [N, 2 * expanded, H, W]


class SqueezeNet(nn.Layer):
    """Levels of stride 4, 8 and 16."""

    dialects: ClassVar[Mapping[str, DialectRules]] = {
        "PaddleClas": (
            (r"stem\.(\w+)", r"_conv.\1"),
            (r"levels\.(\d+)\.(\d+)\.(\w+)\.(\w+)", _official_fire),
        )
    }

    def __init__(self) -> None:
        super().__init__()
        channels = 64
        self.stem = nn.Conv2D(3, channels, 3, stride=2, padding=1)
        self.pool = nn.MaxPool2D(3, stride=2)
        self.levels = nn.LayerList()
        features = []
        for index, rows in enumerate(_LEVELS):
            fires = []
            for squeezed, expanded in rows:
                fires.append(Fire(channels, squeezed, expanded))
                channels = 2 * expanded
            self.levels.append(nn.Sequential(*fires))
            features.append(FeatureSpec(channels, stride=4 * 2**index))
        self.features = tuple(features)

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """images float32 [N, 3, H, W] -> one tensor per entry of `features`."""
        x = F.relu(self.stem(images))
        levels = []
        for fires in self.levels:
            x = fires(self.pool(x))
            levels.append(x)
        return tuple(levels)
