"""Which metric judges a training."""

from __future__ import annotations

import types

import pytest

pytest.importorskip("paddle")

from pdx_core.errors import ConfigError
from pdx_core.settings import Component
from pdx_core.specs import MetricSpec
from pdx_core.train import assemble


class Judge:
    key = "score"


@pytest.fixture
def chosen(monkeypatch):
    """`chosen(name)` chooses the metric called so for a model of the task `mine`."""
    specs = {
        name: MetricSpec(name=name, task=task, key="score", target=f"{__name__}:Judge")
        for name, task in (("own", "mine"), ("foreign", "theirs"))
    }
    registry = types.SimpleNamespace(
        specs=lambda kind: list(specs.values()), resolve=lambda kind, name, origin: specs[name]
    )
    monkeypatch.setattr(assemble, "get_registry", lambda: registry)
    monkeypatch.setattr(MetricSpec, "load", lambda spec: Judge)

    def choose(name: str):
        config = types.SimpleNamespace(evaluate=types.SimpleNamespace(metric=Component(name=name)))
        model = types.SimpleNamespace(name="Net", task="mine")
        return assemble.choose_metric(types.SimpleNamespace(config=config, origins={}, spec=model), None, ("a",))

    return choose


def test_a_metric_of_the_task_is_taken(chosen):
    assert chosen("own").key == "score"


def test_a_metric_of_another_task_is_refused_with_those_that_fit(chosen):
    with pytest.raises(
        ConfigError, match=r"'foreign' judges results of task 'theirs', Net is a model of 'mine'.*: own$"
    ):
        chosen("foreign")
