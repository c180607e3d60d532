"""What all segmentation heads share: losses at full size, an auxiliary branch, and the step from logits to labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pdx_core.contracts import DialectRules, FeatureSpec
from pdx_core.dialects import translate
from pdx_core.paddle_support import require_paddle

require_paddle()

import paddle  # noqa: E402
from paddle import Tensor, nn  # noqa: E402

from pdx_backbones.layers import ConvNorm  # noqa: E402
from pdx_seg import dialects  # noqa: E402
from pdx_seg.levels import level_at  # noqa: E402
from pdx_seg.losses.mixed import MixedLoss  # noqa: E402
from pdx_seg.losses_specs import DEFAULT  # noqa: E402
from pdx_seg.resize import resize_like  # noqa: E402


class SegHead(nn.Layer):
    """A decoder of one architecture with everything that does not depend on it.

    decoder:    layer with `stride` and `dialect`; its forward takes the levels and gives logits [N, K, h, w]
    losses:     what is summed up, see `losses_specs`
    aux_weight: factor of the same losses of a second, shallow classifier, in training only; 0 leaves it out
    aux_level:  the level that it works on; -2 is the last but one
    """

    def __init__(
        self,
        decoder: nn.Layer,
        features: Sequence[FeatureSpec],
        num_classes: int,
        *,
        losses: Sequence[Any] = DEFAULT,
        aux_weight: float = 0.0,
        aux_level: int = -2,
    ) -> None:
        super().__init__()
        self.decoder = decoder
        self.aux = None
        self._aux_weight = aux_weight
        if aux_weight:
            self._aux_level = level_at(features, aux_level, "Model.head.aux_level")
            self.aux = Auxiliary(features[self._aux_level].channels, num_classes)
        self.criterion = MixedLoss(num_classes, losses)
        self.dialects: Mapping[str, DialectRules] = {
            "PaddleSeg": (
                (r"decoder\.(.+)", lambda match: translate(match.group(1), decoder.dialect)),
                (r"aux\.(.+)", lambda match: translate(match.group(1), dialects.AUXILIARY)),
            )
        }

    def forward(
        self, features: tuple[Tensor, ...], image_info: Mapping[str, Tensor] | None = None
    ) -> Tensor | dict[str, Tensor]:
        """Logits float32 [N, K, H, W] at the size of image_info["images"], or what `decode` takes if there is an
        "im_shape"; without image_info at the size of the decoder's output."""
        logits = self.decoder(features)
        if image_info is None:
            return logits
        if "im_shape" not in image_info:
            return self._full_size(logits, image_info["images"])
        return {"logits": logits}

    def decode(self, raw: Mapping[str, Tensor], image_info: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """`label_map` int32 [N, H, W] at the size of the network input; `logits` float32 [N, K, h, w], smaller than it
        by the stride of the decoder."""
        full = self._full_size(raw["logits"], image_info["images"])
        return {"label_map": paddle.argmax(full, axis=1).astype("int32"), "logits": raw["logits"]}

    def loss(self, features: tuple[Tensor, ...], targets: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """targets["label_map"] int64 [N, H, W], 255 where ignored; scalars by name, `loss_aux` among them."""
        images, labels = targets["images"], targets["label_map"].astype("int64")
        losses = self.criterion(self._full_size(self.decoder(features), images), labels)
        if self.aux is not None:
            logits = resize_like(self.aux(features[self._aux_level]), images)
            losses["loss_aux"] = sum(self.criterion(logits, labels).values()) * self._aux_weight
        return losses

    def _full_size(self, logits: Tensor, images: Tensor) -> Tensor:
        return logits if self.decoder.stride == 1 else resize_like(logits, images)


class Auxiliary(nn.Layer):
    """3x3 convolution and classifier on one level; makes the first layers learn faster (Zhao et al., 2017)."""

    def __init__(self, in_channels: int, num_classes: int, dropout: float = 0.1) -> None:
        super().__init__()
        channels = max(32, in_channels // 4)
        self.hidden = ConvNorm(in_channels, channels, 3, bias=True)
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Conv2D(channels, num_classes, 1)

    def forward(self, level: Tensor) -> Tensor:
        """[N, C, h, w] -> logits [N, K, h, w]."""
        return self.classifier(self.dropout(self.hidden(level)))
