"""Xception (Chollet, 2017) with the depths of DeepLab, as PaddleClas trains it.

Deviation of Paddle's release from the paper, kept because the published weights need it: a separable convolution mixes
the channels first and filters each of them afterwards, with a norm after either step.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from pdx_core.contracts import DialectRules
from pdx_core.errors import ConfigError
from pdx_core.paddle_support import require_paddle

require_paddle()

import paddle.nn.functional as F  # noqa: E402
from paddle import Tensor, nn  # noqa: E402

from pdx_backbones.chain_trunk import ChainTrunk  # noqa: E402
from pdx_backbones.dialects import translate_indexed  # noqa: E402
from pdx_backbones.layers import ConvNorm  # noqa: E402
from pdx_backbones.stages import BlockPlan, plan_chain  # noqa: E402
from pdx_backbones.xception_specs import ENTRY_FLOWS, MIDDLE_BLOCKS  # noqa: E402

_STEM_CHANNELS = 64
_WORDS = {
    "conv": "_conv",
    "norm": "_batch_norm",
    "short": "_short",
    "pointwise": "_pointwise_conv",
    "depthwise": "_depthwise_conv",
}


class SeparableConv(nn.Layer):
    """1x1 convolution over the channels, then a 3x3 one inside each; neither has an activation."""

    def __init__(self, in_channels: int, out_channels: int, dilation: int, *, norm: str) -> None:
        super().__init__()
        self.pointwise = ConvNorm(in_channels, out_channels, 1, act=None, norm=norm)
        self.depthwise = ConvNorm(
            out_channels, out_channels, 3, dilation=dilation, groups=out_channels, act=None, norm=norm
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.depthwise(self.pointwise(x))


class XceptionBlock(nn.Layer):
    """Separable convolutions, each after a ReLU, then pooling; added to the input or to a 1x1 convolution of it.

    channels:   of each separable convolution
    project:    whether the input needs the 1x1 convolution (it has no norm)
    relu_first: False for the first block of the network, whose input is the output of a ReLU
    """

    def __init__(
        self, in_channels: int, channels: Sequence[int], place: BlockPlan, *, project: bool, relu_first: bool = True
    ) -> None:
        super().__init__()
        self.relu_first = relu_first
        self.convs = nn.LayerList()
        width = in_channels
        for out_channels in channels:
            self.convs.append(SeparableConv(width, out_channels, place.dilation, norm=place.norm))
            width = out_channels
        self.pool = nn.MaxPool2D(3, place.stride, padding=1) if project else nn.Identity()
        self.short = nn.Conv2D(in_channels, width, 1, place.stride, bias_attr=False) if project else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        out = x
        for index, conv in enumerate(self.convs):
            out = conv(F.relu(out) if index or self.relu_first else out)
        return self.pool(out) + self.short(x)


class XceptionTail(nn.Layer):
    """What follows the last block: two separable convolutions to 2048 channels, each before a ReLU."""

    def __init__(self, in_channels: int, dilation: int, *, norm: str) -> None:
        super().__init__()
        self.conv0 = SeparableConv(in_channels, 1536, dilation, norm=norm)
        self.conv1 = SeparableConv(1536, 2048, dilation, norm=norm)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.conv1(F.relu(self.conv0(x))))


class Xception(ChainTrunk):
    """The trunk: levels of stride 4, 8, 16, 32; that of stride 16 is the output of the middle flow.

    depth:  41, 65 or 71
    levels: see `stages.plan_chain`
    """

    def __init__(self, depth: int = 65, **levels: Any) -> None:
        entry, middle = flows(depth)
        plan = plan_chain(flow_strides(depth), **levels)
        stem = nn.Sequential(
            ConvNorm(3, 32, 3, 2, norm=plan.stem_norm), ConvNorm(32, _STEM_CHANNELS, 3, norm=plan.stem_norm)
        )
        blocks: list[nn.Layer] = []
        widths: list[int] = []
        channels = _STEM_CHANNELS
        for index, place in enumerate(plan.blocks):  # blocks that serve no wanted level are not in the plan
            block: Any
            if index < len(entry):
                block = XceptionBlock(channels, [entry[index][0]] * 2, place, project=True, relu_first=index > 0)
                channels = entry[index][0]
            elif index < len(entry) + middle:
                block = XceptionBlock(channels, [channels] * 3, place, project=False)
            elif index == len(entry) + middle:
                block = XceptionBlock(channels, [channels, 1024], place, project=True)
                channels = 1024
            else:
                block = XceptionTail(channels, place.dilation, norm=place.norm)
                channels = 2048
            blocks.append(block)
            widths.append(channels)
        super().__init__(plan, stem, blocks, widths)
        self.dialects: Mapping[str, DialectRules] = {"PaddleClas": _clas_rules(len(entry), middle)}


def flows(depth: int) -> tuple[tuple[tuple[int, int], ...], int]:
    """Entry flow and number of middle blocks; raises ConfigError for a depth without a table."""
    if depth not in ENTRY_FLOWS:
        raise ConfigError(f"depth must be one of {', '.join(map(str, ENTRY_FLOWS))}; got {depth!r}")
    return ENTRY_FLOWS[depth], MIDDLE_BLOCKS[depth]


def flow_strides(depth: int) -> list[int]:
    """Stride of every block: those of the entry flow, the middle flow and the two of the exit flow."""
    entry, middle = flows(depth)
    return [*(stride for _, stride in entry), *([1] * middle), 2, 1]


def _clas_rules(entry: int, middle: int) -> DialectRules:
    def block_name(match: re.Match[str]) -> str:
        index, conv = int(match.group(1)), match.group(2)
        if index < entry:  # the convolutions of this flow count from 1 and have no underscore before the number
            return f"_entry_flow._conv_{index}." + (f"_conv{int(conv) + 1}." if conv else "")
        if index < entry + middle:
            return f"_middle_flow._conv_{index - entry}." + (f"_conv_{conv}." if conv else "")
        return "_exit_flow._conv_0." + (f"_conv_{int(conv) + 1}." if conv else "")

    tail = rf"blocks\.{entry + middle + 1}\.conv(\d)\."
    return (
        *translate_indexed(r"stem\.(\d)\.", lambda match: f"_entry_flow._conv{int(match.group(1)) + 1}.", _WORDS),
        *translate_indexed(tail, lambda match: f"_exit_flow._conv_{int(match.group(1)) + 1}.", _WORDS),
        *translate_indexed(r"blocks\.(\d+)\.(?:convs\.(\d)\.)?", block_name, _WORDS),
    )
