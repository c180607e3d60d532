"""What a neck owes the heads."""

from __future__ import annotations

from typing import Any

from pdx_core.contracts import FeatureSpec
from pdx_core.paddle_support import require_paddle
from pdx_core.specs import NeckSpec
from pdx_core.testing.checks import fail
from pdx_core.testing.surroundings import Surroundings, around_neck

_SIDE = 128


def publishes_what_it_returns(spec: NeckSpec) -> None:
    """`features` has one entry per level of `forward`, with its channels and stride."""
    paddle = require_paddle()
    trunk, neck = build(spec)
    features = getattr(neck, "features", None)
    if not isinstance(features, tuple) or not all(isinstance(level, FeatureSpec) for level in features):
        fail(f"features is {features!r}", "set self.features = (FeatureSpec(channels, stride), ...)")
    neck.eval()
    with paddle.no_grad():
        levels = neck(trunk(paddle.randn([2, 3, _SIDE, _SIDE])))
    if len(levels) != len(features):
        fail(f"forward returned {len(levels)} levels, features has {len(features)}", "publish one entry per level")
    for number, (level, feature) in enumerate(zip(levels, features, strict=True)):
        cells = -(-_SIDE // feature.stride)
        shape = list(level.shape)
        if shape[:2] != [2, feature.channels] or any(abs(side - cells) > 1 for side in shape[2:]):
            fail(
                f"level {number} has shape {shape} for images of {_SIDE} x {_SIDE}, and features promise "
                f"{[2, feature.channels, cells, cells]}",
                "correct features, or the layer",
            )


def gradients_reach_every_trained_parameter(spec: NeckSpec) -> None:
    from pdx_core.testing.layers import require_gradients

    paddle = require_paddle()
    trunk, neck = build(spec)
    neck.train()
    levels = neck(trunk(paddle.randn([2, 3, _SIDE, _SIDE])))
    require_gradients(neck, sum((level * paddle.randn(level.shape)).mean() for level in levels))


def saved_parameters_give_the_same_outputs(spec: NeckSpec) -> None:
    from pdx_core.testing.layers import require_round_trip

    paddle = require_paddle()
    trunk, _ = build(spec)
    with paddle.no_grad():
        given = trunk(paddle.randn([1, 3, _SIDE, _SIDE]))

        def run(neck: Any) -> list[Any]:
            return list(neck(given))

        require_round_trip(lambda: build(spec)[1], run)


def exported_graph_gives_the_same_levels(spec: NeckSpec) -> None:
    from pdx_core.testing.layers import require_export

    paddle = require_paddle()
    trunk, neck = build(spec)
    sizes = ((2, _SIDE, _SIDE), (1, _SIDE, 2 * _SIDE))
    feeds = [paddle.randn([count, 3, height, width]) for count, height, width in sizes]
    both = paddle.nn.Sequential(trunk, neck)
    require_export(both, feeds)


def build(spec: NeckSpec) -> tuple[Any, Any]:
    """A stand-in for the trunk, and the neck on it: as in the smallest model that has it, else on a pyramid."""
    from pdx_core.testing.networks import PYRAMID, ProbeTrunk

    paddle = require_paddle()
    below = around_neck(spec.name)
    if below is None:
        count = max(spec.min_levels, min(spec.max_levels or len(PYRAMID), len(PYRAMID)))
        if count > len(PYRAMID):
            fail(f"min_levels={spec.min_levels} is more than any trunk gives", "correct min_levels of the record")
        below = Surroundings(PYRAMID[-count:], {})
    paddle.seed(0)
    neck = spec.load()(below.features, **{**spec.arguments, **below.options})
    if not isinstance(neck, paddle.nn.Layer):
        fail(f"{spec.target} gives a {type(neck).__name__}", "derive the class from paddle.nn.Layer")
    return ProbeTrunk(below.features), neck


LIGHT_CHECKS = ()  # without building the network
CHECKS = (
    publishes_what_it_returns,
    gradients_reach_every_trained_parameter,
    saved_parameters_give_the_same_outputs,
    exported_graph_gives_the_same_levels,
)
