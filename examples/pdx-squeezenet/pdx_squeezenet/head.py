"""The classifier of SqueezeNet: a 1x1 convolution gives a map per class, whose mean is the class's logit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import paddle.nn.functional as F
from paddle import Tensor, nn

from pdx_core.contracts import DialectRules, FeatureSpec


class SqueezeNetHead(nn.Layer):
    """Dropout, 1x1 convolution, ReLU, average pooling.

    dropout_mode: PaddleClas trains with "downscale_in_infer", which multiplies by (1 - dropout) in evaluation instead
                  of scaling up in training; the released function contains that factor
    """

    dialects: ClassVar[Mapping[str, DialectRules]] = {"PaddleClas": ((r"conv\.(\w+)", r"_conv9.\1"),)}

    def __init__(
        self,
        features: tuple[FeatureSpec, ...],
        num_classes: int,
        dropout: float = 0.5,
        dropout_mode: str = "downscale_in_infer",
    ) -> None:
        super().__init__()
        self.num_classes = num_classes
        self.dropout = nn.Dropout(dropout, mode=dropout_mode)
        self.conv = nn.Conv2D(features[-1].channels, num_classes, 1)

    def forward(self, features: tuple[Tensor, ...], image_info: Any = None) -> Tensor:
        """features[-1] float32 [N, C, H, W] -> logits float32 [N, K]."""
        maps = F.relu(self.conv(self.dropout(features[-1])))  # [N, K, H, W]
        return F.adaptive_avg_pool2d(maps, 1).flatten(1)  # [N, K]

    def loss(self, features: tuple[Tensor, ...], targets: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """targets["label"]: int64 [N], or float32 [N, K] after mixup."""
        label = targets["label"]
        return {"loss_ce": F.cross_entropy(self(features), label, soft_label=label.ndim == 2)}

    def decode(self, raw: Tensor, image_info: Mapping[str, Tensor] | None = None) -> dict[str, Tensor]:
        """raw: logits [N, K] -> scores float32 [N, K] that add up to 1."""
        return {"scores": F.softmax(raw, axis=-1)}
