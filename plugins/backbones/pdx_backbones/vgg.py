"""VGG16 (Simonyan and Zisserman, 2014) as SSD uses it (Liu et al., 2016).

The two linear layers became a dilated 3x3 and a 1x1 convolution, and the last pooling keeps the size. What SSD adds,
the scaled L2 norm of the level of stride 8 and further strided convolutions, is not part of the trunk.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from pdx_core.contracts import DialectRules, FeatureSpec
from pdx_core.errors import ConfigError
from pdx_core.paddle_support import require_paddle

require_paddle()

import paddle.nn.functional as F  # noqa: E402
from paddle import Tensor, nn  # noqa: E402

from pdx_backbones.layers import freeze  # noqa: E402
from pdx_backbones.stages import plan_chain  # noqa: E402
from pdx_backbones.vgg_specs import BLOCKS, TAIL_CHANNELS  # noqa: E402

_STEM_BLOCKS = 2  # those before stride 4


class ConvBlock(nn.Layer):
    """3x3 convolutions, each with bias and ReLU."""

    def __init__(self, in_channels: int, channels: int, count: int) -> None:
        super().__init__()
        self.convs = nn.LayerList(
            nn.Conv2D(in_channels if index == 0 else channels, channels, 3, padding=1) for index in range(count)
        )

    def forward(self, x: Tensor) -> Tensor:
        for conv in self.convs:
            x = F.relu(conv(x))
        return x


class Tail(nn.Layer):
    """The linear layers as convolutions, with ReLU."""

    def __init__(self, in_channels: int, channels: int) -> None:
        super().__init__()
        self.fc6 = nn.Conv2D(in_channels, channels, 3, padding=6, dilation=6)
        self.fc7 = nn.Conv2D(channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.fc7(F.relu(self.fc6(x))))


class VGG(nn.Layer):
    """The trunk: levels of stride 4, 8 (behind the fourth block) and 16 (behind the former linear layers).

    out_stages:    levels to return; layers after the last one are not built
    freeze_stages: 1 fixes the blocks up to stride 2, 2 also the level of stride 4 ...
    """

    dialects: ClassVar[Mapping[str, DialectRules]] = {
        "PaddleDetection": (
            (r"blocks\.(\d)\.convs\.(\d)\.(\w+)", r"backbone.conv_block_\1.conv\2.\3"),
            (r"tail\.(.+)", r"backbone.\1"),
        )
    }

    def __init__(self, out_stages: Sequence[int] = (0, 1, 2), freeze_stages: int = 0) -> None:
        super().__init__()
        levels = len(BLOCKS) - _STEM_BLOCKS
        if max(out_stages, default=0) >= levels or freeze_stages > levels + 1:
            raise ConfigError(
                f"VGG has {levels} levels: out_stages must be below {levels} and freeze_stages at most {levels + 1}; "
                f"got {list(out_stages)!r} and {freeze_stages!r}"
            )
        plan = plan_chain(
            (2, 2, 2, 2), out_stages=out_stages, output_stride=32, norm="batch", freeze_stages=freeze_stages
        )
        self.blocks = nn.LayerList()
        in_channels = 3
        for channels, count in BLOCKS[: _STEM_BLOCKS + len(plan.blocks)]:
            self.blocks.append(ConvBlock(in_channels, channels, count))
            in_channels = channels
        self.tail = Tail(in_channels, TAIL_CHANNELS) if len(plan.blocks) == levels else nn.Identity()
        parts = list(self.blocks)
        fixed = parts[: _STEM_BLOCKS - 1 + plan.frozen] if plan.frozen else []
        freeze(*fixed, *([self.tail] if plan.frozen == levels + 1 else []))

        self._outputs = frozenset(plan.outputs)
        widths = [channels for channels, _ in BLOCKS[_STEM_BLOCKS:-1]] + [TAIL_CHANNELS]
        self.features = tuple(FeatureSpec(widths[stage], stride) for stage, stride in plan.outputs.items())

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """images float32 [N, 3, H, W] -> one tensor per entry of `features`; odd sizes are rounded up."""
        x = images
        levels = []
        for index, block in enumerate(self.blocks):
            if index:
                x = F.max_pool2d(x, 2, 2, ceil_mode=True)
            x = block(x)
            stage = index - _STEM_BLOCKS
            if index == len(BLOCKS) - 1:
                x = self.tail(F.max_pool2d(x, 3, 1, padding=1))
            if stage in self._outputs:
                levels.append(x)
        return tuple(levels)
