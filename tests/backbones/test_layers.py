"""The building blocks, against numbers worked out by hand."""

import numpy as np
import paddle
import pytest
from paddle import nn

from pdx_backbones.deformable import DeformableConvNorm
from pdx_backbones.layers import (
    ConvNorm,
    DropPath,
    FrozenBatchNorm,
    SeparableConv,
    SqueezeExcite,
    activation,
    freeze,
    make_divisible,
    norm_layer,
)
from pdx_core.errors import ConfigError


@pytest.mark.parametrize(("value", "expected"), [(5.6, 8), (8.4, 8), (12, 16), (25.2, 24), (201.6, 200), (10, 16)])
def test_make_divisible(value, expected):
    assert make_divisible(value) == expected


def test_activation_names_suggest():
    assert isinstance(activation(None), nn.Identity)
    assert float(activation("leaky_relu")(paddle.to_tensor(-2.0))) == pytest.approx(-0.2)
    with pytest.raises(ConfigError, match="'hardswish'"):
        activation("hard_swish2")


def test_frozen_batch_norm_is_batch_norm_that_never_moves():
    paddle.seed(0)
    learned = nn.BatchNorm2D(4)
    for _ in range(3):
        learned(paddle.randn([8, 4, 5, 5]) * 3 + 1)
    frozen = FrozenBatchNorm(4)
    frozen.set_state_dict(learned.state_dict())
    assert list(frozen.state_dict()) == list(learned.state_dict())
    x = paddle.randn([2, 4, 5, 5])
    learned.eval()
    frozen.train()
    before = frozen.state_dict()["_mean"].numpy().copy()
    np.testing.assert_allclose(frozen(x).numpy(), learned(x).numpy(), rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(frozen.state_dict()["_mean"].numpy(), before)
    assert all(parameter.stop_gradient for parameter in frozen.parameters())


def test_frozen_batch_norm_survives_the_conversion_to_synchronised_batch_norm():
    pair = nn.Sequential(FrozenBatchNorm(4), nn.BatchNorm2D(4))
    converted = nn.SyncBatchNorm.convert_sync_batchnorm(pair)
    assert [type(layer).__name__ for layer in converted] == ["FrozenBatchNorm", "SyncBatchNorm"]


def test_norm_kinds():
    assert type(norm_layer("batch", 32)) is nn.BatchNorm2D
    assert type(norm_layer("group", 64)) is nn.GroupNorm
    with pytest.raises(ConfigError, match="multiples of 32"):
        norm_layer("group", 16)
    with pytest.raises(ConfigError, match="layer"):
        norm_layer("layer", 16)


@pytest.mark.parametrize(("kernel_size", "stride", "dilation", "side"), [(3, 1, 1, 9), (3, 2, 1, 5), (5, 1, 2, 9)])
def test_conv_norm_keeps_the_size_at_stride_one(kernel_size, stride, dilation, side):
    layer = ConvNorm(3, 8, kernel_size, stride, dilation=dilation)
    assert layer(paddle.zeros([1, 3, 9, 9])).shape == [1, 8, side, side]
    assert layer.conv.bias is None


def test_squeeze_excite_gate():
    layer = SqueezeExcite(1, 1, gate_slope=0.2)
    layer.reduce.weight.set_value(np.ones((1, 1, 1, 1), np.float32))
    layer.reduce.bias.set_value(np.zeros(1, np.float32))
    layer.restore.weight.set_value(np.full((1, 1, 1, 1), 0.5, np.float32))
    layer.restore.bias.set_value(np.zeros(1, np.float32))
    x = paddle.to_tensor([[[[1.0, 3.0]]]])  # mean 2, restored 1, gate 0.2 * 1 + 0.5 = 0.7
    np.testing.assert_allclose(layer(x).numpy(), [[[[0.7, 2.1]]]], rtol=1e-6)


def test_drop_path_drops_whole_samples_and_keeps_the_mean():
    paddle.seed(0)
    layer = DropPath(0.25)
    out = layer(paddle.ones([4000, 2, 1, 1])).numpy()
    assert set(np.unique(out.round(4))) == {0.0, np.float32(1.3333)}
    assert (out[:, 0] == out[:, 1]).all()
    assert out.mean() == pytest.approx(1.0, abs=0.03)
    layer.eval()
    assert (layer(paddle.ones([8, 1])).numpy() == 1).all()


def test_deformable_convolution_starts_as_a_plain_one_at_half_strength():
    paddle.seed(0)
    layer = DeformableConvNorm(4, 8, 3, 2, act=None)
    layer.eval()
    x = paddle.randn([2, 4, 9, 9])
    plain = nn.functional.conv2d(x, layer.conv.weight, stride=2, padding=1)
    np.testing.assert_allclose(layer(x).numpy(), 0.5 * plain.numpy() / np.sqrt(1 + 1e-5), rtol=1e-4, atol=1e-5)


def test_freeze():
    layer = ConvNorm(3, 8)
    freeze(layer)
    assert all(parameter.stop_gradient for parameter in layer.parameters())


def test_bias_of_a_convolution_before_a_norm_shows_in_evaluation_only():
    layer = ConvNorm(1, 1, 1, act=None, bias=True, epsilon=0.0)
    layer.conv.weight.set_value(np.ones((1, 1, 1, 1), np.float32))
    layer.conv.bias.set_value(np.full(1, 3.0, np.float32))
    x = paddle.to_tensor([[[[-1.0, 1.0]]]])
    np.testing.assert_allclose(layer(x).numpy(), [[[[-1.0, 1.0]]]], atol=1e-6)  # the batch mean takes it away
    layer.norm._mean.set_value(np.zeros(1, np.float32))
    layer.norm._variance.set_value(np.ones(1, np.float32))
    layer.eval()
    np.testing.assert_allclose(layer(x).numpy(), [[[[2.0, 4.0]]]], atol=1e-6)


def test_separable_conv_activates_where_it_is_told():
    paddle.seed(0)
    layer = SeparableConv(4, 6, 3, 2, dilation=2, act=None, bias=True)
    assert layer(paddle.randn([2, 4, 9, 9])).shape == [2, 6, 5, 5]
    assert layer.depthwise.conv.weight.shape == [4, 1, 3, 3]
    assert [type(part.act).__name__ for part in (layer.depthwise, layer.pointwise)] == ["Identity", "Identity"]
    relu = SeparableConv(4, 6, depthwise_act="relu")
    assert [type(part.act).__name__ for part in (relu.depthwise, relu.pointwise)] == ["ReLU", "ReLU"]
    assert relu.depthwise.conv.bias is None
