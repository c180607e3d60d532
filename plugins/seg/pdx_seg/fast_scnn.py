"""Fast-SCNN (Poudel et al., 2019): a shallow fine branch and a deep coarse one that share their first layers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from pdx_core.contracts import DialectRules, FeatureSpec
from pdx_core.paddle_support import require_paddle

require_paddle()

import paddle.nn.functional as F  # noqa: E402
from paddle import Tensor, nn  # noqa: E402

from pdx_backbones.layers import ConvNorm, SeparableConv  # noqa: E402
from pdx_seg import dialects  # noqa: E402
from pdx_seg.context import PooledPyramid  # noqa: E402
from pdx_seg.head import SegHead  # noqa: E402
from pdx_seg.levels import detail_level  # noqa: E402
from pdx_seg.resize import resize_like  # noqa: E402

_DETAIL_STRIDE = 8
_EXPANSION = 6
_STAGES = ((64, 2), (96, 2), (128, 1))  # channels and stride; three bottlenecks each


class LinearBottleneck(nn.Layer):
    """Widen, filter each channel, narrow without activation; add when shapes agree."""

    def __init__(self, in_channels: int, out_channels: int, stride: int) -> None:
        super().__init__()
        wide = in_channels * _EXPANSION
        self.convs = nn.Sequential(
            ConvNorm(in_channels, wide, 1),
            ConvNorm(wide, wide, 3, stride, groups=wide),
            ConvNorm(wide, out_channels, 1, act=None),
        )
        self._residual = stride == 1 and in_channels == out_channels

    def forward(self, x: Tensor) -> Tensor:
        return x + self.convs(x) if self._residual else self.convs(x)


class FastSCNNTrunk(nn.Layer):
    """Levels of stride 8 (where the branches part) and 32."""

    dialects: ClassVar[Mapping[str, DialectRules]] = {"PaddleSeg": dialects.FAST_SCNN_TRUNK}

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            ConvNorm(3, 32, 3, 2, padding="SAME", bias=True),
            SeparableConv(32, 48, 3, 2, bias=True),
            SeparableConv(48, 64, 3, 2, bias=True),
        )
        channels = 64
        self.stages = nn.LayerList()
        for width, stride in _STAGES:
            blocks = []
            for index in range(3):
                blocks.append(LinearBottleneck(channels, width, stride if index == 0 else 1))
                channels = width
            self.stages.append(nn.Sequential(*blocks))
        self.pyramid = PooledPyramid(channels, channels, align_corners=True)
        self.features = (FeatureSpec(64, 8), FeatureSpec(channels, 32))

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """images float32 [N, 3, H, W] -> one tensor per entry of `features`."""
        detail = self.stem(images)
        x = detail
        for stage in self.stages:
            x = stage(x)
        return detail, self.pyramid(x)


class FusionDecoder(nn.Layer):
    """The last level added to one of stride 8, two separable convolutions, a classifier."""

    dialect = dialects.FAST_SCNN

    def __init__(self, features: Sequence[FeatureSpec], num_classes: int, channels: int, dropout: float) -> None:
        super().__init__()
        self._detail = detail_level(features, _DETAIL_STRIDE, "FastSCNNHead")
        self.stride = features[self._detail].stride
        coarse = features[-1].channels
        self.context = ConvNorm(coarse, coarse, 3, groups=coarse)
        self.context_project = ConvNorm(coarse, channels, 1, act=None, bias=True)
        self.detail_project = ConvNorm(features[self._detail].channels, channels, 1, act=None, bias=True)
        self.refine0 = SeparableConv(channels, channels, bias=True)
        self.refine1 = SeparableConv(channels, channels, bias=True)
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Conv2D(channels, num_classes, 1)

    def forward(self, features: tuple[Tensor, ...]) -> Tensor:
        detail = features[self._detail]
        context = self.context_project(self.context(resize_like(features[-1], detail)))
        x = F.relu(self.detail_project(detail) + context)
        return self.classifier(self.dropout(self.refine1(self.refine0(x))))


def fast_scnn(
    features: Sequence[FeatureSpec],
    num_classes: int,
    channels: int = 128,
    dropout: float = 0.1,
    aux_weight: float = 0.4,
    **shared: Any,
) -> SegHead:
    """channels: of the maps after the fusion. shared: options of `SegHead`, here with an auxiliary classifier."""
    return SegHead(
        FusionDecoder(features, num_classes, channels, dropout),
        features,
        num_classes,
        aux_weight=aux_weight,
        **shared,
    )
