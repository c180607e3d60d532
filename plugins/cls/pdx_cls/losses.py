"""Cross-entropy over class indices or soft labels."""

from __future__ import annotations

from collections.abc import Sequence

from pdx_core.errors import ConfigError
from pdx_core.paddle_support import require_paddle

require_paddle()

import paddle  # noqa: E402
import paddle.nn.functional as F  # noqa: E402
from paddle import Tensor, nn  # noqa: E402


class SoftCrossEntropy(nn.Layer):
    """Mean cross-entropy with label smoothing and class weights.

    label_smoothing: share e of the label that is spread over all classes: (1 - e) * label + e / K
    class_weights:   factor per class; the mean is weighted too, so that a common factor changes nothing. () for none
    """

    def __init__(self, num_classes: int, label_smoothing: float = 0.0, class_weights: Sequence[float] = ()) -> None:
        super().__init__()
        if not 0.0 <= label_smoothing < 1.0:
            raise ConfigError(f"label_smoothing must lie in 0 <= value < 1; got {label_smoothing!r}")
        if class_weights and (len(class_weights) != num_classes or min(class_weights) < 0 or sum(class_weights) <= 0):
            raise ConfigError(
                f"class_weights must be {num_classes} numbers, one per class, none negative and not all zero; "
                f"got {list(class_weights)!r}"
            )
        self.num_classes = num_classes
        self.label_smoothing = label_smoothing
        self.class_weights = tuple(float(weight) for weight in class_weights)

    def forward(self, logits: Tensor, label: Tensor) -> Tensor:
        """logits float [N, K]; label int64 [N] or float32 [N, K] -> scalar."""
        logits = logits.astype("float32")  # half precision overflows in the sum of exponentials
        if label.ndim == 1:
            label = F.one_hot(label, self.num_classes)  # [N, K]
        if self.label_smoothing:
            label = label * (1.0 - self.label_smoothing) + self.label_smoothing / self.num_classes
        if self.class_weights:
            label = label * paddle.to_tensor(self.class_weights, dtype="float32")
        return -(label * F.log_softmax(logits, axis=-1)).sum() / label.sum().clip(min=1e-12)
