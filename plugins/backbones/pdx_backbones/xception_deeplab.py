"""Xception as DeepLabv3+ changed it (Chen et al., 2018): strides instead of pooling, no shortcut in the last block.

Paddle keeps the dilation of the last block at 2 whatever the output stride; so does this network at output strides 16
and 32. At 8 it is 4, and the middle flow has 2, as in DeepLab's own code; Paddle has no weights for that.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from pdx_core.contracts import DialectRules
from pdx_core.paddle_support import require_paddle

require_paddle()

import paddle.nn.functional as F  # noqa: E402
from paddle import Tensor, nn  # noqa: E402

from pdx_backbones.chain_trunk import ChainTrunk  # noqa: E402
from pdx_backbones.dialects import translate_indexed  # noqa: E402
from pdx_backbones.layers import ConvNorm, SeparableConv  # noqa: E402
from pdx_backbones.stages import plan_chain  # noqa: E402
from pdx_backbones.xception import flow_strides, flows  # noqa: E402

_STEM_CHANNELS = 64
_NORM = {"momentum": 0.99, "epsilon": 1e-3}


class DeepLabBlock(nn.Layer):
    """Three separable convolutions of which the last one strides.

    shortcut: "project" adds a strided 1x1 convolution of the input, "identity" the input, "none" nothing; in the last
              case the activations stand inside the separable convolutions, otherwise before each of them
    """

    def __init__(
        self,
        in_channels: int,
        channels: Sequence[int],
        stride: int,
        dilation: int,
        *,
        shortcut: str,
        norm: str,
    ) -> None:
        super().__init__()
        self.relu_before = shortcut != "none"
        self.residual = shortcut != "none"
        act = None if self.relu_before else "relu"
        self.convs = nn.LayerList()
        width = in_channels
        for index, out_channels in enumerate(channels):
            step = stride if index == len(channels) - 1 else 1
            self.convs.append(
                SeparableConv(
                    width, out_channels, 3, step, dilation=dilation, depthwise_act=act, act=act, norm=norm, **_NORM
                )
            )
            width = out_channels
        self.short = nn.Identity()
        if shortcut == "project":
            self.short = ConvNorm(in_channels, width, 1, stride, act=None, norm=norm, **_NORM)

    def forward(self, x: Tensor) -> Tensor:
        out = x
        for conv in self.convs:
            out = conv(F.relu(out) if self.relu_before else out)
        return out + self.short(x) if self.residual else out


class XceptionDeepLab(ChainTrunk):
    """The trunk: levels of stride 4, 8, 16, 32; that of stride 16 is the output of the middle flow.

    depth:  41, 65 or 71
    levels: see `stages.plan_chain`
    """

    def __init__(self, depth: int = 65, **levels: Any) -> None:
        entry, middle = flows(depth)
        plan = plan_chain(flow_strides(depth), late_dilation=True, **levels)
        stem = nn.Sequential(
            ConvNorm(3, 32, 3, 2, norm=plan.stem_norm, **_NORM),
            ConvNorm(32, _STEM_CHANNELS, 3, norm=plan.stem_norm, **_NORM),
        )
        kinds = [
            *((3 * (channels,), "project") for channels, _ in entry),
            *(((728, 728, 728), "identity") for _ in range(middle)),
            ((728, 1024, 1024), "project"),
            ((1536, 1536, 2048), "none"),
        ]
        blocks: list[nn.Layer] = []
        in_channels = _STEM_CHANNELS
        for (channels, shortcut), place in zip(kinds, plan.blocks, strict=False):  # later ones serve no wanted level
            dilation = max(2, place.dilation) if shortcut == "none" else place.dilation
            blocks.append(
                DeepLabBlock(in_channels, channels, place.stride, dilation, shortcut=shortcut, norm=place.norm)
            )
            in_channels = channels[-1]
        super().__init__(plan, stem, blocks, [channels[-1] for channels, _ in kinds])
        self.dialects: Mapping[str, DialectRules] = {
            "PaddleClas": _rules(depth, ""),
            "PaddleSeg": _rules(depth, "backbone."),
        }


def _rules(depth: int, prefix: str) -> DialectRules:
    entry, middle = flows(depth)
    separable = {
        "depthwise.conv": "_conv1",
        "depthwise.norm": "_bn1",
        "pointwise.conv": "_conv2",
        "pointwise.norm": "_bn2",
    }

    def block_name(match: re.Match[str]) -> str:
        index = int(match.group(1))
        if index < len(entry):
            return f"xception_{depth}/entry_flow/block{index + 1}."
        if index < len(entry) + middle:
            return f"xception_{depth}/middle_flow/block{index - len(entry) + 1}."
        return f"_exit_flow_{index - len(entry) - middle + 1}."

    def conv_name(match: re.Match[str]) -> str:
        return f"{block_name(match)}_conv{int(match.group(2)) + 1}.{separable[match.group(3)]}."

    words = {"conv": "_conv", "norm": "_bn", "short": "_short"}
    return (
        *translate_indexed(r"stem\.(\d)\.", lambda match: f"_conv{int(match.group(1)) + 1}.", words, prefix),
        *translate_indexed(r"blocks\.(\d+)\.convs\.(\d)\.(\w+\.\w+)\.", conv_name, {}, prefix),
        *translate_indexed(r"blocks\.(\d+)\.", block_name, words, prefix),
    )
