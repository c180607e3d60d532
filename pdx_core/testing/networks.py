"""What any network of the grammar backbone -> (neck) -> head owes the loop, tried on a batch of its task."""

from __future__ import annotations

import functools
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pdx_core.contracts import FeatureSpec
from pdx_core.paddle_support import require_paddle
from pdx_core.runtimes.paddle_inference import PaddleInference
from pdx_core.runtimes.trial import Tolerance, compare
from pdx_core.testing.checks import fail
from pdx_core.testing.examples import task_example
from pdx_core.testing.layers import lessons, not_exportable, require_gradients, require_learning, total
from pdx_core.train.export import INPUT_NAMES, save_graph
from pdx_core.train.network import Network, build_network

paddle = require_paddle()

from paddle import nn  # noqa: E402

_LESSONS = 20  # with them about half of what the examples show is found
# What a part is tried on when no model says what it is built on
PYRAMID = (FeatureSpec(16, 4), FeatureSpec(24, 8), FeatureSpec(32, 16), FeatureSpec(48, 32))


class ProbeTrunk(nn.Layer):
    """A stand-in for any trunk: pools the image to each stride and mixes the colours into the wanted channels."""

    def __init__(self, features: Sequence[FeatureSpec]) -> None:
        super().__init__()
        self.features = tuple(features)
        self.mixes = nn.LayerList([nn.Conv2D(3, level.channels, 1) for level in features])

    def forward(self, images: Any) -> tuple[Any, ...]:
        levels = []
        for mix, level in zip(self.mixes, self.features):  # noqa: B905 - exported: Paddle knows no `strict`
            levels.append(mix(nn.functional.avg_pool2d(images, level.stride, ceil_mode=True)))
        return tuple(levels)


def tensors(batch: Any) -> tuple[Any, Any, Any]:
    """images, im_shape and scale_factor of a batch."""
    return tuple(paddle.to_tensor(value) for value in (batch.images, batch.im_shape, batch.scale_factor))


def _inputs(batch: Any) -> tuple[Any, dict[str, Any]]:
    """What `Network.loss` takes of a batch."""
    return tensors(batch)[0], {name: paddle.to_tensor(value) for name, value in batch.targets.items()}


def require_finite_loss_and_gradients(network: Network, batch: Any, part: Any = None) -> None:
    """part: the layer whose parameters must get gradients; by default the whole network."""
    network.train()
    loss = total(network.loss(*_inputs(batch)))
    require_gradients(network if part is None else part, loss)


def require_named_predictions(network: Network, batch: Any) -> None:
    """`decode` gives finite tensors by name."""
    network.eval()
    with paddle.no_grad():
        predictions = network.predict(*tensors(batch))
    if not isinstance(predictions, dict) or not predictions:
        fail(
            f"decode returned {type(predictions).__name__}",
            'return a dict of named tensors, such as {"scores": ...}: the names are those of the exported outputs',
        )
    for name, tensor in predictions.items():
        if not isinstance(tensor, paddle.Tensor):
            fail(f"decode gives {name} as {type(tensor).__name__}", "return tensors")
        if tensor.dtype in (paddle.float32, paddle.float16) and not bool(paddle.isfinite(tensor).all()):
            fail(f"{name} holds numbers that are not finite", "look for overflow in decode")


def require_learning_of(build: Callable[[], Network], batch: Any) -> None:
    """build: gives a new network each time"""
    images, targets = _inputs(batch)

    def begin() -> tuple[Network, Callable[[], Any]]:
        network = build()
        return network, lambda: total(network.loss(images, targets))

    require_learning(begin)


@functools.cache
def taught_network(task: str) -> Network:
    """The network of a task's example, in evaluation mode, after a few steps on the handful: some results are right.

    Of one that has learnt nothing, a metric would see mistakes only, and its numbers would be the same if it lost half.
    """
    example = task_example(task)
    paddle.seed(0)
    network = build_network(example.resolved.spec.name, len(example.classes), example.resolved.config.model)
    images, targets = _inputs(example.batch())
    for _ in lessons(network, lambda: total(network.loss(images, targets)), _LESSONS):
        pass
    network.eval()
    return network


def require_exported(network: Network, batch: Any) -> None:
    """The exported network gives the same predictions, for one image and for a batch."""
    network.eval()
    whole = {name: getattr(batch, name) for name in INPUT_NAMES}
    feeds = [{name: array[:1] for name, array in whole.items()}, whole]
    expected = [predict_arrays(network, feed) for feed in feeds]
    with tempfile.TemporaryDirectory(prefix="pdx-check-") as name:
        folder = Path(name)
        try:
            save_graph(network, feeds, tuple(expected[0]), folder, any_size=False)
            run = PaddleInference(folder, threads=1, outputs=tuple(expected[0]))
        except Exception as error:  # noqa: BLE001 - tracing fails with errors of any type
            fail(*not_exportable(error))
        _, reason = compare([run(feed) for feed in feeds], expected, Tolerance(rtol=1e-3, atol=1e-4))
    if reason:
        fail(
            f"the exported model does not give the network's predictions: {reason}",
            "look for Python values that tracing turned into constants, and for parts that depend on self.training",
        )


def predict_arrays(network: Network, batch: Any) -> dict[str, Any]:
    """The predictions as numpy arrays. batch: a Batch, or the arrays of one by name."""
    feed = batch if isinstance(batch, Mapping) else {name: getattr(batch, name) for name in INPUT_NAMES}
    network.eval()
    with paddle.no_grad():
        outputs = network.predict(*(paddle.to_tensor(feed[name]) for name in INPUT_NAMES))
    return {name: tensor.numpy() for name, tensor in outputs.items()}
