"""The mask branch of Mask R-CNN (He et al. 2017): features of a region -> a mask for each class."""

from __future__ import annotations

from pdx_backbones.layers import ConvNorm
from pdx_core.paddle_support import require_paddle

require_paddle()

import paddle.nn.functional as F  # noqa: E402
from paddle import ParamAttr, Tensor, nn  # noqa: E402


class MaskBranch(nn.Layer):
    """3x3 convolutions, one that doubles the resolution, and one that gives a map for each class.

    convs:    how many 3x3 convolutions; 0 where the region's features come from a deep stage already
    channels: of all of them
    norm:     "none" (convolutions with bias) or "group" (Wu and He 2018)
    """

    def __init__(
        self, in_channels: int, num_classes: int, *, convs: int = 4, channels: int = 256, norm: str = "none"
    ) -> None:
        super().__init__()
        self.convs = nn.LayerList(
            _conv(in_channels if index == 0 else channels, channels, norm) for index in range(convs)
        )
        self.enlarge = nn.Conv2DTranspose(
            channels if convs else in_channels, channels, 2, stride=2, weight_attr=_kaiming()
        )
        self.logits = nn.Conv2D(channels, num_classes, 1, weight_attr=_kaiming())

    def forward(self, regions: Tensor) -> Tensor:
        """[r, C, S, S] -> logits [r, K, 2 S, 2 S]."""
        for conv in self.convs:
            regions = F.relu(conv(regions))
        return self.logits(F.relu(self.enlarge(regions)))


def _conv(in_channels: int, out_channels: int, norm: str) -> nn.Layer:
    if norm == "group":
        return ConvNorm(in_channels, out_channels, 3, norm="group", act=None, weight_attr=_kaiming())
    return nn.Conv2D(in_channels, out_channels, 3, padding=1, weight_attr=_kaiming())


def _kaiming() -> ParamAttr:
    return ParamAttr(initializer=nn.initializer.KaimingNormal())
