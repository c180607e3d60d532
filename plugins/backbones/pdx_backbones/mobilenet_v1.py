"""MobileNetV1 (Howard et al., "MobileNets", 2017)."""

from __future__ import annotations

import itertools
import operator
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import attrs

from pdx_core.contracts import DialectRules
from pdx_core.errors import ConfigError
from pdx_core.paddle_support import require_paddle

require_paddle()

from paddle import ParamAttr, nn  # noqa: E402

from pdx_backbones.chain_trunk import ChainTrunk  # noqa: E402
from pdx_backbones.dialects import translate_indexed, translate_parts  # noqa: E402
from pdx_backbones.layers import ConvNorm, SeparableConv  # noqa: E402
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


class MobileNetV1(ChainTrunk):
    """The trunk: levels of stride 4, 8, 16, 32.

    scale:      width multiplier; channels are rounded down
    out_blocks: numbers of the blocks to return instead of the levels, from 0; Paddle's YOLOv3 takes (3, 5, 12)
    levels:     see `stages.plan_chain`
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

    def __init__(self, scale: float = 1.0, out_blocks: Sequence[int] = (), **levels: Any) -> None:
        strides = [stride for _, stride in BLOCKS]
        if out_blocks:
            plan = _up_to(out_blocks, plan_chain(strides, **{**levels, "out_stages": (0, 1, 2, 3)}))
        else:
            plan = plan_chain(strides, **levels)
        channels = int(STEM_CHANNELS * scale)
        initial = ParamAttr(initializer=nn.initializer.KaimingNormal())
        stem = ConvNorm(3, channels, 3, 2, norm=plan.stem_norm, weight_attr=initial)
        blocks: list[nn.Layer] = []
        widths = [int(wide * scale) for wide, _ in BLOCKS]
        for out_channels, place in zip(widths, plan.blocks, strict=False):  # later blocks serve no wanted level
            blocks.append(
                SeparableConv(
                    channels,
                    out_channels,
                    stride=place.stride,
                    dilation=place.dilation,
                    depthwise_act="relu",
                    norm=place.norm,
                    weight_attr=initial,
                )
            )
            channels = out_channels
        super().__init__(plan, stem, blocks, widths)


def _up_to(out_blocks: Sequence[int], plan: ChainPlan) -> ChainPlan:
    """The plan with other blocks as its levels."""
    if list(out_blocks) != sorted(set(out_blocks)) or not 0 <= out_blocks[0] <= out_blocks[-1] < len(plan.blocks):
        raise ConfigError(
            f"out_blocks must be increasing numbers from 0 to {len(plan.blocks) - 1}; got {list(out_blocks)!r}"
        )
    strides = list(itertools.accumulate((place.stride for place in plan.blocks), operator.mul, initial=2))
    outputs = {block: strides[block + 1] for block in out_blocks}
    return attrs.evolve(plan, outputs=outputs, blocks=plan.blocks[: out_blocks[-1] + 1])
