"""MobileNetV3 (Howard et al., "Searching for MobileNetV3", 2019) as Paddle trains it.

Deviations of Paddle's release from the paper, kept because the published weights need them: the first block has an
expansion convolution although it does not widen, squeeze-and-excitation reduces to exactly a quarter (not rounded to a
multiple of 8), and its gate is clip(0.2 x + 0.5, 0, 1) instead of clip(x / 6 + 0.5, 0, 1).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from pdx_core.contracts import DialectRules
from pdx_core.paddle_support import require_paddle

require_paddle()

from paddle import nn  # noqa: E402

from pdx_backbones.chain_trunk import ChainTrunk  # noqa: E402
from pdx_backbones.dialects import translate_indexed, translate_parts  # noqa: E402
from pdx_backbones.inverted_residual import InvertedResidual  # noqa: E402
from pdx_backbones.layers import ConvNorm, make_divisible  # noqa: E402
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


class MobileNetV3(ChainTrunk):
    """The trunk; the 960-wide (small: 576) and 1280-wide convolutions that follow it are the classification head's.

    variant: "large" or "small"
    scale:   width multiplier; channels are rounded to multiples of 8
    levels:  see `stages.plan_chain`
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

    def __init__(self, variant: str = "large", scale: float = 1.0, **levels: Any) -> None:
        rows = BLOCKS[variant]
        plan = plan_chain(
            [row.stride for row in rows],
            late_dilation=True,
            **levels,
        )
        channels = make_divisible(STEM_CHANNELS * scale)
        stem = ConvNorm(3, channels, 3, 2, act="hardswish", norm=plan.stem_norm)
        blocks: list[nn.Layer] = []
        widths = [make_divisible(row.channels * scale) for row in rows]
        # strict=False: later blocks serve no wanted level
        for row, out_channels, place in zip(rows, widths, plan.blocks, strict=False):
            blocks.append(
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
        super().__init__(plan, stem, blocks, widths)
