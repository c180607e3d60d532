"""What stands between the coarsest feature level and the class scores."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from pdx_core.contracts import DialectRules, FeatureSpec
from pdx_core.paddle_support import require_paddle

require_paddle()

import paddle.nn.functional as F  # noqa: E402
from paddle import ParamAttr, Tensor, nn  # noqa: E402

from pdx_backbones.dialects import translate_parts  # noqa: E402
from pdx_backbones.layers import ConvNorm, activation  # noqa: E402
from pdx_cls.losses import SoftCrossEntropy  # noqa: E402


def linear(channels: int, num_classes: int) -> nn.Linear:
    """A linear layer that starts uniform in +-1 / sqrt(channels), as Paddle trains it."""
    bound = 1.0 / math.sqrt(channels)
    return nn.Linear(channels, num_classes, weight_attr=ParamAttr(initializer=nn.initializer.Uniform(-bound, bound)))


class ClassScores(nn.Layer):
    """What the heads share: the loss and the softmax. A head adds `forward(features) -> logits [N, K]`."""

    def __init__(self, num_classes: int, label_smoothing: float, class_weights: Sequence[float]) -> None:
        super().__init__()
        self.cross_entropy = SoftCrossEntropy(num_classes, label_smoothing, class_weights)

    def loss(self, features: tuple[Tensor, ...], targets: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """targets["label"]: int64 [N], or float32 [N, K] after mixup or cutmix."""
        return {"loss_ce": self.cross_entropy(self(features), targets["label"])}

    def decode(self, raw: Tensor, image_info: Mapping[str, Tensor] | None = None) -> dict[str, Tensor]:
        """raw: logits [N, K] -> scores float32 [N, K] that add up to 1."""
        return {"scores": F.softmax(raw.astype("float32"), axis=-1)}


class ClsHead(ClassScores):
    """Global average pooling, dropout, one linear layer (ResNet, DenseNet ...).

    dropout_mode: see `WideClsHead`
    release_key:  name of the linear layer in the published weights, which differs from family to family
    """

    def __init__(
        self,
        features: tuple[FeatureSpec, ...],
        num_classes: int,
        dropout: float = 0.0,
        label_smoothing: float = 0.0,
        class_weights: Sequence[float] = (),
        dropout_mode: str = "upscale_in_train",
        release_key: str = "fc",
    ) -> None:
        super().__init__(num_classes, label_smoothing, class_weights)
        self.dialects: Mapping[str, DialectRules] = {"PaddleClas": translate_parts({"fc": release_key})}
        self.dropout = nn.Dropout(dropout, mode=dropout_mode)
        self.fc = linear(features[-1].channels, num_classes)

    def forward(self, features: tuple[Tensor, ...], image_info: Any = None) -> Tensor:
        """features[-1] float32 [N, C, H, W] -> logits float32 [N, K]."""
        pooled = F.adaptive_avg_pool2d(features[-1], 1).flatten(1)  # [N, C]
        return self.fc(self.dropout(pooled))


class WideClsHead(ClassScores):
    """The head of MobileNetV3 and PP-LCNet: (narrow 1x1 convolution,) pooling, wide 1x1 convolution, linear layer.

    squeeze_channels: of the convolution with norm before the pooling (MobileNetV3: 6 times the last level); None: none
    hidden_channels:  of the convolution after it
    dropout_mode:     "downscale_in_infer" multiplies by (1 - dropout) in evaluation instead of scaling up in training;
                      the published weights need it
    """

    dialects: ClassVar[Mapping[str, DialectRules]] = {
        "PaddleClas": (
            (r"squeeze\.conv\.(\w+)", r"last_second_conv.conv.\1"),
            (r"squeeze\.norm\.(\w+)", r"last_second_conv.bn.\1"),
            (r"hidden\.(\w+)", r"last_conv.\1"),
        )
    }

    def __init__(
        self,
        features: tuple[FeatureSpec, ...],
        num_classes: int,
        squeeze_channels: int | None = None,
        hidden_channels: int = 1280,
        act: str = "hardswish",
        dropout: float = 0.2,
        dropout_mode: str = "downscale_in_infer",
        norm: str = "batch",
        label_smoothing: float = 0.0,
        class_weights: Sequence[float] = (),
    ) -> None:
        super().__init__(num_classes, label_smoothing, class_weights)
        channels = features[-1].channels
        self.squeeze = nn.Identity()
        if squeeze_channels is not None:
            self.squeeze = ConvNorm(channels, squeeze_channels, 1, act=act, norm=norm)
            channels = squeeze_channels
        self.hidden = nn.Conv2D(channels, hidden_channels, 1, bias_attr=False)
        self.act = activation(act)
        self.dropout = nn.Dropout(dropout, mode=dropout_mode)
        self.fc = nn.Linear(hidden_channels, num_classes)

    def forward(self, features: tuple[Tensor, ...], image_info: Any = None) -> Tensor:
        """features[-1] float32 [N, C, H, W] -> logits float32 [N, K]."""
        pooled = F.adaptive_avg_pool2d(self.squeeze(features[-1]), 1)  # [N, C, 1, 1]
        hidden = self.dropout(self.act(self.hidden(pooled)))
        return self.fc(hidden.flatten(1))


class ConvClsHead(ClassScores):
    """The head of MobileNetV2: wide 1x1 convolution with norm, pooling, dropout, linear layer."""

    dialects: ClassVar[Mapping[str, DialectRules]] = {
        "PaddleClas": translate_parts({"wide": "conv9", "conv": "_conv", "norm": "_batch_norm", "fc": "out"})
    }

    def __init__(
        self,
        features: tuple[FeatureSpec, ...],
        num_classes: int,
        hidden_channels: int = 1280,
        act: str = "relu6",
        dropout: float = 0.0,
        norm: str = "batch",
        label_smoothing: float = 0.0,
        class_weights: Sequence[float] = (),
    ) -> None:
        super().__init__(num_classes, label_smoothing, class_weights)
        self.wide = ConvNorm(features[-1].channels, hidden_channels, 1, act=act, norm=norm)
        self.dropout = nn.Dropout(dropout)
        self.fc = nn.Linear(hidden_channels, num_classes)

    def forward(self, features: tuple[Tensor, ...], image_info: Any = None) -> Tensor:
        """features[-1] float32 [N, C, H, W] -> logits float32 [N, K]."""
        pooled = F.adaptive_avg_pool2d(self.wide(features[-1]), 1).flatten(1)  # [N, hidden]
        return self.fc(self.dropout(pooled))
