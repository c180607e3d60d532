"""MobileNetV2 (Sandler et al., 2018) as Paddle trains it.

Deviations of Paddle's release from the paper, kept because the published weights need them: the first block has an
expansion convolution although it does not widen, and channels are rounded down, not to multiples of 8.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import ClassVar

from pdx_core.contracts import DialectRules, FeatureSpec
from pdx_core.paddle_support import require_paddle

require_paddle()

from paddle import Tensor, nn  # noqa: E402

from pdx_backbones.dialects import translate_indexed, translate_parts  # noqa: E402
from pdx_backbones.layers import ConvNorm, freeze  # noqa: E402
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


class InvertedResidual(nn.Layer):
    """Widen by a 1x1 convolution, filter each channel, narrow without activation; add when shapes agree."""

    def __init__(
        self,
        in_channels: int,
        wide_channels: int,
        out_channels: int,
        stride: int,
        dilation: int,
        *,
        residual: bool,
        norm: str,
    ) -> None:
        super().__init__()
        self.expand = ConvNorm(in_channels, wide_channels, 1, act="relu6", norm=norm)
        self.depthwise = ConvNorm(
            wide_channels, wide_channels, 3, stride, dilation=dilation, groups=wide_channels, act="relu6", norm=norm
        )
        self.project = ConvNorm(wide_channels, out_channels, 1, act=None, norm=norm)
        self.residual = residual

    def forward(self, x: Tensor) -> Tensor:
        out = self.project(self.depthwise(self.expand(x)))
        return x + out if self.residual else out


class MobileNetV2(nn.Layer):
    """The trunk; the 1280-wide convolution that follows it is the classification head's.

    scale:         width multiplier; channels are rounded down
    out_stages:    levels to return, of strides 4, 8, 16, 32
    output_stride: 8 or 16 turn later strides into dilations
    norm:          "batch", "frozen" or "group"
    freeze_stages: 1 fixes the stem, 2 also the blocks up to stride 4, 3 those up to stride 8 ...
    """

    dialects: ClassVar[Mapping[str, DialectRules]] = {"PaddleClas": _rules(""), "PaddleSeg": _rules("backbone.")}

    def __init__(
        self,
        scale: float = 1.0,
        out_stages: Sequence[int] = (0, 1, 2, 3),
        output_stride: int = 32,
        norm: str = "batch",
        freeze_stages: int = 0,
    ) -> None:
        super().__init__()
        plan = plan_chain(
            [STAGES[stage].stride if place == 0 else 1 for stage, place in _PLACES],
            out_stages=out_stages,
            output_stride=output_stride,
            norm=norm,
            freeze_stages=freeze_stages,
            late_dilation=True,
        )
        channels = int(STEM_CHANNELS * scale)
        self.stem = ConvNorm(3, channels, 3, 2, act="relu6", norm=plan.stem_norm)
        self.blocks = nn.LayerList()
        for (stage, place), block in zip(_PLACES, plan.blocks, strict=False):  # later blocks serve no wanted level
            out_channels = int(STAGES[stage].channels * scale)
            self.blocks.append(
                InvertedResidual(
                    channels,
                    channels * STAGES[stage].expansion,
                    out_channels,
                    block.stride,
                    block.dilation,
                    residual=place > 0,
                    norm=block.norm,
                )
            )
            channels = out_channels
        freeze(*plan.frozen_parts(self.stem, self.blocks))

        self._outputs = frozenset(plan.outputs)
        self.features = tuple(
            FeatureSpec(int(STAGES[_PLACES[index][0]].channels * scale), stride)
            for index, stride in plan.outputs.items()
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
