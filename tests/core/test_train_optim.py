"""Decay rules, learning-rate factors, clipping, frozen parts, state, EMA: against numbers worked out by hand."""

import numpy as np
import pytest

paddle = pytest.importorskip("paddle")

from paddle import nn  # noqa: E402

from pdx_core.errors import ConfigError, WeightsError  # noqa: E402
from pdx_core.settings import OptimizerConfig  # noqa: E402
from pdx_core.train.ema import ModelEma, ema_decay  # noqa: E402
from pdx_core.train.optim import (  # noqa: E402
    build_optimizer,
    decayed_names,
    freeze_parameters,
    load_optimizer_state,
    optimizer_state,
    set_training_mode,
)


class Net(nn.Layer):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2D(3, 2, 1)
        self.norm = nn.BatchNorm2D(2)
        self.fc = nn.Linear(2, 2)

    def forward(self, images):
        return self.fc(self.norm(self.conv(images)).mean([2, 3]))


def one_step(network, config, lr=0.1, gradient=1.0):
    """Make one update with the same gradient for every parameter; returns how far each moved."""
    optimizer = build_optimizer(network, config, lr)
    before = {name: parameter.numpy().copy() for name, parameter in network.named_parameters()}
    for parameter in network.parameters():
        if not parameter.stop_gradient:
            parameter.grad = paddle.full(parameter.shape, gradient)
    optimizer.step()
    return optimizer, before, {name: parameter.numpy() for name, parameter in network.named_parameters()}


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ((), {"conv.weight", "conv.bias", "norm.weight", "norm.bias", "fc.weight", "fc.bias"}),
        (("norm",), {"conv.weight", "conv.bias", "fc.weight", "fc.bias"}),
        (("1d",), {"conv.weight", "fc.weight"}),
        ((r"^fc\.", "norm"), {"conv.weight", "conv.bias"}),
    ],
)
def test_no_decay_rules(rules, expected):
    assert decayed_names(Net(), rules) == expected


@pytest.mark.parametrize("name", ["momentum", "sgd"])
def test_coupled_decay_and_factors(name):
    network = Net()
    config = OptimizerConfig(name=name, weight_decay=0.5, no_decay=("1d",), lr_factors={"^fc": 0.1})
    _, before, after = one_step(network, config)
    np.testing.assert_allclose(
        after["conv.weight"], before["conv.weight"] - 0.1 * (1 + 0.5 * before["conv.weight"]), rtol=1e-5
    )
    np.testing.assert_allclose(after["norm.weight"], before["norm.weight"] - 0.1, rtol=1e-5)
    np.testing.assert_allclose(
        after["fc.weight"], before["fc.weight"] - 0.01 * (1 + 0.5 * before["fc.weight"]), rtol=1e-5
    )
    np.testing.assert_allclose(after["norm._mean"], before["norm._mean"])


def test_adamw_decays_apart_from_the_gradient():
    network = Net()
    config = OptimizerConfig(name="adamw", weight_decay=0.5, no_decay=("1d",), lr_factors={"^fc": 0.1})
    _, before, after = one_step(network, config)
    # the first Adam step is lr * sign(gradient)
    np.testing.assert_allclose(after["conv.weight"], before["conv.weight"] * (1 - 0.1 * 0.5) - 0.1, atol=1e-5)
    np.testing.assert_allclose(after["conv.bias"], before["conv.bias"] - 0.1, atol=1e-5)
    np.testing.assert_allclose(after["fc.weight"], before["fc.weight"] * (1 - 0.01 * 0.5) - 0.01, atol=1e-5)


def test_clip_norm_is_over_all_parameters():
    network = Net()
    elements = sum(parameter.size for parameter in network.parameters() if not parameter.stop_gradient)
    _, before, after = one_step(network, OptimizerConfig(name="sgd", clip_norm=1.0), lr=1.0)
    moved = before["fc.bias"] - after["fc.bias"]
    np.testing.assert_allclose(moved, 1 / np.sqrt(elements), rtol=1e-4)


def test_clip_value():
    _, before, after = one_step(Net(), OptimizerConfig(name="sgd", clip_value=0.25), lr=1.0)
    np.testing.assert_allclose(before["conv.weight"] - after["conv.weight"], 0.25, rtol=1e-4)


def test_both_clips_are_refused():
    with pytest.raises(ConfigError, match="exclude each other"):
        build_optimizer(Net(), OptimizerConfig(clip_norm=1.0, clip_value=1.0), 0.1)


def test_frozen_parts_stay_and_so_do_their_statistics():
    network = Net()
    assert freeze_parameters(network, ["^norm", "^conv"]) == ["conv.weight", "conv.bias", "norm.weight", "norm.bias"]
    set_training_mode(network)
    assert network.conv.training and not network.norm.training
    mean = network.norm._mean.numpy().copy()
    network(paddle.ones([4, 3, 2, 2]))
    np.testing.assert_array_equal(network.norm._mean.numpy(), mean)
    optimizer = build_optimizer(network, OptimizerConfig(), 0.1)
    assert {name.split("@")[0] for name in optimizer_state(network, optimizer)} == {"fc.weight", "fc.bias"}


@pytest.mark.parametrize(("patterns", "words"), [(["backbone"], "matches no parameter"), ([""], "every parameter")])
def test_freezing_nothing_or_everything_is_refused(patterns, words):
    with pytest.raises(ConfigError, match=words):
        freeze_parameters(Net(), patterns)


@pytest.mark.parametrize("name", ["momentum", "sgd", "adam", "adamw"])
def test_state_survives_a_new_process(name):
    """Two networks of one process have other Paddle names, as a resumed process may."""
    first, second = Net(), Net()
    config = OptimizerConfig(name=name, weight_decay=0.1)
    optimizer, _, weights = one_step(first, config, gradient=0.3)
    state = optimizer_state(first, optimizer)
    second.set_state_dict(first.state_dict())
    restored = build_optimizer(second, config, 0.1)
    load_optimizer_state(second, restored, state)
    for network, each in ((first, optimizer), (second, restored)):
        for parameter in network.parameters():
            if not parameter.stop_gradient:
                parameter.grad = paddle.full(parameter.shape, -0.2)
        each.step()
    for (_, one), (_, other) in zip(first.named_parameters(), second.named_parameters(), strict=True):
        np.testing.assert_array_equal(one.numpy(), other.numpy())
    assert name == "sgd" or not np.array_equal(weights["fc.weight"], first.fc.weight.numpy())


def test_state_of_another_optimizer_is_refused():
    network = Net()
    state = optimizer_state(network, build_optimizer(network, OptimizerConfig(name="momentum"), 0.1))
    with pytest.raises(WeightsError, match="another network or optimiser"):
        load_optimizer_state(network, build_optimizer(network, OptimizerConfig(name="adam"), 0.1), state)


def test_ema_by_hand():
    network = Net()
    ema = ModelEma(network, decay=0.9)
    start = network.fc.weight.numpy().copy()
    paddle.assign(paddle.to_tensor(start + 1), network.fc.weight)
    ema.update()
    decay = 1 / 10  # (1 + 0) / (10 + 0)
    np.testing.assert_allclose(ema.state()["fc.weight"], decay * start + (1 - decay) * (start + 1), rtol=1e-5)
    with ema.applied():
        np.testing.assert_allclose(network.fc.weight.numpy(), ema.state()["fc.weight"])
    np.testing.assert_allclose(network.fc.weight.numpy(), start + 1)
    assert [ema_decay(updates, 0.5) for updates in (0, 2, 1000)] == pytest.approx([0.1, 0.25, 0.5])
