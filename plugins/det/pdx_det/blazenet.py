"""The trunk of BlazeFace (Bazarevsky et al. 2019), in Paddle's wide form and in two that a search found."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping

from pdx_core.contracts import DialectRules, FeatureSpec
from pdx_core.errors import ConfigError
from pdx_core.paddle_support import require_paddle

require_paddle()

import paddle.nn.functional as F  # noqa: E402
from paddle import Tensor, nn  # noqa: E402

from pdx_backbones.layers import ConvNorm, SeparableConv  # noqa: E402
from pdx_det.blazeface_specs import FORMS  # noqa: E402

KERNEL = 5


class BlazeBlock(nn.Layer):
    """One separable convolution, or two with a narrow waist between them, beside a shortcut.

    inner: channels of the waist; None: one separable convolution
    act:   at the waist. Every other convolution has ReLU but the last of a single block, which has none
    """

    def __init__(self, in_channels: int, inner: int | None, channels: int, stride: int, *, act: str, norm: str) -> None:
        super().__init__()
        double = inner is not None
        self.first = SeparableConv(
            in_channels,
            inner if double else channels,
            KERNEL,
            stride,
            depthwise_act="relu",
            act=act if double else None,
            norm=norm,
        )
        if double:
            self.second: nn.Layer = SeparableConv(inner, channels, KERNEL, depthwise_act="relu", norm=norm)
        else:
            self.second = nn.Identity()
        if stride > 1:
            self.pool: nn.Layer = nn.MaxPool2D(stride, stride, ceil_mode=True)
            self.shortcut: nn.Layer = ConvNorm(in_channels, channels, 1, norm=norm)
        else:
            self.pool = self.shortcut = nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.second(self.first(x)) + self.shortcut(self.pool(x)))


class BlazeNet(nn.Layer):
    """Two levels of stride 8 and 16: after the last block, and after the fourth from the end, as in the release.

    form: "full", "nas" or "nas_v2" of `blazeface_specs.FORMS`
    """

    def __init__(self, form: str = "full", act: str = "relu", norm: str = "batch") -> None:
        super().__init__()
        if form not in FORMS:
            raise ConfigError(f"form must be one of {', '.join(FORMS)}; got {form!r}")
        single, double = FORMS[form]
        rows = [(None, *row) for row in single] + list(double)
        channels = [single[0][0], *(row[1] for row in rows)]
        self.stem = ConvNorm(3, channels[0], 3, 2, norm=norm)
        self.blocks = nn.LayerList(
            BlazeBlock(width, inner, out_channels, stride, act=act, norm=norm)
            for width, (inner, out_channels, stride) in zip(channels, rows)  # noqa: B905 - the last width ends it
        )
        strides = list(itertools.accumulate((row[2] for row in rows), lambda before, own: before * own, initial=2))[1:]
        self._outputs = (len(rows) - 4, len(rows) - 1)
        self.features = tuple(FeatureSpec(rows[index][1], strides[index]) for index in self._outputs)
        self.dialects: Mapping[str, DialectRules] = {"PaddleDetection": _rules(len(single))}

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        x = self.stem(images)
        levels = []
        for index, block in enumerate(self.blocks):
            x = block(x)
            if index in self._outputs:
                levels.append(x)
        return tuple(levels)


_PARTS = {"first.depthwise": "1_dw", "second.depthwise": "2_dw", "shortcut": "_shortcut_conv"}
_WORDS = {"conv": "_conv", "norm": "_batch_norm"}


def _rules(single_blocks: int) -> DialectRules:
    """Names of the release, which counts single and double blocks on their own."""

    def block(match: re.Match[str]) -> str:
        index, part, word, leaf = int(match[1]), match[2], match[3], match[4]
        name = f"blaze_{index}" if index < single_blocks else f"double_blaze_{index - single_blocks}"
        if part in _PARTS:
            layer = name + _PARTS[part]
        else:
            layer = "conv_pw" if part == "first.pointwise" else "conv_pw2"
        return f"backbone.{name}.{layer}.{_WORDS[word]}.{leaf}"

    def stem(match: re.Match[str]) -> str:
        return f"backbone.conv1.{_WORDS[match[1]]}.{match[2]}"

    return (
        (r"blocks\.(\d+)\.((?:first|second)\.\w+|shortcut)\.(conv|norm)\.(\w+)", block),
        (r"stem\.(conv|norm)\.(\w+)", stem),
    )
