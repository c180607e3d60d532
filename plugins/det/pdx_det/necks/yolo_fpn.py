"""The top-down neck of YOLOv3 (Redmon & Farhadi 2018), with the parts of PP-YOLO as options."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from pdx_core.contracts import DialectRules, FeatureSpec
from pdx_core.errors import ConfigError
from pdx_core.paddle_support import require_paddle

require_paddle()

import paddle  # noqa: E402
import paddle.nn.functional as F  # noqa: E402
from paddle import Tensor, nn  # noqa: E402

from pdx_backbones.dialects import translate_parts  # noqa: E402
from pdx_backbones.layers import ConvNorm  # noqa: E402
from pdx_det.necks.yolo_parts import CoordConv, DropBlock, SpatialPyramidPooling  # noqa: E402

ACT = "leaky_relu"
FINEST_CHANNELS = 128  # of the route at the finest level; doubled at each coarser one
FIRST_ROUTE_CHANNELS = (
    256  # of the route that leaves the coarsest level, however many there are; halved at each finer one
)


class YoloBlock(nn.Layer):
    """Convolutions that alternate 1x1 and 3x3. The `route` goes on to the finer level, the `tip` to the head."""

    def __init__(
        self,
        in_channels: int,
        channels: int,
        *,
        convs: int,
        coord_conv: bool,
        pyramid_pooling: bool,
        drop_keep: float,
        drop_after: int,
    ) -> None:
        super().__init__()
        conv = CoordConv if coord_conv else _plain_conv
        stack: list[tuple[str, nn.Layer]] = []
        width = in_channels
        for index in range(convs):
            if index % 2 == 0:
                stack.append((f"conv{index}", conv(width, channels, 1, ACT)))
                width = channels
            else:
                stack.append((f"conv{index}", _plain_conv(width, 2 * channels, 3, ACT)))
                width = 2 * channels
            if index == 2 and pyramid_pooling:
                stack.append(("spp", SpatialPyramidPooling(channels, channels, ACT)))
            if index == drop_after and drop_keep < 1.0:
                stack.append(("drop", DropBlock(keep_probability=drop_keep)))
        if not convs and drop_keep < 1.0:
            stack.append(("drop", DropBlock(keep_probability=drop_keep)))
        stack.append(("route", conv(width, channels, 1, ACT)))
        self.stack = nn.Sequential(*stack)
        self.tip = conv(channels, 2 * channels, 3, ACT)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        route = self.stack(x)
        return route, self.tip(route)


def _plain_conv(in_channels: int, out_channels: int, kernel_size: int, act: str) -> ConvNorm:
    return ConvNorm(in_channels, out_channels, kernel_size, act=act)


class YoloFPN(nn.Layer):
    """One block per level, the coarsest first; each finer one also sees the route of the one before, upsampled.

    convs:           1x1 and 3x3 convolutions of a block before its route: 4, or 0 (PP-YOLO on ResNet18)
    coord_conv:      the 1x1 convolutions and the tip see coordinates (PP-YOLO)
    pyramid_pooling: SPP in the coarsest block (PP-YOLO)
    drop_keep:       share of activations that DropBlock keeps in training; 1 switches it off
    """

    dialects: ClassVar[Mapping[str, DialectRules]] = {
        "PaddleDetection": translate_parts(
            {
                "blocks": "yolo_block",
                "stack": "conv_module",
                "transitions": "yolo_transition",
                "norm": "batch_norm",
            },
            prefix="neck.",
        ),
    }

    def __init__(
        self,
        features: Sequence[FeatureSpec],
        convs: int = 4,
        coord_conv: bool = False,
        pyramid_pooling: bool = False,
        drop_keep: float = 1.0,
    ) -> None:
        super().__init__()
        if convs not in (0, 4):
            raise ConfigError(f"convs must be 0 or 4; got {convs!r}")
        if pyramid_pooling and not convs:
            raise ConfigError("pyramid_pooling stands between the convolutions of a block, so it needs convs=4")
        self.blocks = nn.LayerList()
        self.transitions = nn.LayerList()
        route_channels = 0
        count = len(features)
        for index, level in enumerate(reversed(features)):
            channels = FINEST_CHANNELS * 2 ** (count - 1 - index)
            self.blocks.append(
                YoloBlock(
                    level.channels + route_channels,
                    channels,
                    convs=convs,
                    coord_conv=coord_conv,
                    pyramid_pooling=pyramid_pooling and index == 0,
                    drop_keep=drop_keep,
                    drop_after=3 if index == 0 else 1,
                )
            )
            if index < count - 1:
                route_channels = FIRST_ROUTE_CHANNELS // 2**index
                self.transitions.append(ConvNorm(channels, route_channels, 1, act=ACT))
        self.features = tuple(
            FeatureSpec(2 * FINEST_CHANNELS * 2**index, level.stride) for index, level in enumerate(features)
        )

    def forward(self, features: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        tips: list[Tensor] = []
        x = features[-1]
        for index, block in enumerate(self.blocks):
            route, tip = block(x)
            tips.append(tip)
            if index < len(self.transitions):
                route = F.interpolate(self.transitions[index](route), scale_factor=2.0, mode="nearest")
                x = paddle.concat([route, features[-2 - index]], axis=1)
        return tuple(reversed(tips))
