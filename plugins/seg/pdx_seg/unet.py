"""UNet (Ronneberger et al., 2015) as PaddleSeg lays it out: padded, bilinear way up, at most 512 channels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from pdx_core.contracts import DialectRules, FeatureSpec
from pdx_core.paddle_support import require_paddle

require_paddle()

import paddle  # noqa: E402
import paddle.nn.functional as F  # noqa: E402
from paddle import Tensor, nn  # noqa: E402

from pdx_backbones.layers import ConvNorm  # noqa: E402
from pdx_seg import dialects  # noqa: E402
from pdx_seg.head import SegHead  # noqa: E402
from pdx_seg.resize import resize_like  # noqa: E402


def _double(in_channels: int, out_channels: int, norm: str = "batch") -> nn.Sequential:
    return nn.Sequential(
        ConvNorm(in_channels, out_channels, 3, norm=norm, bias=True),
        ConvNorm(out_channels, out_channels, 3, norm=norm, bias=True),
    )


class UNetTrunk(nn.Layer):
    """Two convolutions at each of the strides 1, 2, 4, 8 and 16, with maximum pooling in between.

    width: channels at full size; 2, 4, 8 and 8 times as many at the other levels. Time grows with its square
    """

    dialects: ClassVar[Mapping[str, DialectRules]] = {"PaddleSeg": dialects.UNET_TRUNK}

    def __init__(self, width: int = 64, norm: str = "batch") -> None:
        super().__init__()
        widths = [width * factor for factor in (1, 2, 4, 8, 8)]
        self.stem = _double(3, widths[0], norm)
        self.stages = nn.LayerList(_double(widths[index], widths[index + 1], norm) for index in range(len(widths) - 1))
        self.features = tuple(FeatureSpec(channels, 2**index) for index, channels in enumerate(widths))

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """images float32 [N, 3, H, W] -> one tensor per entry of `features`."""
        levels = [self.stem(images)]
        for stage in self.stages:
            levels.append(stage(F.max_pool2d(levels[-1], 2)))
        return tuple(levels)


class ClimbingDecoder(nn.Layer):
    """From the last level upwards: double in size, join with the level there, two convolutions.

    Works on the levels of any trunk. Each step leaves as many channels as the next finer level has.
    """

    dialect = dialects.UNET

    def __init__(self, features: Sequence[FeatureSpec], num_classes: int) -> None:
        super().__init__()
        self.stride = features[0].stride
        self.steps = nn.LayerList()
        channels = features[-1].channels
        for index in reversed(range(len(features) - 1)):
            narrower = features[max(index - 1, 0)].channels
            self.steps.append(_double(channels + features[index].channels, narrower))
            channels = narrower
        self.classifier = nn.Conv2D(channels, num_classes, 3, padding=1)
        self.classifier_again = self.classifier  # PaddleSeg's files hold it under two names, so ours do

    def forward(self, features: tuple[Tensor, ...]) -> Tensor:
        x = features[-1]
        for index, step in enumerate(self.steps):
            finer = features[len(self.steps) - 1 - index]
            x = step(paddle.concat([resize_like(x, finer), finer], axis=1))
        return self.classifier(x)


def unet(features: Sequence[FeatureSpec], num_classes: int, **shared: Any) -> SegHead:
    """shared: options of `SegHead`."""
    return SegHead(ClimbingDecoder(features, num_classes), features, num_classes, **shared)
