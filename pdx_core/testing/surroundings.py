"""What a neck or a head is built on: what a small model that has it puts below it."""

from __future__ import annotations

import functools
from typing import Any

import attrs

from pdx_core.contracts import FeatureSpec
from pdx_core.plugins import get_registry
from pdx_core.testing.examples import task_example

Features = tuple[FeatureSpec, ...]


@attrs.frozen
class Surroundings:
    """features: the levels that are given to the part; options: those that the model gives to it."""

    features: Features
    options: dict[str, Any]


def around_neck(name: str) -> Surroundings | None:
    """In the smallest model that uses it; None where no model does."""
    model = _smallest_model("necks", name)
    if model is None:
        return None
    config, trunk, _ = _in_model(model)
    return Surroundings(trunk, dict(config.neck.options))


def around_head(name: str, task: str) -> Surroundings | None:
    """In the demo of its task, which is made to be quick, or else in the smallest model that uses it."""
    demo = task_example(task).resolved.config.model.head.name
    if get_registry().resolve("heads", demo).name == name:
        config, trunk, neck = _in_demo(task)
    else:
        model = _smallest_model("heads", name)
        if model is None:
            return None
        config, trunk, neck = _in_model(model)
    return Surroundings(neck or trunk, dict(config.head.options))


def _smallest_model(kind: str, component: str) -> str | None:
    """The name of the smallest model with this component."""
    registry = get_registry()
    field = kind.removesuffix("s")
    found = []
    for spec in registry.specs("models"):
        used = getattr(spec, field)
        if used and ":" not in used and registry.resolve(kind, used).name == component:
            found.append(spec)
    smallest = min(found, key=lambda spec: spec.params or 0, default=None)
    return None if smallest is None else smallest.name


@functools.cache
def _in_model(name: str) -> tuple[Any, Features, Features | None]:
    from pdx_core.config import default_config

    return _built(default_config(name).model, name)


@functools.cache
def _in_demo(task: str) -> tuple[Any, Features, Features | None]:
    resolved = task_example(task).resolved
    return _built(resolved.config.model, resolved.spec.name)


def _built(config: Any, name: str) -> tuple[Any, Features, Features | None]:
    """The configuration of the components, and the features that the trunk and the neck publish."""
    from pdx_core.train.network import build_components

    parts = build_components(config, 3, name)  # features do not depend on the number of classes
    return config, parts["backbone"].features, parts["neck"] and parts["neck"].features
