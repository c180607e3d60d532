"""What a trunk owes the heads of all tasks."""

from __future__ import annotations

from typing import Any

from pdx_core.contracts import FeatureSpec
from pdx_core.paddle_support import require_paddle
from pdx_core.specs import BackboneSpec
from pdx_core.testing.checks import fail

_SIDE = 64
_HANDFUL = 4


def builds_and_publishes_its_levels(spec: BackboneSpec) -> None:
    """`target(**arguments)` is a layer whose `features` say what the record says."""
    layer = build(spec)
    features = getattr(layer, "features", None)
    if not isinstance(features, tuple) or not all(isinstance(level, FeatureSpec) for level in features):
        fail(
            f"features is {features!r}",
            "set self.features = (FeatureSpec(channels, stride), ...) from pdx_core.contracts, fine to coarse",
        )
    published = tuple(level.channels for level in features), tuple(level.stride for level in features)
    if published != (spec.channels, spec.strides):
        fail(
            f"the record says channels={spec.channels}, strides={spec.strides}, the layer's features say "
            f"channels={published[0]}, strides={published[1]}",
            "make the record say what the layer publishes",
        )
    if list(spec.strides) != sorted(spec.strides):
        fail(f"strides={spec.strides} are not in order", "give the levels fine to coarse: the smallest stride first")


def forward_gives_the_levels_it_declares(spec: BackboneSpec) -> None:
    """Channels and sizes of every level, at a size that all strides divide and at odd ones."""
    paddle = require_paddle()
    layer = build(spec)
    layer.eval()
    base = max(spec.min_size, _SIDE)
    for height, width in ((base, base), (base + 11, base + 43), (spec.min_size, spec.min_size)):
        with paddle.no_grad():
            levels = layer(paddle.zeros([2, 3, height, width]))
        if not isinstance(levels, (tuple, list)) or len(levels) != len(spec.channels):
            count = len(levels) if isinstance(levels, (tuple, list)) else type(levels).__name__
            fail(
                f"forward returned {count} for {len(spec.channels)} declared levels",
                "return a tuple with one tensor per entry of features, fine to coarse",
            )
        for number, (level, channels, stride) in enumerate(zip(levels, spec.channels, spec.strides, strict=True)):
            shape, wanted = list(level.shape), [2, channels, height / stride, width / stride]
            # Padding decides whether the last cells are there: 55 or 56 cells of stride 4 for 224 pixels
            slack = 1.01 if height == base else 2.01
            near = len(shape) == 4 and all(abs(shape[axis] - wanted[axis]) < slack for axis in (2, 3))
            if not near or shape[:2] != wanted[:2]:
                fail(
                    f"level {number} has shape {shape} for images of {height} x {width}; channels {channels} and "
                    f"stride {stride} make about {[2, channels, round(wanted[2]), round(wanted[3])]}",
                    "correct channels and strides of the record and of features, or the layer",
                )


def gradients_reach_every_trained_parameter(spec: BackboneSpec) -> None:
    from pdx_core.testing.layers import require_gradients

    paddle = require_paddle()
    layer = build(spec)
    layer.train()
    side = max(spec.min_size, _SIDE)
    levels = layer(paddle.randn([2, 3, side, side]))
    # Weighted at random: the plain mean of what a batch norm gives does not depend on its input
    require_gradients(layer, sum((level * paddle.randn(level.shape)).mean() for level in levels))


def saved_parameters_give_the_same_outputs(spec: BackboneSpec) -> None:
    from pdx_core.testing.layers import require_round_trip

    paddle = require_paddle()
    images = paddle.randn([1, 3, max(spec.min_size, _SIDE), max(spec.min_size, _SIDE)])
    require_round_trip(lambda: spec.load()(**spec.arguments), lambda layer: list(_quietly(layer, images)))


def evaluation_mode_is_deterministic(spec: BackboneSpec) -> None:
    from pdx_core.testing.layers import require_same_in_evaluation

    paddle = require_paddle()
    images = paddle.randn([2, 3, max(spec.min_size, _SIDE), max(spec.min_size, _SIDE)])
    layer = build(spec)
    require_same_in_evaluation(layer, lambda layer: list(_quietly(layer, images)))
    alone, together = _quietly(layer, images[:1]), _quietly(layer, images)
    for number, (mine, ours) in enumerate(zip(alone, together, strict=True)):
        scale = max(float(mine.abs().max()), 1e-6)
        if float((mine - ours[:1]).abs().max()) > 1e-3 * scale:
            fail(
                f"level {number} of an image depends on the other images of its batch",
                "use batch statistics in training only (nn.BatchNorm2D does), and never mix along the first axis",
            )


def exported_graph_gives_the_same_levels(spec: BackboneSpec) -> None:
    from pdx_core.testing.layers import require_export

    paddle = require_paddle()
    base = max(spec.min_size, _SIDE)
    feeds = [paddle.randn([2, 3, base, base]), paddle.randn([1, 3, base + 11, base + 43])]
    require_export(build(spec), feeds)


def learns_a_handful_of_images(spec: BackboneSpec) -> None:
    """With a linear classifier on the last level, four random images can be told apart."""
    from pdx_core.testing.layers import require_learning

    paddle = require_paddle()
    side = max(spec.min_size, _SIDE)
    paddle.seed(1)
    colours = 2 * paddle.randn([_HANDFUL, 3, 1, 1])  # of noise alone the averages hardly differ
    images, labels = colours + paddle.randn([_HANDFUL, 3, side, side]), paddle.arange(_HANDFUL)

    def begin() -> tuple[Any, Any]:
        layer = build(spec)
        classifier = paddle.nn.Linear(spec.channels[-1], _HANDFUL)

        def loss() -> Any:
            pooled = layer(images)[-1].mean(axis=[2, 3])  # [N, C]
            return paddle.nn.functional.cross_entropy(classifier(pooled), labels)

        return paddle.nn.LayerList([layer, classifier]), loss

    require_learning(begin, (3e-3, 3e-4))


def build(spec: BackboneSpec) -> Any:
    """The layer with its default options, always with the same random parameters."""
    paddle = require_paddle()
    paddle.seed(0)
    layer = spec.load()(**spec.arguments)
    if not isinstance(layer, paddle.nn.Layer):
        fail(f"{spec.target} gives a {type(layer).__name__}", "derive the class from paddle.nn.Layer")
    return layer


def _quietly(layer: Any, images: Any) -> Any:
    paddle = require_paddle()
    with paddle.no_grad():
        return layer(images)


LIGHT_CHECKS = ()  # without building the network
CHECKS = (
    builds_and_publishes_its_levels,
    forward_gives_the_levels_it_declares,
    gradients_reach_every_trained_parameter,
    saved_parameters_give_the_same_outputs,
    evaluation_mode_is_deterministic,
    exported_graph_gives_the_same_levels,
    learns_a_handful_of_images,
)
