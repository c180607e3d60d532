"""PP-LCNet (Cui et al., "PP-LCNet: A Lightweight CPU Convolutional Neural Network", 2021)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, ClassVar

from pdx_core.contracts import DialectRules
from pdx_core.paddle_support import require_paddle

require_paddle()

from paddle import ParamAttr, Tensor, nn  # noqa: E402

from pdx_backbones.chain_trunk import ChainTrunk  # noqa: E402
from pdx_backbones.dialects import translate_indexed, translate_parts  # noqa: E402
from pdx_backbones.layers import ConvNorm, SqueezeExcite, make_divisible  # noqa: E402
from pdx_backbones.pp_lcnet_specs import BLOCKS, STEM_CHANNELS  # noqa: E402
from pdx_backbones.stages import plan_chain  # noqa: E402

_WORDS = {
    "stem": "conv1",
    "norm": "bn",
    "depthwise": "dw_conv",
    "reduce": "conv1",
    "restore": "conv2",
    "pointwise": "pw_conv",
}
_BLOCK = r"blocks\.(\d+)\."
# Official group of each block and its place in it: blocks2 is the block of stride 2, blocks3 those of stride 4 ...
_GROUPS = tuple((group, index) for group, count in ((2, 1), (3, 2), (4, 2), (5, 6), (6, 2)) for index in range(count))


def _clas_block(match: re.Match[str]) -> str:
    group, index = _GROUPS[int(match.group(1))]
    return f"blocks{group}.{index}."


class DepthwiseSeparable(nn.Layer):
    """Filter each channel, (attend,) mix the channels; an activation after both."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        stride: int,
        dilation: int,
        *,
        attend: bool,
        norm: str,
    ) -> None:
        super().__init__()
        shared = {
            "act": "hardswish",
            "norm": norm,
            "weight_attr": ParamAttr(initializer=nn.initializer.KaimingNormal()),
        }
        self.depthwise = ConvNorm(
            in_channels, in_channels, kernel_size, stride, dilation=dilation, groups=in_channels, **shared
        )
        self.se = SqueezeExcite(in_channels, in_channels // 4) if attend else nn.Identity()
        self.pointwise = ConvNorm(in_channels, out_channels, 1, **shared)

    def forward(self, x: Tensor) -> Tensor:
        return self.pointwise(self.se(self.depthwise(x)))


class PPLCNet(ChainTrunk):
    """The trunk; the 1280-wide convolution that follows it is the classification head's.

    scale:  width multiplier; channels are rounded to multiples of 8
    levels: see `stages.plan_chain`
    """

    dialects: ClassVar[Mapping[str, DialectRules]] = {
        "PaddleClas": (*translate_indexed(_BLOCK, _clas_block, _WORDS), *translate_parts(_WORDS)),
    }

    def __init__(self, scale: float = 1.0, **levels: Any) -> None:
        plan = plan_chain([row.stride for row in BLOCKS], **levels)
        channels = make_divisible(STEM_CHANNELS * scale)
        stem = ConvNorm(
            3,
            channels,
            3,
            2,
            act="hardswish",
            norm=plan.stem_norm,
            weight_attr=ParamAttr(initializer=nn.initializer.KaimingNormal()),
        )
        blocks: list[nn.Layer] = []
        widths = [make_divisible(row.channels * scale) for row in BLOCKS]
        # strict=False: later blocks serve no wanted level
        for row, out_channels, place in zip(BLOCKS, widths, plan.blocks, strict=False):
            blocks.append(
                DepthwiseSeparable(
                    channels,
                    out_channels,
                    row.kernel_size,
                    place.stride,
                    place.dilation,
                    attend=row.attend,
                    norm=place.norm,
                )
            )
            channels = out_channels
        super().__init__(plan, stem, blocks, widths)
