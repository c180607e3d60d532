"""Brings maps to the size of others."""

from __future__ import annotations

from pdx_core.paddle_support import require_paddle

require_paddle()

import paddle  # noqa: E402
import paddle.nn.functional as F  # noqa: E402
from paddle import Tensor  # noqa: E402


def resize_like(x: Tensor, other: Tensor, align_corners: bool = False) -> Tensor:
    """x [N, C, h, w] -> [N, C, H, W], bilinear, where `other` is [.., .., H, W]."""
    size = paddle.shape(other)[2:]  # a tensor: an exported graph must not fix the size
    return F.interpolate(x, size=size, mode="bilinear", align_corners=align_corners)
