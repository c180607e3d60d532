"""MobileNetV2 (Sandler et al., 2018) as Paddle trains it.

Deviations of Paddle's release from the paper, kept because the published weights need them: the first block has an
expansion convolution although it does not widen, and channels are rounded down, not to multiples of 8.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, ClassVar

from pdx_core.contracts import DialectRules
from pdx_core.paddle_support import require_paddle

require_paddle()

from paddle import nn  # noqa: E402

from pdx_backbones.chain_trunk import ChainTrunk  # noqa: E402
from pdx_backbones.dialects import translate_indexed, translate_parts  # noqa: E402
from pdx_backbones.inverted_residual import InvertedResidual  # noqa: E402
from pdx_backbones.layers import ConvNorm  # noqa: E402
from pdx_backbones.mobilenet_v2_specs import STAGES, STEM_CHANNELS  # noqa: E402
from pdx_backbones.stages import plan_chain  # noqa: E402

_WORDS = {
    "stem": "conv1",
    "conv": "_conv",
    "norm": "_batch_norm",
    "expand": "_expand_conv",
    "depthwise": "_bottleneck_conv",
    "project": "_linear_conv",
}
# Stage and place in it, from 0, of each block.
_PLACES = tuple((stage, place) for stage, row in enumerate(STAGES) for place in range(row.count))


def _release_block(match: re.Match[str]) -> str:
    stage, place = _PLACES[int(match.group(1))]
    name = f"conv{stage + 2}"
    return f"{name}.{name}_{place + 1}." if place else f"{name}._first_block."


def _rules(prefix: str) -> DialectRules:
    return (
        *translate_indexed(r"blocks\.(\d+)\.", _release_block, _WORDS, prefix),
        *translate_parts(_WORDS, prefix),
    )


class MobileNetV2(ChainTrunk):
    """The trunk; the 1280-wide convolution that follows it is the classification head's.

    scale:  width multiplier; channels are rounded down
    levels: see `stages.plan_chain`
    """

    dialects: ClassVar[Mapping[str, DialectRules]] = {"PaddleClas": _rules(""), "PaddleSeg": _rules("backbone.")}

    def __init__(self, scale: float = 1.0, **levels: Any) -> None:
        plan = plan_chain(
            [STAGES[stage].stride if place == 0 else 1 for stage, place in _PLACES],
            late_dilation=True,
            **levels,
        )
        channels = int(STEM_CHANNELS * scale)
        stem = ConvNorm(3, channels, 3, 2, act="relu6", norm=plan.stem_norm)
        blocks: list[nn.Layer] = []
        widths = [int(STAGES[stage].channels * scale) for stage, _ in _PLACES]
        # strict=False: later blocks serve no wanted level
        for (stage, place), out_channels, block in zip(_PLACES, widths, plan.blocks, strict=False):
            blocks.append(
                InvertedResidual(
                    channels,
                    channels * STAGES[stage].expansion,
                    out_channels,
                    3,
                    block.stride,
                    block.dilation,
                    residual=place > 0,
                    act="relu6",
                    norm=block.norm,
                )
            )
            channels = out_channels
        super().__init__(plan, stem, blocks, widths)
