"""The parts that several backbones are made of. Plugins may use them as public building blocks.

Tensors are float32 [N, C, H, W]. Convolutions that a norm follows have no bias unless asked for. Parameter names
(`conv`, `norm`, `depthwise`, `pointwise`, `reduce`, `restore`) are part of the file format: renaming one breaks every
saved file.
"""

from __future__ import annotations

from typing import Any

from pdx_core.errors import ConfigError, did_you_mean
from pdx_core.paddle_support import require_paddle

require_paddle()

import paddle  # noqa: E402
import paddle.nn.functional as F  # noqa: E402
from paddle import Tensor, nn  # noqa: E402

ACTIVATIONS: dict[str, Any] = {
    "relu": nn.ReLU,
    "relu6": nn.ReLU6,
    "leaky_relu": lambda: nn.LeakyReLU(0.1),  # the slope of DarkNet and YOLO
    "hardswish": nn.Hardswish,
    "hardsigmoid": nn.Hardsigmoid,
    "sigmoid": nn.Sigmoid,
    "swish": nn.Swish,
    "silu": nn.Silu,
    "mish": nn.Mish,
    "gelu": nn.GELU,
    "none": nn.Identity,
}


def activation(name: str | None) -> nn.Layer:
    """The activation of that name; None and "none" give the identity. Raises ConfigError for an unknown one."""
    key = name or "none"
    if key not in ACTIVATIONS:
        raise ConfigError(f"no activation named {name!r}.{did_you_mean(key, ACTIVATIONS)}")
    return ACTIVATIONS[key]()


class FrozenBatchNorm(nn.Layer):
    """Batch norm that never learns: statistics, scale and shift stay as loaded, in training too.

    Its keys are those of `nn.BatchNorm2D`. It is no subclass, so that the conversion to synchronised batch norm, which
    forgets `use_global_stats`, leaves it alone.
    """

    def __init__(self, channels: int, epsilon: float = 1e-5) -> None:
        super().__init__()
        self._epsilon = epsilon
        for name, value in (("weight", 1.0), ("bias", 0.0), ("_mean", 0.0), ("_variance", 1.0)):
            parameter = self.create_parameter([channels], default_initializer=nn.initializer.Constant(value))
            parameter.stop_gradient = True
            setattr(self, name, parameter)

    def forward(self, x: Tensor) -> Tensor:
        return F.batch_norm(x, self._mean, self._variance, self.weight, self.bias, False, epsilon=self._epsilon)


def norm_layer(kind: str, channels: int, momentum: float = 0.9, epsilon: float = 1e-5) -> nn.Layer:
    """The normalisation that follows a convolution.

    kind: "batch"; "frozen": batch norm with fixed statistics and parameters; "group": group norm of 32 groups.
    momentum: share of the old running statistics that is kept at each step (Paddle's meaning).

    Synchronised batch norm is no kind of its own: the training loop converts "batch" when there are several devices.
    """
    if kind == "batch":
        return nn.BatchNorm2D(channels, momentum=momentum, epsilon=epsilon)
    if kind == "frozen":
        return FrozenBatchNorm(channels, epsilon)
    if kind == "group":
        if channels % 32:
            raise ConfigError(f"group norm needs multiples of 32 channels, this network has {channels}; use batch norm")
        return nn.GroupNorm(32, channels, epsilon=epsilon)
    raise ConfigError(f"no norm named {kind!r}; choose batch, frozen or group")


class ConvNorm(nn.Layer):
    """Convolution, norm, activation.

    bias:    of the convolution; the norm makes it superfluous, but PaddleSeg's weights have it
    padding: pixels on every side; None keeps the size at stride 1; "SAME" does too, and at stride 2 pads an even size
             on the right and bottom only, as TensorFlow does
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int = 3,
        stride: int = 1,
        *,
        padding: int | str | None = None,
        dilation: int = 1,
        groups: int = 1,
        act: str | None = "relu",
        norm: str = "batch",
        momentum: float = 0.9,
        epsilon: float = 1e-5,
        bias: bool = False,
        weight_attr: Any = None,
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2D(
            in_channels,
            out_channels,
            kernel_size,
            stride,
            padding=dilation * (kernel_size - 1) // 2 if padding is None else padding,
            dilation=dilation,
            groups=groups,
            weight_attr=weight_attr,  # None is Paddle's default: normal, std sqrt(2 / (in_channels * kernel area))
            bias_attr=None if bias else False,  # None is Paddle's default: one that starts at 0
        )
        self.norm = norm_layer(norm, out_channels, momentum, epsilon)
        self.act = activation(act)

    def forward(self, x: Tensor) -> Tensor:
        return self.act(self.norm(self.conv(x)))


class SeparableConv(nn.Layer):
    """Convolution inside each channel, then a 1x1 convolution over them, each with norm and activation.

    depthwise_act, act: after the first and after the second
    options:            of both `ConvNorm`: norm, momentum, epsilon, bias, weight_attr
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int = 3,
        stride: int = 1,
        *,
        dilation: int = 1,
        depthwise_act: str | None = None,
        act: str | None = "relu",
        **options: Any,
    ) -> None:
        super().__init__()
        self.depthwise = ConvNorm(
            in_channels,
            in_channels,
            kernel_size,
            stride,
            dilation=dilation,
            groups=in_channels,
            act=depthwise_act,
            **options,
        )
        self.pointwise = ConvNorm(in_channels, out_channels, 1, act=act, **options)

    def forward(self, x: Tensor) -> Tensor:
        return self.pointwise(self.depthwise(x))


class SqueezeExcite(nn.Layer):
    """Channel attention of two 1x1 convolutions (Hu et al., 2018) with a piecewise linear gate.

    gate_slope: of the hard sigmoid clip(slope * x + 0.5, 0, 1). Paddle's MobileNetV3 uses 0.2, PP-LCNet 1/6.
    """

    def __init__(self, channels: int, squeeze_channels: int, gate_slope: float = 1 / 6) -> None:
        super().__init__()
        self.reduce = nn.Conv2D(channels, squeeze_channels, 1)
        self.restore = nn.Conv2D(squeeze_channels, channels, 1)
        self.gate_slope = gate_slope

    def forward(self, x: Tensor) -> Tensor:
        gate = F.adaptive_avg_pool2d(x, 1)  # [N, C, 1, 1]
        gate = self.restore(F.relu(self.reduce(gate)))
        return x * F.hardsigmoid(gate, slope=self.gate_slope, offset=0.5)


class DropPath(nn.Layer):
    """Stochastic depth (Huang et al., 2016): drops the whole branch of a sample in training, rescales the others."""

    def __init__(self, drop_probability: float = 0.0) -> None:
        super().__init__()
        self.drop_probability = drop_probability

    def forward(self, x: Tensor) -> Tensor:
        if self.drop_probability == 0.0 or not self.training:
            return x
        keep = 1.0 - self.drop_probability
        shape = [x.shape[0]] + [1] * (x.ndim - 1)
        return x * paddle.bernoulli(paddle.full(shape, keep, dtype=x.dtype)) / keep


def make_divisible(value: float, divisor: int = 8) -> int:
    """`value` rounded to a multiple of `divisor`, never more than a tenth below it (MobileNetV2)."""
    rounded = max(divisor, int(value + divisor / 2) // divisor * divisor)
    return rounded + divisor if rounded < 0.9 * value else rounded


def freeze(*layers: nn.Layer) -> None:
    """Exclude every parameter of the layers from training. Build them with norm "frozen" to fix statistics as well."""
    for layer in layers:
        for parameter in layer.parameters():
            parameter.stop_gradient = True
