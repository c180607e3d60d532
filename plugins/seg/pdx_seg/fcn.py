"""The head of HRNet's segmenters: all levels side by side (Wang et al., 2019); Paddle calls it FCN."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pdx_core.contracts import FeatureSpec
from pdx_core.paddle_support import require_paddle

require_paddle()

import paddle  # noqa: E402
from paddle import Tensor, nn  # noqa: E402

from pdx_backbones.layers import ConvNorm  # noqa: E402
from pdx_seg import dialects  # noqa: E402
from pdx_seg.head import SegHead  # noqa: E402
from pdx_seg.resize import resize_like  # noqa: E402


class JoinedDecoder(nn.Layer):
    """Every level at the size of the finest one, a 1x1 convolution over all of them, a classifier."""

    dialect = dialects.FCN

    def __init__(self, features: Sequence[FeatureSpec], num_classes: int, channels: int | None) -> None:
        super().__init__()
        self.stride = features[0].stride
        total = sum(level.channels for level in features)
        self.fuse = ConvNorm(total, channels or total, 1, bias=True)
        self.classifier = nn.Conv2D(channels or total, num_classes, 1)

    def forward(self, features: tuple[Tensor, ...]) -> Tensor:
        finest = features[0]
        joined = paddle.concat([finest, *(resize_like(level, finest) for level in features[1:])], axis=1)
        return self.classifier(self.fuse(joined))


def fcn(features: Sequence[FeatureSpec], num_classes: int, channels: int | None = None, **shared: Any) -> SegHead:
    """channels: of the fused map; None: as many as all levels have. shared: options of `SegHead`."""
    return SegHead(JoinedDecoder(features, num_classes, channels), features, num_classes, **shared)
