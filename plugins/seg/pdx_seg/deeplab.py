"""The heads of DeepLabv3 (Chen et al., 2017) and DeepLabv3+ (Chen et al., 2018)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pdx_core.contracts import FeatureSpec
from pdx_core.paddle_support import require_paddle

require_paddle()

import paddle  # noqa: E402
from paddle import Tensor, nn  # noqa: E402

from pdx_backbones.layers import ConvNorm, SeparableConv  # noqa: E402
from pdx_seg import dialects  # noqa: E402
from pdx_seg.context import AtrousPyramid  # noqa: E402
from pdx_seg.head import SegHead  # noqa: E402
from pdx_seg.levels import detail_level  # noqa: E402
from pdx_seg.resize import resize_like  # noqa: E402

_DETAIL_STRIDE = 4
_DETAIL_CHANNELS = 48


class PyramidDecoder(nn.Layer):
    """DeepLabv3: the pyramid on the last level, and a classifier."""

    dialect = dialects.DEEPLAB_V3

    def __init__(
        self,
        features: Sequence[FeatureSpec],
        num_classes: int,
        ratios: Sequence[int],
        channels: int,
        dropout: float,
    ) -> None:
        super().__init__()
        self.stride = features[-1].stride
        self.pyramid = AtrousPyramid(features[-1].channels, ratios, channels, separable=False, dropout=dropout)
        self.classifier = nn.Conv2D(channels, num_classes, 1)

    def forward(self, features: tuple[Tensor, ...]) -> Tensor:
        return self.classifier(self.pyramid(features[-1]))


class DetailDecoder(nn.Layer):
    """DeepLabv3+: the pyramid on the last level, then refined with a level of stride 4."""

    dialect = dialects.DEEPLAB_V3_PLUS

    def __init__(
        self,
        features: Sequence[FeatureSpec],
        num_classes: int,
        ratios: Sequence[int],
        channels: int,
        dropout: float,
    ) -> None:
        super().__init__()
        self._detail = detail_level(features, _DETAIL_STRIDE, "DeepLabV3PlusHead")
        self.stride = features[self._detail].stride
        self.pyramid = AtrousPyramid(features[-1].channels, ratios, channels, separable=True, dropout=dropout)
        self.detail = ConvNorm(features[self._detail].channels, _DETAIL_CHANNELS, 1, bias=True)
        self.refine0 = SeparableConv(channels + _DETAIL_CHANNELS, channels, bias=True)
        self.refine1 = SeparableConv(channels, channels, bias=True)
        self.classifier = nn.Conv2D(channels, num_classes, 1)

    def forward(self, features: tuple[Tensor, ...]) -> Tensor:
        detail = self.detail(features[self._detail])
        context = resize_like(self.pyramid(features[-1]), detail)
        joined = paddle.concat([context, detail], axis=1)
        return self.classifier(self.refine1(self.refine0(joined)))


def deeplab_v3(
    features: Sequence[FeatureSpec],
    num_classes: int,
    ratios: Sequence[int] = (1, 6, 12, 18),
    channels: int = 256,
    dropout: float = 0.1,
    **shared: Any,
) -> SegHead:
    """ratios: dilations of the pyramid; double them for a trunk of output stride 8. shared: options of `SegHead`."""
    return SegHead(PyramidDecoder(features, num_classes, ratios, channels, dropout), features, num_classes, **shared)


def deeplab_v3_plus(
    features: Sequence[FeatureSpec],
    num_classes: int,
    ratios: Sequence[int] = (1, 6, 12, 18),
    channels: int = 256,
    dropout: float = 0.1,
    **shared: Any,
) -> SegHead:
    """As `deeplab_v3`; the trunk must give two levels at least."""
    return SegHead(DetailDecoder(features, num_classes, ratios, channels, dropout), features, num_classes, **shared)
