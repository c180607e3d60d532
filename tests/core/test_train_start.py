"""What a training says about where its parameters start from."""

from __future__ import annotations

import types

import pytest

pytest.importorskip("paddle")

from pdx_core.settings import Component, ModelConfig
from pdx_core.train.pretrained import load_pretrained


def scratch(backbone: Component, fixed: int) -> str:
    """The sentence for two layers from random weights, the first `fixed` parameters of which are not trained."""
    from paddle import nn

    network = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 2), nn.BatchNorm(2))
    for parameter in network.parameters()[:fixed]:
        parameter.stop_gradient = True
    config = types.SimpleNamespace(
        train=types.SimpleNamespace(pretrain_weight_path="none"), model=ModelConfig(backbone=backbone)
    )
    return load_pretrained(network, types.SimpleNamespace(config=config), num_classes=2)


def test_nothing_more_is_said_when_everything_is_trained():
    assert (
        scratch(Component(name="Trunk", options={"freeze_stages": 0}), fixed=0)
        == "training from scratch (random weights)"
    )


def test_fixed_random_parameters_are_named_with_what_fixed_them():
    start = scratch(Component(name="Trunk", options={"freeze_stages": 2, "norm": "frozen", "depth": 18}), fixed=3)
    assert "NOTE: 3 of 6 parameters stay at their random values" in start
    assert "Model.backbone.freeze_stages=2, Model.backbone.norm=frozen." in start
    assert "depth" not in start


def test_without_a_setting_to_blame_the_number_is_said():
    assert "1 of 6 parameters stay at their random values. " in scratch(Component(name="Trunk"), fixed=1)


@pytest.mark.parametrize(("iterations", "judged", "saved"), [(30, 100, 3), (5000, 500, 500)])
def test_runs_in_iterations_are_saved_ten_times_and_judged_less_often(iterations, judged, saved):
    from pdx_core.cli.train import _intervals

    unsaid = types.SimpleNamespace(origins={"Train.eval_interval": "model Net"})
    flags = {"Train.unit": "iteration", "Train.epochs_iters": iterations}
    assert _intervals(unsaid, flags) == {"Train.eval_interval": judged, "Train.save_interval": saved}
    said = types.SimpleNamespace(origins={"Train.eval_interval": "-o Train.eval_interval=3"})
    assert _intervals(said, flags) == {"Train.save_interval": saved}
    assert _intervals(unsaid, {"Train.epochs_iters": iterations}) == {}
