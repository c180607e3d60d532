"""MobileNetV1 (Howard et al., "MobileNets", 2017)."""

from __future__ import annotations

import itertools
import operator
from collections.abc import Mapping, Sequence
from typing import ClassVar

from pdx_core.contracts import DialectRules, FeatureSpec
from pdx_core.errors import ConfigError
from pdx_core.paddle_support import require_paddle

require_paddle()

from paddle import ParamAttr, Tensor, nn  # noqa: E402

from pdx_backbones.dialects import translate_indexed, translate_parts  # noqa: E402
from pdx_backbones.layers import ConvNorm, freeze  # noqa: E402
from pdx_backbones.mobilenet_v1_specs import BLOCKS, STEM_CHANNELS  # noqa: E402
from pdx_backbones.stages import ChainPlan, plan_chain  # noqa: E402

_CLAS_WORDS = {"stem": "conv", "norm": "bn", "depthwise": "depthwise_conv", "pointwise": "pointwise_conv"}
_DETECTION_WORDS = {
    "stem": "conv1",
    "conv": "_conv",
    "norm": "_batch_norm",
    "depthwise": "_depthwise_conv",
    "pointwise": "_pointwise_conv",
}
_DETECTION_BLOCKS = ("2_1", "2_2", "3_1", "3_2", "4_1", "4_2", "5_1", "5_2", "5_3", "5_4", "5_5", "5_6", "6")


class SeparableConv(nn.Layer):
    """Filters each channel by a 3x3 convolution, then mixes them by a 1x1 convolution; both with ReLU."""

    def __init__(self, in_channels: int, out_channels: int, stride: int, dilation: int, *, norm: str) -> None:
        super().__init__()
        initial = ParamAttr(initializer=nn.initializer.KaimingNormal())
        self.depthwise = ConvNorm(
            in_channels,
            in_channels,
            3,
            stride,
            dilation=dilation,
            groups=in_channels,
            norm=norm,
            weight_attr=initial,
        )
        self.pointwise = ConvNorm(in_channels, out_channels, 1, norm=norm, weight_attr=initial)

    def forward(self, x: Tensor) -> Tensor:
        return self.pointwise(self.depthwise(x))


class MobileNetV1(nn.Layer):
    """The trunk: levels of stride 4, 8, 16, 32.

    scale:         width multiplier; channels are rounded down
    out_stages:    levels to return; blocks after the last one are not built
    out_blocks:    numbers of the blocks to return instead, from 0; Paddle's YOLOv3 takes (3, 5, 12)
    output_stride: 8 or 16 turn later strides into dilations
    norm:          "batch", "frozen" or "group"
    freeze_stages: 1 fixes the stem, 2 also the blocks up to stride 4, 3 those up to stride 8 ...
    """

    dialects: ClassVar[Mapping[str, DialectRules]] = {
        "PaddleClas": translate_parts(_CLAS_WORDS),
        "PaddleDetection": (
            *translate_indexed(
                r"blocks\.(\d+)\.",
                lambda match: f"conv{_DETECTION_BLOCKS[int(match.group(1))]}.",
                _DETECTION_WORDS,
                prefix="backbone.",
            ),
            *translate_parts(_DETECTION_WORDS, prefix="backbone."),
        ),
    }

    def __init__(
        self,
        scale: float = 1.0,
        out_stages: Sequence[int] = (0, 1, 2, 3),
        output_stride: int = 32,
        norm: str = "batch",
        freeze_stages: int = 0,
        out_blocks: Sequence[int] = (),
    ) -> None:
        super().__init__()
        plan = plan_chain(
            [stride for _, stride in BLOCKS],
            out_stages=(0, 1, 2, 3) if out_blocks else out_stages,
            output_stride=output_stride,
            norm=norm,
            freeze_stages=freeze_stages,
        )
        channels = int(STEM_CHANNELS * scale)
        initial = ParamAttr(initializer=nn.initializer.KaimingNormal())
        self.stem = ConvNorm(3, channels, 3, 2, norm=plan.stem_norm, weight_attr=initial)
        self.blocks = nn.LayerList()
        outputs = _strides_of(out_blocks, plan) if out_blocks else plan.outputs
        for (wide, _), place in zip(BLOCKS[: max(outputs) + 1], plan.blocks, strict=False):
            out_channels = int(wide * scale)
            self.blocks.append(SeparableConv(channels, out_channels, place.stride, place.dilation, norm=place.norm))
            channels = out_channels
        freeze(*plan.frozen_parts(self.stem, self.blocks))

        self._outputs = frozenset(outputs)
        self.features = tuple(FeatureSpec(int(BLOCKS[index][0] * scale), stride) for index, stride in outputs.items())

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """images float32 [N, 3, H, W] -> one tensor per entry of `features`."""
        x = self.stem(images)
        levels = []
        for index, block in enumerate(self.blocks):
            x = block(x)
            if index in self._outputs:
                levels.append(x)
        return tuple(levels)


def _strides_of(out_blocks: Sequence[int], plan: ChainPlan) -> dict[int, int]:
    """Stride of the features behind each of the blocks."""
    if list(out_blocks) != sorted(set(out_blocks)) or not 0 <= out_blocks[0] <= out_blocks[-1] < len(plan.blocks):
        raise ConfigError(
            f"out_blocks must be increasing numbers from 0 to {len(plan.blocks) - 1}; got {list(out_blocks)!r}"
        )
    strides = list(itertools.accumulate((place.stride for place in plan.blocks), operator.mul, initial=2))
    return {block: strides[block + 1] for block in out_blocks}
