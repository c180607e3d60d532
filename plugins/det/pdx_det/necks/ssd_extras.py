"""The levels that SSD adds behind its trunk (Liu et al. 2016)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from pdx_core.contracts import DialectRules, FeatureSpec
from pdx_core.errors import ConfigError
from pdx_core.paddle_support import require_paddle

require_paddle()

import paddle.nn.functional as F  # noqa: E402
from paddle import Tensor, nn  # noqa: E402

from pdx_backbones.layers import ConvNorm  # noqa: E402


class ScaledL2Norm(nn.Layer):
    """Divides each cell by its length over the channels, then multiplies by a learnt factor per channel."""

    def __init__(self, channels: int, initial_scale: float = 20.0) -> None:
        super().__init__()
        self.scale = self.create_parameter([channels], default_initializer=nn.initializer.Constant(initial_scale))

    def forward(self, x: Tensor) -> Tensor:
        return F.normalize(x, axis=1, epsilon=1e-10) * self.scale.reshape([1, -1, 1, 1])


class ExtraLevel(nn.Layer):
    """A 1x1 convolution that narrows, then one that makes the map smaller; ReLU behind both, or with norm ReLU6."""

    def __init__(
        self, in_channels: int, narrow: int, channels: int, kernel: int, stride: int, padding: int, normalized: bool
    ) -> None:
        super().__init__()
        if normalized:
            self.narrow: nn.Layer = ConvNorm(in_channels, narrow, 1, act="relu6")
            self.shrink: nn.Layer = ConvNorm(narrow, channels, kernel, stride, act="relu6")
        else:
            self.narrow = nn.Sequential(nn.Conv2D(in_channels, narrow, 1), nn.ReLU())
            self.shrink = nn.Sequential(nn.Conv2D(narrow, channels, kernel, stride, padding), nn.ReLU())

    def forward(self, x: Tensor) -> Tensor:
        return self.shrink(self.narrow(x))


class SSDExtras(nn.Layer):
    """The trunk's levels, then one more for each entry of `levels`.

    levels:      channels of the 1x1 convolution and of the level, then kernel, stride and padding
    normalized:  batch norm behind every convolution instead of a bias (MobileNet trunks)
    l2_norm:     the finest level is normalised to a learnt length, because VGG's is much larger than the others
    spelling:    whose parameter names the released files use: "vgg", "mobilenet" or "resnet"
    """

    def __init__(
        self,
        features: Sequence[FeatureSpec],
        levels: Sequence[Sequence[int]],
        normalized: bool = False,
        l2_norm: bool = False,
        spelling: str = "vgg",
    ) -> None:
        super().__init__()
        if spelling not in _SPELLINGS:
            raise ConfigError(f"spelling must be one of {', '.join(_SPELLINGS)}; got {spelling!r}")
        self.finest = ScaledL2Norm(features[0].channels) if l2_norm else nn.Identity()
        self.extras = nn.LayerList()
        published = list(features)
        for narrow, channels, kernel, stride, padding in levels:
            last = published[-1]
            self.extras.append(ExtraLevel(last.channels, narrow, channels, kernel, stride, padding, normalized))
            published.append(FeatureSpec(channels, last.stride * stride))
        self.features = tuple(published)
        self.dialects: Mapping[str, DialectRules] = {"PaddleDetection": _SPELLINGS[spelling]}

    def forward(self, features: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        levels = [self.finest(features[0]), *features[1:]]
        for extra in self.extras:
            levels.append(extra(levels[-1]))
        return tuple(levels)


def _vgg(match: re.Match[str]) -> str:
    level, part, leaf = match.groups()
    return f"backbone.conv{int(level) + 6}.conv{0 if part == 'narrow' else 1}.{leaf}"


def _mobilenet(match: re.Match[str]) -> str:
    level, part, kind, leaf = match.groups()
    layer = "pointwise_conv" if part == "narrow" else "normal_conv"
    return f"backbone.conv7_{int(level) + 1}.{layer}.{'_conv' if kind == 'conv' else '_batch_norm'}.{leaf}"


def _resnet(match: re.Match[str]) -> str:
    level, part, leaf = match.groups()
    return f"ssd_head.ssd_extra_head.convs.{level}.{0 if part == 'narrow' else 2}.{leaf}"


_PLAIN = r"extras\.(\d+)\.(narrow|shrink)\.0\.(\w+)"
_SPELLINGS: Mapping[str, DialectRules] = {
    "vgg": ((_PLAIN, _vgg), (r"finest\.scale", "backbone.norm0.scale")),
    "mobilenet": ((r"extras\.(\d+)\.(narrow|shrink)\.(conv|norm)\.(\w+)", _mobilenet),),
    "resnet": ((_PLAIN, _resnet),),
}
