"""The classification head of HRNet."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from pdx_core.contracts import DialectRules, FeatureSpec
from pdx_core.errors import ConfigError
from pdx_core.paddle_support import require_paddle

require_paddle()

import paddle.nn.functional as F  # noqa: E402
from paddle import Tensor, nn  # noqa: E402

from pdx_backbones.dialects import translate_indexed, translate_parts  # noqa: E402
from pdx_backbones.layers import ConvNorm  # noqa: E402
from pdx_cls.heads import ClassScores, linear  # noqa: E402

_INNER_CHANNELS = 32  # of the finest branch's bottleneck; twice as many for each coarser one


class Widen(nn.Layer):
    """A residual bottleneck that brings a branch to four times `inner` channels."""

    def __init__(self, in_channels: int, inner: int, norm: str) -> None:
        super().__init__()
        self.conv1 = ConvNorm(in_channels, inner, 1, norm=norm)
        self.conv2 = ConvNorm(inner, inner, 3, norm=norm)
        self.conv3 = ConvNorm(inner, 4 * inner, 1, act=None, norm=norm)
        self.conv_down = ConvNorm(in_channels, 4 * inner, 1, act=None, norm=norm)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.conv3(self.conv2(self.conv1(x))) + self.conv_down(x))


class HRNetClsHead(ClassScores):
    """Widens every branch, folds them from fine to coarse by strided convolutions, then pools and classifies.

    Needs features of which each has twice the stride of the one before.
    """

    dialects: ClassVar[Mapping[str, DialectRules]] = {
        "PaddleClas": (
            *translate_indexed(
                r"(widen|fold)\.",
                lambda match: {"widen": "last_cls.func_list.", "fold": "cls_head_conv_list."}[match.group(1)],
                {"norm": "bn"},
            ),
            *translate_parts({"last": "conv_last", "norm": "bn"}),
        )
    }

    def __init__(
        self,
        features: tuple[FeatureSpec, ...],
        num_classes: int,
        dropout: float = 0.0,
        norm: str = "batch",
        label_smoothing: float = 0.0,
        class_weights: Sequence[float] = (),
    ) -> None:
        super().__init__(num_classes, label_smoothing, class_weights)
        strides = [feature.stride for feature in features]
        if any(coarse != 2 * fine for fine, coarse in itertools.pairwise(strides)):
            raise ConfigError(f"HRNetClsHead needs features whose stride doubles from one to the next; got {strides}")
        inner = [_INNER_CHANNELS * 2**index for index in range(len(features))]
        self.widen = nn.LayerList(
            Widen(level.channels, width, norm) for level, width in zip(features, inner, strict=True)
        )
        self.fold = nn.LayerList(ConvNorm(4 * width, 8 * width, 3, 2, norm=norm) for width in inner[:-1])
        hidden = 8 * inner[-1]
        self.last = ConvNorm(4 * inner[-1], hidden, 1, norm=norm)
        self.dropout = nn.Dropout(dropout)
        self.fc = linear(hidden, num_classes)

    def forward(self, features: tuple[Tensor, ...], image_info: Any = None) -> Tensor:
        """features float32 [N, C_i, H / s_i, W / s_i] -> logits float32 [N, K]."""
        wide = [widen(features[index]) for index, widen in enumerate(self.widen)]
        x = wide[0]
        for index, fold in enumerate(self.fold):
            x = wide[index + 1] + fold(x)
        pooled = F.adaptive_avg_pool2d(self.last(x), 1).flatten(1)  # [N, hidden]
        return self.fc(self.dropout(pooled))
