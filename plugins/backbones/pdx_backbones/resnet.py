"""ResNet (He et al., 2016) and its kin: vd ("Bag of tricks", 2019), ResNeXt (2017), SENet (2018), Res2Net (2019).

One network for every task. Deviations of Paddle's release from the papers, kept because the published weights need
them: the first block of every stage, also of 18 and 34 layers, has a convolution in its shortcut; a bottleneck strides
in its 3x3 convolution. The vd form pools before a strided shortcut and has a stem of three 3x3 convolutions.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pdx_core.errors import ConfigError
from pdx_core.paddle_support import require_paddle

require_paddle()

from paddle import Tensor, nn  # noqa: E402

from pdx_backbones.layers import ConvNorm, freeze  # noqa: E402
from pdx_backbones.residual import BasicBlock, Bottleneck  # noqa: E402
from pdx_backbones.resnet_dialects import res2net_dialects, resnet_dialects  # noqa: E402
from pdx_backbones.resnet_specs import BLOCK_COUNTS, STAGE_CHANNELS, expansion  # noqa: E402
from pdx_backbones.stages import plan_chain  # noqa: E402


class ResNet(nn.Layer):
    """The trunk: levels of stride 4, 8, 16, 32.

    depth:         18, 34, 50, 101, 152 or 200
    variant:       "plain"; "deep" has a stem of three 3x3 convolutions; "vd" pools before strided shortcuts besides
    groups, group_width: of the 3x3 convolutions; ResNeXt 64x4d is 64 and 4
    scales:        slices of these convolutions; Res2Net 26w_4s is 4, with a group_width of 26
    attend:        channel attention in every block (SENet)
    stem_channels: of the last convolution of the stem; half as many before it
    multi_grid:    factors on the dilation of the blocks of the last stage (DeepLab), such as (1, 2, 4)
    dcn_stages:    stages (0..3) whose 3x3 convolutions are deformable; bottlenecks only
    first_stage:   leaves the stem and the stages before out; `forward` then takes that stage's input instead of images
                   (the last stage is the box head of C4 detectors)
    levels:        see `stages.plan_chain`
    """

    def __init__(
        self,
        depth: int = 50,
        variant: str = "plain",
        groups: int = 1,
        group_width: int = 64,
        scales: int = 1,
        attend: bool = False,
        stem_channels: int = 64,
        multi_grid: Sequence[int] = (),
        dcn_stages: Sequence[int] = (),
        first_stage: int = 0,
        **levels: Any,
    ) -> None:
        super().__init__()
        _check(depth, variant, groups * scales > 1 or attend, dcn_stages)
        plan = plan_chain((1, 2, 2, 2), stem_stride=4, **levels)
        counts = BLOCK_COUNTS[depth]
        wide = expansion(depth)

        if variant == "plain":
            rows = ((3, stem_channels, 7, 2),)
        else:
            half = stem_channels // 2
            rows = ((3, half, 3, 2), (half, half, 3, 1), (half, stem_channels, 3, 1))
        self.stem = nn.Sequential(*(ConvNorm(*row, norm=plan.stem_norm) for row in rows if not first_stage))
        self.pool = nn.Identity() if first_stage else nn.MaxPool2D(3, 2, padding=1)

        self.stages = nn.LayerList()
        in_channels = STAGE_CHANNELS[first_stage - 1] * wide if first_stage else stem_channels
        for stage, place in enumerate(plan.blocks):
            if stage < first_stage:
                continue
            channels = STAGE_CHANNELS[stage]
            blocks = []
            for index in range(counts[stage]):
                grid = multi_grid[index % len(multi_grid)] if multi_grid and stage == 3 else 1
                shape = (in_channels, channels, place.stride if index == 0 else 1, place.dilation * grid)
                shared = {"norm": place.norm, "project": index == 0, "pool_shortcut": variant == "vd"}
                if wide == 1:
                    blocks.append(BasicBlock(*shape, **shared))
                else:
                    blocks.append(
                        Bottleneck(
                            *shape,
                            width=channels // 64 * group_width * groups * scales,
                            groups=groups,
                            deformable=stage in dcn_stages,
                            scales=scales,
                            cascade=index > 0 or stage == 0,
                            attend=attend,
                            **shared,
                        )
                    )
                in_channels = channels * wide
            self.stages.append(nn.Sequential(*blocks))
        freeze(*plan.frozen_parts(self.stem, self.stages))

        if scales > 1:
            self.dialects = res2net_dialects(variant, first_stage)
        else:
            self.dialects = resnet_dialects(counts, variant, first_stage)
        self._plan = plan
        self._first_stage = first_stage
        self.features = plan.features([channels * wide for channels in STAGE_CHANNELS])

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """images float32 [N, 3, H, W] -> one tensor per entry of `features`."""
        return self._plan.levels(self.pool(self.stem(images)), self.stages, self._first_stage)


def _check(depth: int, variant: str, special: bool, dcn_stages: Sequence[int]) -> None:
    if depth not in BLOCK_COUNTS:
        raise ConfigError(f"depth must be one of {', '.join(map(str, BLOCK_COUNTS))}; got {depth!r}")
    if variant not in ("plain", "deep", "vd"):
        raise ConfigError(f"variant must be 'plain', 'deep' or 'vd'; got {variant!r}")
    if expansion(depth) == 1 and (special or dcn_stages):
        raise ConfigError(
            f"ResNet of {depth} layers has no bottlenecks, which groups, scales, attend and dcn_stages need"
        )
    if any(stage not in range(4) for stage in dcn_stages):
        raise ConfigError(f"dcn_stages must be stages from 0 to 3; got {list(dcn_stages)!r}")
