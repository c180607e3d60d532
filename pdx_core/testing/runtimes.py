"""What a runtime owes the predictor: arrays by name, with the network's numbers."""

from __future__ import annotations

import importlib.util
from typing import Any

import numpy as np

from pdx_core.paddle_support import graph_suffix, require_paddle, save_static
from pdx_core.specs import RuntimeSpec
from pdx_core.testing.checks import NotCheckable, fail
from pdx_core.testing.examples import scratch

_GRAPHS = (".json", ".pdmodel")


def runs_an_exported_model_by_name(spec: RuntimeSpec) -> None:
    """`target(folder, device)(inputs)` gives the outputs under the names it was told, close to the network's."""
    folder, images, wanted = _exported(spec)
    runtime = spec.load()(folder, "cpu", **spec.arguments, threads=1, outputs=("scores",))
    outputs = runtime({"images": images, "im_shape": np.ones((2, 2), np.float32)})
    if not isinstance(outputs, dict) or list(outputs) != ["scores"]:
        names = list(outputs) if isinstance(outputs, dict) else type(outputs).__name__
        fail(f"the outputs are {names}", 'return a dict with the names given as outputs=("scores",), in their order')
    scores = outputs["scores"]
    if not isinstance(scores, np.ndarray):
        fail(f"an output is a {type(scores).__name__}", "return numpy arrays")
    tolerance = 1e-4 if spec.automatic else 5e-2
    if scores.shape != wanted.shape or float(np.abs(scores - wanted).max()) > tolerance * float(np.abs(wanted).max()):
        fail(
            "the outputs are not the network's",
            "correct the runtime; if it computes in lower precision set automatic=False in the record",
        )


def earlier_outputs_stay_as_they_were(spec: RuntimeSpec) -> None:
    """A second call does not change the arrays of the first: they are no views of a buffer."""
    folder, images, _ = _exported(spec)
    runtime = spec.load()(folder, "cpu", **spec.arguments, threads=1, outputs=("scores",))
    first = runtime({"images": images})["scores"]
    before = first.copy()
    runtime({"images": images + 1})
    if not np.array_equal(before, first):
        fail("the outputs of a call change with the next call", "return copies of the runtime's buffers")


def _exported(spec: RuntimeSpec) -> tuple[Any, np.ndarray, np.ndarray]:
    """A folder with the graph of a tiny network, images, and what the network makes of them."""
    missing = [name for name in spec.requires if importlib.util.find_spec(name) is None]
    if missing:
        raise NotCheckable(f"{', '.join(missing)} is not installed: {spec.install}")
    if "cpu" not in spec.devices:
        raise NotCheckable("runs on no CPU")
    if not set(spec.suffixes) & set(_GRAPHS):
        raise NotCheckable(f"runs {', '.join(spec.suffixes) or 'no files'}, and pdx writes {' or '.join(_GRAPHS)}")
    paddle = require_paddle()
    if graph_suffix() not in spec.suffixes:
        raise NotCheckable(f"does not run {graph_suffix()}, which the installed Paddle writes")
    paddle.seed(0)
    pool = [paddle.nn.AdaptiveAvgPool2D(1), paddle.nn.Flatten(), paddle.nn.Linear(4, 3)]
    network = paddle.nn.Sequential(paddle.nn.Conv2D(3, 4, 3, stride=2, padding=1), paddle.nn.ReLU(), *pool)
    network.eval()
    folder = scratch()
    save_static(network, [paddle.static.InputSpec([None, 3, 16, 16], "float32", "images")], str(folder / "inference"))
    images = np.random.default_rng(0).normal(size=(2, 3, 16, 16)).astype(np.float32)
    with paddle.no_grad():
        return folder, images, network(paddle.to_tensor(images)).numpy()


CHECKS = (runs_an_exported_model_by_name, earlier_outputs_stay_as_they_were)
