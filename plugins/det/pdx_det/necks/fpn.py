"""Feature pyramids: FPN (Lin et al. 2017) with its extra levels, and that of HRNet (Sun et al. 2019)."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Mapping, Sequence

from pdx_core.contracts import DialectRules, FeatureSpec
from pdx_core.errors import ConfigError
from pdx_core.paddle_support import require_paddle

require_paddle()

import paddle  # noqa: E402
import paddle.nn.functional as F  # noqa: E402
from paddle import Tensor, nn  # noqa: E402

from pdx_backbones.layers import ConvNorm  # noqa: E402


class FPN(nn.Layer):
    """Top-down pyramid with lateral connections.

    features: consecutive levels, fine to coarse
    extra:    "pool": one coarser level by taking every second cell (proposals of R-CNN);
              "conv": two coarser levels by strided convolutions of the coarsest one (RetinaNet); "none"
    norm:     "none" (convolutions with bias) or "group"
    """

    def __init__(
        self, features: Sequence[FeatureSpec], *, channels: int = 256, extra: str = "pool", norm: str = "none"
    ) -> None:
        super().__init__()
        strides = [level.stride for level in features]
        if any(later != 2 * earlier for earlier, later in itertools.pairwise(strides)):
            raise ConfigError(f"FPN needs levels whose strides double; the backbone gives {strides}")
        if extra not in ("pool", "conv", "none"):
            raise ConfigError(f"extra must be 'pool', 'conv' or 'none'; got {extra!r}")
        self.lateral = nn.LayerList(_conv(level.channels, channels, 1, norm) for level in features)
        self.output = nn.LayerList(_conv(channels, channels, 3, norm) for _ in features)
        added = {"pool": 1, "conv": 2, "none": 0}[extra]
        self.extra = nn.LayerList(
            [nn.Conv2D(channels, channels, 3, stride=2, padding=1) for _ in range(added)] if extra == "conv" else []
        )
        self._pooled = extra == "pool"
        strides += [strides[-1] * 2 ** (index + 1) for index in range(added)]
        self.features = tuple(FeatureSpec(channels, stride) for stride in strides)
        self.dialects = _dialects(round(math.log2(strides[0])), len(features))

    def forward(self, features: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        # Paddle turns `zip` into a graph function of its own, which knows no `strict`.
        merged = [lateral(features[index]) for index, lateral in enumerate(self.lateral)]
        for index in range(len(merged) - 1, 0, -1):
            finer = merged[index - 1]
            size = paddle.shape(finer)[2:]  # twice that of the coarser one, or a cell more or less where sizes are odd
            merged[index - 1] = finer + F.interpolate(merged[index], size=size, mode="nearest")
        levels = [output(merged[index]) for index, output in enumerate(self.output)]
        if self._pooled:
            levels.append(F.max_pool2d(levels[-1], 1, stride=2))
        for index, conv in enumerate(self.extra):
            levels.append(conv(F.relu(levels[-1]) if index else levels[-1]))
        return tuple(levels)


def _conv(in_channels: int, out_channels: int, kernel: int, norm: str) -> nn.Layer:
    if norm == "group":
        return ConvNorm(in_channels, out_channels, kernel, act=None, norm="group")
    if norm != "none":
        raise ConfigError(f"norm must be 'none' or 'group'; got {norm!r}")
    initial = nn.initializer.XavierUniform(fan_out=out_channels * kernel * kernel)
    return nn.Conv2D(
        in_channels, out_channels, kernel, padding=kernel // 2, weight_attr=paddle.ParamAttr(initializer=initial)
    )


def _dialects(first: int, count: int) -> Mapping[str, DialectRules]:
    """Paddle's release names levels by their ResNet stage and calls all but the coarsest lateral."""

    def detection(match: re.Match[str]) -> str:
        part, index, rest = match.group(1), int(match.group(2)), match.group(3)
        stage = f"res{first + index}_sum"
        if part == "lateral":
            return f"neck.fpn_inner_{stage}{'' if index == count - 1 else '_lateral'}.{rest}"
        if part == "output":
            return f"neck.fpn_{stage}.{rest}"
        return f"neck.fpn_{first + count + index}.{rest}"

    return {"PaddleDetection": ((r"(lateral|output|extra)\.(\d+)\.(.+)", detection),)}


class HRFPN(nn.Layer):
    """All levels enlarged to the finest and concatenated, reduced by one convolution, then pooled to each stride.

    Deviation from the paper's figure, as in Paddle's release: average pooling, and one 3x3 convolution per level.
    """

    def __init__(self, features: Sequence[FeatureSpec], *, channels: int = 256, levels: int = 5) -> None:
        super().__init__()
        total = sum(level.channels for level in features)
        self.reduction = nn.Conv2D(total, channels, 1, bias_attr=False)
        self.output = nn.LayerList(nn.Conv2D(channels, channels, 3, padding=1, bias_attr=False) for _ in range(levels))
        self.features = tuple(FeatureSpec(channels, features[0].stride * 2**index) for index in range(levels))
        self.dialects = {
            "PaddleDetection": (
                (r"reduction\.(.+)", r"neck.reduction.\1"),
                (r"output\.(\d+)\.(.+)", r"neck.fpn_conv_\1.\2"),
            )
        }

    def forward(self, features: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        enlarged = [
            F.interpolate(level, scale_factor=2.0**index, mode="bilinear") if index else level
            for index, level in enumerate(features)
        ]
        reduced = self.reduction(paddle.concat(enlarged, axis=1))
        pooled = [reduced] + [F.avg_pool2d(reduced, 2**index, 2**index) for index in range(1, len(self.output))]
        return tuple([output(pooled[index]) for index, output in enumerate(self.output)])
