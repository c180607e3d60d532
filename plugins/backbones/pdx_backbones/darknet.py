"""DarkNet53 (Redmon and Farhadi, "YOLOv3", 2018).

Paddle's ImageNet release has ReLU where the paper, and the detectors, have a leaky ReLU of slope 0.1.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, ClassVar

from pdx_core.contracts import DialectRules
from pdx_core.paddle_support import require_paddle

require_paddle()

from paddle import Tensor, nn  # noqa: E402

from pdx_backbones.darknet_specs import BLOCK_COUNTS, STAGE_CHANNELS  # noqa: E402
from pdx_backbones.dialects import translate_indexed  # noqa: E402
from pdx_backbones.layers import ConvNorm, freeze  # noqa: E402
from pdx_backbones.stages import plan_chain  # noqa: E402

# A layer in our names: stem.0 (first convolution), stem.1, stages.S.0 (strided), stem.2, stages.S.B (block).
_PLACE = r"(stem|stages)\.(\d+)\.(?:(\d+)\.)?"


def _place(match: re.Match[str]) -> tuple[int, int]:
    """Number of the stage, counting that of stride 2 as 0, and of the layer in it: 0 strides, 1 is the first block."""
    part, first, second = match.groups()
    return (0, int(first) - 1) if part == "stem" else (int(first) + 1, int(second))


def _clas(match: re.Match[str]) -> str:
    stage, index = _place(match)
    if index > 0:
        return f"_basic_block_{stage}{index}."
    if stage > 0:
        return f"_downsample_{stage - 1}."
    return "_conv1." if index < 0 else "_conv2."


def _detection(match: re.Match[str]) -> str:
    stage, index = _place(match)
    if index == 0:
        return ("downsample0." if stage == 0 else f"stage.{stage - 1}.downsample.") + "conv_bn_layer."
    if index < 0:
        return "conv0."
    return f"stage.{stage}.basicblock0." if index == 1 else f"stage.{stage}.stage.{stage}.{index - 1}."


class DarkBlock(nn.Layer):
    """1x1 to half the channels, 3x3 back, added to the input."""

    def __init__(self, channels: int, dilation: int, *, act: str, norm: str) -> None:
        super().__init__()
        self.conv0 = ConvNorm(channels, channels // 2, 1, act=act, norm=norm)
        self.conv1 = ConvNorm(channels // 2, channels, 3, dilation=dilation, act=act, norm=norm)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.conv1(self.conv0(x))


class DarkNet(nn.Layer):
    """The trunk: levels of stride 4, 8, 16, 32.

    act:    "relu" or "leaky_relu"
    levels: see `stages.plan_chain`; the stem reaches up to stride 2
    """

    dialects: ClassVar[Mapping[str, DialectRules]] = {
        "PaddleClas": translate_indexed(
            _PLACE, _clas, {"conv0": "_conv1", "conv1": "_conv2", "conv": "_conv", "norm": "_bn"}
        ),
        "PaddleDetection": translate_indexed(
            _PLACE, _detection, {"conv0": "conv1", "conv1": "conv2", "norm": "batch_norm"}, prefix="backbone."
        ),
    }

    def __init__(self, act: str = "relu", **levels: Any) -> None:
        super().__init__()
        plan = plan_chain((2, 2, 2, 2), **levels)
        shared = {"act": act, "norm": plan.stem_norm}
        self.stem = nn.Sequential(
            ConvNorm(3, 32, 3, **shared), ConvNorm(32, 64, 3, 2, **shared), DarkBlock(64, 1, **shared)
        )
        self.stages = nn.LayerList()
        in_channels = 64
        for channels, count, place in zip(STAGE_CHANNELS, BLOCK_COUNTS, plan.blocks, strict=False):
            shared = {"act": act, "norm": place.norm}
            strided = ConvNorm(in_channels, channels, 3, place.stride, dilation=place.dilation, **shared)
            self.stages.append(
                nn.Sequential(strided, *(DarkBlock(channels, place.dilation, **shared) for _ in range(count)))
            )
            in_channels = channels
        freeze(*plan.frozen_parts(self.stem, self.stages))

        self._plan = plan
        self.features = plan.features(STAGE_CHANNELS)

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """images float32 [N, 3, H, W] -> one tensor per entry of `features`."""
        return self._plan.levels(self.stem(images), self.stages)
