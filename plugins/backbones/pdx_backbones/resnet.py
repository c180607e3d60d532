"""ResNet (He et al., 2016), its vd form (He et al., "Bag of tricks", 2019) and ResNeXt (Xie et al., 2017).

One network for every task. Deviations of Paddle's release from the papers, kept because the published weights need
them: the first block of every stage, also of 18 and 34 layers, has a convolution in its shortcut; a bottleneck strides
in its 3x3 convolution. The vd form pools before a strided shortcut and has a stem of three 3x3 convolutions.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from pdx_core.contracts import DialectRules, FeatureSpec
from pdx_core.errors import ConfigError
from pdx_core.paddle_support import require_paddle

require_paddle()

import paddle.nn.functional as F  # noqa: E402
from paddle import Tensor, nn  # noqa: E402

from pdx_backbones.deformable import DeformableConvNorm  # noqa: E402
from pdx_backbones.dialects import translate_indexed  # noqa: E402
from pdx_backbones.layers import ConvNorm, freeze  # noqa: E402
from pdx_backbones.resnet_specs import BLOCK_COUNTS, STAGE_CHANNELS, expansion  # noqa: E402
from pdx_backbones.stages import plan_chain  # noqa: E402

_STEM_CHANNELS = 64


class _Residual(nn.Layer):
    """Adds a branch to its input, or to a 1x1 convolution of it where `project` asks for one.

    pool_shortcut: average pooling before the convolution takes over its stride (vd). An odd size is rounded up.
    """

    def __init__(
        self, in_channels: int, out_channels: int, stride: int, *, project: bool, pool_shortcut: bool, norm: str
    ) -> None:
        super().__init__()
        pooled = project and pool_shortcut and stride > 1
        self.pool = nn.AvgPool2D(stride, stride, ceil_mode=True) if pooled else nn.Identity()
        self.short = nn.Identity()
        if project:
            self.short = ConvNorm(in_channels, out_channels, 1, 1 if pooled else stride, act=None, norm=norm)

    def branch(self, x: Tensor) -> Tensor:
        raise NotImplementedError

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.branch(x) + self.short(self.pool(x)))


class BasicBlock(_Residual):
    """Two 3x3 convolutions."""

    def __init__(
        self, in_channels: int, channels: int, stride: int, dilation: int, *, norm: str, **shortcut: bool
    ) -> None:
        super().__init__(in_channels, channels, stride, norm=norm, **shortcut)
        self.conv0 = ConvNorm(in_channels, channels, 3, stride, dilation=dilation, norm=norm)
        self.conv1 = ConvNorm(channels, channels, 3, dilation=dilation, act=None, norm=norm)

    def branch(self, x: Tensor) -> Tensor:
        return self.conv1(self.conv0(x))


class Bottleneck(_Residual):
    """1x1, 3x3 (grouped or deformable), 1x1 to four times the channels."""

    def __init__(
        self,
        in_channels: int,
        channels: int,
        stride: int,
        dilation: int,
        *,
        norm: str,
        groups: int,
        width: int,
        deformable: bool,
        **shortcut: bool,
    ) -> None:
        super().__init__(in_channels, 4 * channels, stride, norm=norm, **shortcut)
        middle = DeformableConvNorm if deformable else ConvNorm
        self.conv0 = ConvNorm(in_channels, width, 1, norm=norm)
        self.conv1 = middle(width, width, 3, stride, dilation=dilation, groups=groups, norm=norm)
        self.conv2 = ConvNorm(width, 4 * channels, 1, act=None, norm=norm)

    def branch(self, x: Tensor) -> Tensor:
        return self.conv2(self.conv1(self.conv0(x)))


class ResNet(nn.Layer):
    """The trunk: levels of stride 4, 8, 16, 32.

    depth:         18, 34, 50, 101, 152 or 200
    variant:       "plain" or "vd"
    groups, group_width: of the 3x3 convolutions; ResNeXt 64x4d is 64 and 4
    out_stages:    levels to return; stages after the last one are not built
    output_stride: 8 or 16 turn the strides of later stages into dilations
    multi_grid:    factors on the dilation of the blocks of the last stage (DeepLab), such as (1, 2, 4)
    norm:          "batch", "frozen" or "group"
    freeze_stages: 1 fixes the stem, 2 also the first stage ...
    dcn_stages:    stages (0..3) whose 3x3 convolutions are deformable; bottlenecks only
    first_stage:   leaves the stem and the stages before out; `forward` then takes that stage's input instead of images
                   (the last stage is the box head of C4 detectors)
    """

    def __init__(
        self,
        depth: int = 50,
        variant: str = "plain",
        groups: int = 1,
        group_width: int = 64,
        out_stages: Sequence[int] = (0, 1, 2, 3),
        output_stride: int = 32,
        multi_grid: Sequence[int] = (),
        norm: str = "batch",
        freeze_stages: int = 0,
        dcn_stages: Sequence[int] = (),
        first_stage: int = 0,
    ) -> None:
        super().__init__()
        _check(depth, variant, groups, dcn_stages)
        plan = plan_chain(
            (1, 2, 2, 2),
            out_stages=out_stages,
            output_stride=output_stride,
            norm=norm,
            freeze_stages=freeze_stages,
            stem_stride=4,
        )
        counts = BLOCK_COUNTS[depth]
        wide = expansion(depth)
        vd = variant == "vd"

        if vd:
            half = _STEM_CHANNELS // 2
            rows = ((3, half, 3, 2), (half, half, 3, 1), (half, _STEM_CHANNELS, 3, 1))
        else:
            rows = ((3, _STEM_CHANNELS, 7, 2),)
        self.stem = nn.Sequential(*(ConvNorm(*row, norm=plan.stem_norm) for row in rows if not first_stage))
        self.pool = nn.Identity() if first_stage else nn.MaxPool2D(3, 2, padding=1)

        self.stages = nn.LayerList()
        in_channels = STAGE_CHANNELS[first_stage - 1] * wide if first_stage else _STEM_CHANNELS
        for stage, place in enumerate(plan.blocks):
            if stage < first_stage:
                continue
            channels = STAGE_CHANNELS[stage]
            blocks = []
            for index in range(counts[stage]):
                grid = multi_grid[index % len(multi_grid)] if multi_grid and stage == 3 else 1
                shape = (in_channels, channels, place.stride if index == 0 else 1, place.dilation * grid)
                shared = {"norm": place.norm, "project": index == 0, "pool_shortcut": vd}
                if wide == 1:
                    blocks.append(BasicBlock(*shape, **shared))
                else:
                    width = channels * group_width // 64 * groups
                    deformable = stage in dcn_stages
                    blocks.append(Bottleneck(*shape, groups=groups, width=width, deformable=deformable, **shared))
                in_channels = channels * wide
            self.stages.append(nn.Sequential(*blocks))
        freeze(*plan.frozen_parts(self.stem, self.stages))

        self.dialects = _dialects(counts, vd, first_stage)
        self._outputs = frozenset(plan.outputs)
        self._first_stage = first_stage
        self.features = tuple(
            FeatureSpec(STAGE_CHANNELS[stage] * wide, stride) for stage, stride in plan.outputs.items()
        )

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """images float32 [N, 3, H, W] -> one tensor per entry of `features`."""
        x = self.pool(self.stem(images))
        levels = []
        for index, stage in enumerate(self.stages, self._first_stage):
            x = stage(x)
            if index in self._outputs:
                levels.append(x)
        return tuple(levels)


def _check(depth: int, variant: str, groups: int, dcn_stages: Sequence[int]) -> None:
    if depth not in BLOCK_COUNTS:
        raise ConfigError(f"depth must be one of {', '.join(map(str, BLOCK_COUNTS))}; got {depth!r}")
    if variant not in ("plain", "vd"):
        raise ConfigError(f"variant must be 'plain' or 'vd'; got {variant!r}")
    if expansion(depth) == 1 and (groups != 1 or dcn_stages):
        raise ConfigError(f"ResNet of {depth} layers has no bottlenecks, which groups and dcn_stages need")
    if any(stage not in range(4) for stage in dcn_stages):
        raise ConfigError(f"dcn_stages must be stages from 0 to 3; got {list(dcn_stages)!r}")


def _dialects(counts: Sequence[int], vd: bool, first_stage: int) -> Mapping[str, DialectRules]:
    """The spellings of Paddle's toolkits, which number blocks through, or letter them, or count per stage."""
    leading = r"(stem|stages)\.(\d+)\.(?:(\d+)\.)?"

    def clas(match: re.Match[str]) -> str:
        part, first, second = match.groups()
        return f"stem.{first}." if part == "stem" else f"blocks.{sum(counts[: int(first) + first_stage]) + int(second)}."

    def detection(match: re.Match[str]) -> str:
        part, first, second = match.groups()
        if part == "stem":
            return f"conv1.conv1_{int(first) + 1}." if vd else "conv1.conv1."
        stage, index = int(first) + first_stage, int(second)
        letter = chr(ord("a") + index)
        if stage == 2 and counts[stage] > 10 and index:  # more blocks than one wants to letter
            letter = f"b{index}"
        return f"res{stage + 2}.res{stage + 2}{letter}."

    def segmentation(match: re.Match[str]) -> str:
        part, first, second = match.groups()
        if part == "stem":
            return f"conv1_{int(first) + 1}." if vd else "conv1."
        return f"bb_{int(first) + first_stage}_{second}."

    branches = {"conv0": "branch2a", "conv1": "branch2b", "conv2": "branch2c", "offset": "conv_offset"}
    detection_rules = translate_indexed(leading, detection, branches, prefix="backbone.")
    if vd:
        pooled = {**branches, "short": "short.conv"}  # the pooling shares a container with the convolution
        strided = rf"(stages)\.([{0 if first_stage else 1}-3])\.(\d+)\.(?=short)"
        detection_rules = (*translate_indexed(strided, detection, pooled, prefix="backbone."), *detection_rules)
    return {
        "PaddleClas": translate_indexed(leading, clas, {"norm": "bn"}),
        "PaddleDetection": detection_rules,
        "PaddleSeg": translate_indexed(
            leading, segmentation, {"conv": "_conv", "norm": "_batch_norm"}, prefix="backbone."
        ),
    }
