"""ESNet, the enhanced ShuffleNet of PicoDet (Yu et al., "PP-PicoDet", 2021), with the ratios of PicoDet-S."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, ClassVar

from pdx_core.contracts import DialectRules
from pdx_core.paddle_support import require_paddle

require_paddle()

import paddle  # noqa: E402
import paddle.nn.functional as F  # noqa: E402
from paddle import ParamAttr, Tensor, nn  # noqa: E402

from pdx_backbones.dialects import translate_indexed, translate_parts  # noqa: E402
from pdx_backbones.esnet_specs import RATIOS, STAGE_CHANNELS, STEM_CHANNELS  # noqa: E402
from pdx_backbones.layers import ConvNorm, SqueezeExcite, freeze, make_divisible  # noqa: E402
from pdx_backbones.stages import plan_chain  # noqa: E402

# Stage and place in it, from 0, of each block.
_PLACES = tuple((stage, place) for stage, ratios in enumerate(RATIOS) for place in range(len(ratios)))
_SHARED_WORDS = {"conv": "_conv", "norm": "_batch_norm", "se": "_se", "reduce": "conv1", "restore": "conv2"}
_WORDS = {
    **_SHARED_WORDS,
    "left_depthwise": "_conv_dw_1",
    "left_pointwise": "_conv_linear_1",
    "right_expand": "_conv_pw_2",
    "right_depthwise": "_conv_dw_2",
    "right_project": "_conv_linear_2",
    "mix_depthwise": "_conv_dw_mv1",
    "mix_pointwise": "_conv_pw_mv1",
    "expand": "_conv_pw",
    "depthwise": "_conv_dw",
    "project": "_conv_linear",
}


def _detection_block(match: re.Match[str]) -> str:
    stage, place = _PLACES[int(match.group(1))]
    return f"{stage + 2}_{place + 1}."


def _conv(*shape: int, act: str | None = "hardswish", **options: Any) -> ConvNorm:
    return ConvNorm(*shape, act=act, weight_attr=ParamAttr(initializer=nn.initializer.KaimingNormal()), **options)


class StridedBlock(nn.Layer):
    """Two branches of half the output channels each, put side by side and mixed by a separable convolution."""

    def __init__(
        self, in_channels: int, inner: int, out_channels: int, stride: int, dilation: int, *, norm: str
    ) -> None:
        super().__init__()
        half, narrow = out_channels // 2, inner // 2
        place = {"dilation": dilation, "norm": norm}
        self.left_depthwise = _conv(in_channels, in_channels, 3, stride, groups=in_channels, act=None, **place)
        self.left_pointwise = _conv(in_channels, half, 1, norm=norm)
        self.right_expand = _conv(in_channels, narrow, 1, norm=norm)
        self.right_depthwise = _conv(narrow, narrow, 3, stride, groups=narrow, act=None, **place)
        self.se = SqueezeExcite(narrow, narrow // 4)
        self.right_project = _conv(narrow, half, 1, norm=norm)
        self.mix_depthwise = _conv(out_channels, out_channels, 3, groups=out_channels, **place)
        self.mix_pointwise = _conv(out_channels, out_channels, 1, norm=norm)

    def forward(self, x: Tensor) -> Tensor:
        left = self.left_pointwise(self.left_depthwise(x))
        right = self.right_project(self.se(self.right_depthwise(self.right_expand(x))))
        return self.mix_pointwise(self.mix_depthwise(paddle.concat([left, right], axis=1)))


class ShuffleBlock(nn.Layer):
    """Half of the channels pass, the other half goes through a ghost convolution with attention; then both mix."""

    def __init__(self, channels: int, inner: int, dilation: int, *, norm: str) -> None:
        super().__init__()
        half, narrow = channels // 2, inner // 2
        self.expand = _conv(half, narrow, 1, norm=norm)
        self.depthwise = _conv(narrow, narrow, 3, groups=narrow, act=None, dilation=dilation, norm=norm)
        self.se = SqueezeExcite(2 * narrow, 2 * narrow // 4)
        self.project = _conv(2 * narrow, half, 1, norm=norm)

    def forward(self, x: Tensor) -> Tensor:
        passed, worked = x.chunk(2, axis=1)
        narrow = self.expand(worked)
        worked = self.project(self.se(paddle.concat([narrow, self.depthwise(narrow)], axis=1)))
        return F.channel_shuffle(paddle.concat([passed, worked], axis=1), 2)


class ESNet(nn.Layer):
    """The trunk: the pooled stem (stride 4) and levels of stride 8, 16, 32. PicoDet takes out_stages (1, 2, 3).

    scale:  width multiplier; channels are rounded to multiples of 16
    levels: see `stages.plan_chain`; norm cannot be "group", and freeze_stages 1 and 2 both fix the stem
    """

    dialects: ClassVar[Mapping[str, DialectRules]] = {
        "PaddleDetection": (
            *translate_indexed(
                r"blocks\.(\d+)\.",
                _detection_block,
                _WORDS,
                prefix="backbone.",
            ),
            *translate_parts({**_SHARED_WORDS, "stem": "_conv1"}, prefix="backbone."),
        )
    }

    def __init__(self, scale: float = 0.75, **levels: Any) -> None:
        super().__init__()
        plan = plan_chain(
            [2, *(1 if place else 2 for _, place in _PLACES)],  # the pooling counts as the first block
            late_dilation=True,
            **levels,
        )
        self.stem = _conv(3, STEM_CHANNELS, 3, 2, norm=plan.stem_norm)
        self.pool = nn.MaxPool2D(3, 2, padding=1)
        self.blocks = nn.LayerList()
        widths = [STEM_CHANNELS]
        for (stage, place), block in zip(_PLACES, plan.blocks[1:], strict=False):  # later ones serve no wanted level
            channels = make_divisible(STAGE_CHANNELS[stage] * scale, 16)
            inner = make_divisible(int(channels * RATIOS[stage][place]), 8)
            if place:
                layer: nn.Layer = ShuffleBlock(channels, inner, block.dilation, norm=block.norm)
            else:
                layer = StridedBlock(widths[-1], inner, channels, block.stride, block.dilation, norm=block.norm)
            self.blocks.append(layer)
            widths.append(channels)
        freeze(*plan.frozen_parts(self.stem, [self.pool, *self.blocks]))

        self._plan = plan
        self.features = plan.features(widths)

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """images float32 [N, 3, H, W] -> one tensor per entry of `features`."""
        return self._plan.levels(self.stem(images), [self.pool, *self.blocks])
