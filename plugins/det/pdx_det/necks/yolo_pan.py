"""The neck of PP-YOLOv2 (Huang et al. 2021): top-down, then bottom-up, with cross-stage partial blocks and Mish."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from pdx_core.contracts import DialectRules, FeatureSpec
from pdx_core.paddle_support import require_paddle

require_paddle()

import paddle  # noqa: E402
import paddle.nn.functional as F  # noqa: E402
from paddle import Tensor, nn  # noqa: E402

from pdx_backbones.dialects import translate_parts  # noqa: E402
from pdx_backbones.layers import ConvNorm  # noqa: E402
from pdx_det.necks.yolo_parts import DropBlock, SpatialPyramidPooling  # noqa: E402

COARSEST_CHANNELS = 512
PAIRS = 3  # of a 1x1 and a 3x3 convolution in each block


class PartialBlock(nn.Layer):
    """Half of the width goes through pairs of convolutions, half goes past them; a 1x1 convolution joins both."""

    def __init__(self, in_channels: int, channels: int, act: str, pyramid_pooling: bool, drop_keep: float) -> None:
        super().__init__()
        self.left = ConvNorm(in_channels, channels, 1, act=act)
        self.right = ConvNorm(in_channels, channels, 1, act=act)
        stages: list[tuple[str, nn.Layer]] = []
        for index in range(PAIRS):
            narrow = ConvNorm(channels, channels, 1, act=act)
            if index == 1 and pyramid_pooling:  # takes the place of the second 3x3 convolution
                stages += [(str(index), nn.Sequential(narrow)), ("spp", SpatialPyramidPooling(channels, channels, act))]
            else:
                stages.append((str(index), nn.Sequential(narrow, ConvNorm(channels, channels, 3, act=act))))
            if index == 1 and drop_keep < 1.0:
                stages.append(("drop", DropBlock(keep_probability=drop_keep)))
        self.stack = nn.Sequential(*stages)
        self.join = ConvNorm(2 * channels, 2 * channels, 1, act=act)

    def forward(self, x: Tensor) -> Tensor:
        return self.join(paddle.concat([self.stack(self.left(x)), self.right(x)], axis=1))


class YoloPAN(nn.Layer):
    """Partial blocks downwards as in YOLOv3's neck, then upwards with strided convolutions.

    act:             of all convolutions
    pyramid_pooling: SPP in the coarsest downward block
    drop_keep:       share of activations that DropBlock keeps in training; 1 switches it off
    """

    dialects: ClassVar[Mapping[str, DialectRules]] = {
        "PaddleDetection": translate_parts(
            {
                "down_blocks": "fpn",
                "down_transitions": "fpn_transition",
                "up_blocks": "pan",
                "up_transitions": "pan_transition",
                "left": "conv1",
                "right": "conv2",
                "join": "conv3",
                "stack": "conv_module",
                "norm": "batch_norm",
            },
            prefix="neck.",
        ),
    }

    def __init__(
        self,
        features: Sequence[FeatureSpec],
        act: str = "mish",
        pyramid_pooling: bool = True,
        drop_keep: float = 0.9,
    ) -> None:
        super().__init__()
        widths = [COARSEST_CHANNELS // 2**index for index in range(len(features))]  # coarsest first
        self.down_blocks = nn.LayerList()
        self.down_transitions = nn.LayerList()
        for index, level in enumerate(reversed(features)):
            in_channels = level.channels + (widths[index - 1] if index else 0)
            self.down_blocks.append(
                PartialBlock(in_channels, widths[index], act, pyramid_pooling and index == 0, drop_keep)
            )
            if index < len(features) - 1:
                self.down_transitions.append(ConvNorm(2 * widths[index], widths[index], 1, act=act))
        self.up_blocks = nn.LayerList()
        self.up_transitions = nn.LayerList()
        for index in range(len(features) - 1):
            finer = 2 * widths[index + 1]
            self.up_blocks.append(PartialBlock(2 * widths[index] + finer, widths[index], act, False, drop_keep))
            self.up_transitions.append(ConvNorm(finer, finer, 3, 2, act=act))
        self.features = tuple(
            FeatureSpec(2 * width, level.stride) for width, level in zip(reversed(widths), features, strict=True)
        )

    def forward(self, features: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        down: list[Tensor] = []
        x = features[-1]
        for index, block in enumerate(self.down_blocks):
            down.append(block(x))
            if index < len(self.down_transitions):
                route = F.interpolate(self.down_transitions[index](down[-1]), scale_factor=2.0, mode="nearest")
                x = paddle.concat([route, features[-2 - index]], axis=1)
        up = [down[-1]]
        for index in reversed(range(len(self.up_blocks))):
            route = self.up_transitions[index](up[-1])
            up.append(self.up_blocks[index](paddle.concat([route, down[index]], axis=1)))
        return tuple(up)
