"""The light head of MobileNetV3's segmenters (Howard et al., 2019), in the form of PaddleSeg.

Unlike the paper it gates with the mean over the whole image instead of a 49x49 window, and uses two finer levels.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pdx_core.contracts import FeatureSpec
from pdx_core.paddle_support import require_paddle

require_paddle()

import paddle  # noqa: E402
import paddle.nn.functional as F  # noqa: E402
from paddle import Tensor, nn  # noqa: E402

from pdx_backbones.layers import ConvNorm  # noqa: E402
from pdx_seg import dialects  # noqa: E402
from pdx_seg.head import SegHead  # noqa: E402
from pdx_seg.resize import resize_like  # noqa: E402

_DETAIL_CHANNELS = 32  # of the finest level; twice as many on each coarser one


class GatedDecoder(nn.Layer):
    """The last level gated by its own mean, then joined with each finer level in turn."""

    dialect = dialects.LRASPP

    def __init__(self, features: Sequence[FeatureSpec], num_classes: int, channels: int) -> None:
        super().__init__()
        self.stride = features[0].stride
        self.values = ConvNorm(features[-1].channels, channels, 1, bias=True)
        self.gate = nn.Conv2D(features[-1].channels, channels, 1, bias_attr=False)
        self.mix = nn.Conv2D(channels, channels, 1, bias_attr=False)
        self.details, self.fuses = nn.LayerList(), nn.LayerList()
        for index in reversed(range(len(features) - 1)):
            width = _DETAIL_CHANNELS * 2**index
            self.details.append(nn.Conv2D(features[index].channels, width, 1, bias_attr=False))
            self.fuses.append(ConvNorm(channels + width, channels, 1, bias=True))
        self.classifier = nn.Conv2D(channels, num_classes, 1, bias_attr=False)

    def forward(self, features: tuple[Tensor, ...]) -> Tensor:
        last = features[-1]
        gate = F.sigmoid(self.gate(F.adaptive_avg_pool2d(last, 1)))  # [N, C, 1, 1]
        x = self.mix(self.values(last) * gate)
        for index, detail in enumerate(self.details):
            finer = detail(features[len(self.details) - 1 - index])
            x = self.fuses[index](paddle.concat([resize_like(x, finer), finer], axis=1))
        return self.classifier(x)


def lraspp(features: Sequence[FeatureSpec], num_classes: int, channels: int = 128, **shared: Any) -> SegHead:
    """channels: of all maps after the trunk. shared: options of `SegHead`."""
    return SegHead(GatedDecoder(features, num_classes, channels), features, num_classes, **shared)
