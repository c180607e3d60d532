"""ResNet as SSD takes it: up to its third stage, which keeps the resolution of the second without dilation."""

from __future__ import annotations

from pdx_core.contracts import FeatureSpec
from pdx_core.paddle_support import require_paddle
from pdx_core.plugins import get_registry

require_paddle()

from paddle import nn  # noqa: E402


def undilated_resnet(depth: int = 34, norm: str = "batch", freeze_stages: int = 0) -> nn.Layer:
    """A trunk of one level, of stride 8.

    The option `output_stride` of ResNet would put dilated convolutions in the place of the stride; the released SSD has
    plain ones.
    """
    spec = get_registry().find("backbones", f"ResNet{depth}")
    trunk = spec.load()(**spec.arguments, out_stages=(2,), norm=norm, freeze_stages=freeze_stages)
    first = trunk.stages[2][0]
    for part in (first.conv0, first.short):
        part.conv._stride = [1, 1]
    (level,) = trunk.features
    trunk.features = (FeatureSpec(level.channels, 8),)
    return trunk
