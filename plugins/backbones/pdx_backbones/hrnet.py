"""HRNet (Wang et al., "Deep High-Resolution Representation Learning for Visual Recognition", 2019).

Branches of stride 4, 8, 16, 32 run side by side and exchange what they found after every few blocks. A new, coarser
branch starts from the coarsest one so far.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from pdx_core.contracts import DialectRules, FeatureSpec
from pdx_core.errors import ConfigError
from pdx_core.paddle_support import require_paddle

require_paddle()

import paddle  # noqa: E402
import paddle.nn.functional as F  # noqa: E402
from paddle import Tensor, nn  # noqa: E402

from pdx_backbones.hrnet_dialects import DIALECTS  # noqa: E402
from pdx_backbones.hrnet_specs import FORMS  # noqa: E402
from pdx_backbones.layers import ConvNorm, freeze  # noqa: E402
from pdx_backbones.residual import BasicBlock, Bottleneck  # noqa: E402
from pdx_backbones.stages import plan_chain  # noqa: E402

_STEM_CHANNELS = 64


class Exchange(nn.Layer):
    """Every wanted branch becomes the sum of all of them, brought to its channels and its size.

    Finer branches come down by 3x3 convolutions of stride 2, coarser ones by a 1x1 convolution and interpolation.
    """

    def __init__(
        self, channels: Sequence[int], wanted: Sequence[int], *, norm: str, upsample: str, padding: int | str
    ) -> None:
        super().__init__()
        self.rows = nn.LayerList()
        for target, out_channels in enumerate(channels):
            row = nn.LayerList()
            self.rows.append(row)
            for source, in_channels in enumerate(channels if target in wanted else ()):
                if source == target:
                    row.append(nn.Identity())
                elif source > target:
                    row.append(ConvNorm(in_channels, out_channels, 1, act=None, norm=norm))
                else:
                    down = [
                        ConvNorm(in_channels, in_channels, 3, 2, norm=norm, padding=padding)
                        for _ in range(target - source - 1)
                    ]
                    last = ConvNorm(in_channels, out_channels, 3, 2, act=None, norm=norm, padding=padding)
                    row.append(nn.Sequential(*down, last))
        self.wanted = tuple(wanted)
        self.upsample = upsample

    def forward(self, branches: Sequence[Tensor]) -> list[Tensor]:
        sums = []
        for target in self.wanted:
            total = branches[target]
            for source, bring in enumerate(self.rows[target]):
                if source < target:
                    total = total + bring(branches[source])
                elif source > target:
                    size = paddle.shape(branches[target])[2:]  # of the finer branch, right for odd sizes too
                    total = total + F.interpolate(bring(branches[source]), size=size, mode=self.upsample)
            sums.append(F.relu(total))
        return sums


class Unit(nn.Layer):
    """Blocks of each branch by itself, then an exchange."""

    def __init__(
        self, channels: Sequence[int], wanted: Sequence[int], blocks: int, *, norm: str, **exchange: Any
    ) -> None:
        super().__init__()
        self.branches = nn.LayerList()
        for width in channels:
            chain = (
                BasicBlock(width, width, 1, 1, norm=norm, project=False, pool_shortcut=False) for _ in range(blocks)
            )
            self.branches.append(nn.Sequential(*chain))
        self.exchange = Exchange(channels, wanted, norm=norm, **exchange)

    def forward(self, branches: Sequence[Tensor]) -> list[Tensor]:
        return self.exchange([chain(branches[index]) for index, chain in enumerate(self.branches)])


class Stage(nn.Layer):
    """Adds a branch, made from the coarsest one, and runs units over all of them.

    in_channels: of the branches that arrive; the first stage gets one and makes both its branches from it
    wanted:      branches that leave it, by number
    """

    def __init__(
        self,
        in_channels: Sequence[int],
        channels: Sequence[int],
        wanted: Sequence[int],
        units: int,
        blocks: int,
        *,
        norm: str,
        padding: int | str,
        upsample: str,
    ) -> None:
        super().__init__()
        self.new = nn.LayerList()
        if len(in_channels) == 1:
            self.new.append(ConvNorm(in_channels[0], channels[0], 3, norm=norm))
        self.new.append(ConvNorm(in_channels[-1], channels[-1], 3, 2, norm=norm, padding=padding))
        everything = range(len(channels))
        self.units = nn.LayerList(
            Unit(
                channels,
                wanted if unit == units - 1 else everything,
                blocks,
                norm=norm,
                upsample=upsample,
                padding=padding,
            )
            for unit in range(units)
        )

    def forward(self, branches: Sequence[Tensor]) -> list[Tensor]:
        coarsest = branches[-1]
        kept = [] if len(self.new) == 2 else list(branches)
        grown = kept + [make(coarsest) for make in self.new]
        for unit in self.units:
            grown = unit(grown)
        return grown


class HRNet(nn.Layer):
    """The trunk: branches of stride 4, 8, 16, 32 with 1, 2, 4 and 8 times `width` channels.

    form:          "full" or "small_v1"
    out_stages:    branches to return; all are built, since they feed each other, but not the last exchange of others
    norm:          "batch", "frozen" or "group"
    freeze_stages: 1 fixes the stem, 2 also the first stage (before the branches), 3 that of two branches ...
    detached_stages: branches that are returned without gradient, so that they learn only from what they give to the
                   others. The detectors of PaddleDetection do this to the finest one: their `freeze_at: 0`, which
                   fixes the stem of a ResNet, stops the gradient there and fixes nothing else
    upsample:      "nearest" (PaddleClas, PaddleDetection) or "bilinear" (PaddleSeg)
    padding:       of strided convolutions: "even", one pixel on every side (PaddleClas, PaddleDetection), or "same"
                   (PaddleSeg), see `layers.ConvNorm`
    """

    dialects: ClassVar[Mapping[str, DialectRules]] = DIALECTS

    def __init__(
        self,
        width: int = 18,
        form: str = "full",
        out_stages: Sequence[int] = (0, 1, 2, 3),
        norm: str = "batch",
        freeze_stages: int = 0,
        detached_stages: Sequence[int] = (),
        upsample: str = "nearest",
        padding: str = "even",
    ) -> None:
        super().__init__()
        if form not in FORMS:
            raise ConfigError(f"form must be one of {', '.join(FORMS)}; got {form!r}")
        if upsample not in ("nearest", "bilinear") or padding not in ("even", "same"):
            raise ConfigError(
                f"upsample must be nearest or bilinear and padding even or same; got {upsample!r} and {padding!r}"
            )
        pixels = 1 if padding == "even" else "SAME"
        shape = FORMS[form]
        # Seen as a chain, the first stage has stride 4 and each later one starts a branch of twice the stride.
        plan = plan_chain(
            (1, 2, 2, 2),
            out_stages=(0, 1, 2, 3),
            output_stride=32,
            norm=norm,
            freeze_stages=freeze_stages,
            stem_stride=4,
        )
        wanted = plan_chain(
            (1, 2, 2, 2), out_stages=out_stages, output_stride=32, norm=norm, freeze_stages=0, stem_stride=4
        )
        self.stem = nn.Sequential(
            ConvNorm(3, _STEM_CHANNELS, 3, 2, norm=plan.stem_norm, padding=pixels),
            ConvNorm(_STEM_CHANNELS, _STEM_CHANNELS, 3, 2, norm=plan.stem_norm, padding=pixels),
        )
        count, inner = shape.first
        in_channels, first = _STEM_CHANNELS, []
        for index in range(count):
            first.append(
                Bottleneck(
                    in_channels,
                    inner,
                    1,
                    1,
                    norm=plan.blocks[0].norm,
                    width=inner,
                    project=index == 0,
                    pool_shortcut=False,
                )
            )
            in_channels = 4 * inner
        self.first = nn.Sequential(*first)
        self.stages = nn.LayerList()
        channels: tuple[int, ...] = (in_channels,)
        for branches, units in zip((2, 3, 4), shape.units, strict=True):
            grown = tuple(width * 2**branch for branch in range(branches))
            self.stages.append(
                Stage(
                    channels,
                    grown,
                    tuple(wanted.outputs) if branches == 4 else range(branches),
                    units,
                    shape.blocks,
                    norm=plan.blocks[branches - 1].norm,
                    padding=pixels,
                    upsample=upsample,
                )
            )
            channels = grown
        freeze(*plan.frozen_parts(self.stem, [self.first, *self.stages]))
        if strange := set(detached_stages) - set(wanted.outputs):
            raise ConfigError(f"detached_stages {sorted(strange)} are not among out_stages {list(wanted.outputs)}")
        self.detached = tuple(branch in detached_stages for branch in wanted.outputs)
        freeze(*(self.stages[-1].units[-1].exchange.rows[branch] for branch in detached_stages))

        self.features = tuple(FeatureSpec(channels[branch], stride) for branch, stride in wanted.outputs.items())

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """images float32 [N, 3, H, W] -> one tensor per entry of `features`."""
        branches = [self.first(self.stem(images))]
        for stage in self.stages:
            branches = stage(branches)
        if paddle.in_dynamic_mode():
            branches = [
                branch.detach() if detached else branch
                for branch, detached in zip(branches, self.detached, strict=True)
            ]
        return tuple(branches)
