"""What every trained layer owes the loop: gradients, parameters that can be saved, a graph that computes the same."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pdx_core.paddle_support import require_paddle, save_static
from pdx_core.runtimes.paddle_inference import PaddleInference
from pdx_core.testing.checks import CheckFailure, NotCheckable, fail

paddle = require_paddle()

import numpy as np  # noqa: E402

STEPS = 60  # to overfit a handful
_SLOW = 10.0  # seconds of a step from which on so many are not made
LEARNED = 0.6  # share of the first loss below which the handful counts as learnt


def require_gradients(layer: Any, loss: Any) -> None:
    """After `loss.backward()` every trained parameter has a finite gradient."""
    value = float(loss)
    if not np.isfinite(value):
        fail(f"the loss is {value}", "look for log(0), 0/0 or an overflow; clip before taking the logarithm")
    loss.backward()
    trained = [(name, parameter) for name, parameter in layer.named_parameters() if not parameter.stop_gradient]
    starved = [name for name, parameter in trained if parameter.grad is None]
    if starved:
        fail(
            f"no gradient reaches {_some(starved)}",
            "use the layer in forward, leave it out, or set stop_gradient = True on parameters that are not trained",
        )
    broken = [name for name, parameter in trained if not np.isfinite(parameter.grad.numpy()).all()]
    if broken:
        fail(f"the gradient of {_some(broken)} is not finite", "look for sqrt(0), x / 0 and log(0) in forward and loss")


def require_round_trip(build: Callable[[], Any], run: Callable[[Any], Sequence[Any]]) -> None:
    """Parameters saved from one instance and loaded into another give the same outputs.

    run: called with the layer in evaluation mode, gives its outputs as tensors or arrays
    """
    first, second = build(), build()
    first.train()
    state = {name: tensor.numpy() for name, tensor in first.state_dict().items()}
    missing, unexpected = second.set_state_dict(state)
    if missing or unexpected:
        fail(
            f"saved parameters do not fit a second instance (missing: {_some(missing)}; unknown: {_some(unexpected)})",
            "build the same sublayers under the same names each time; keep lists of layers in nn.LayerList",
        )
    first.eval()
    second.eval()
    for mine, yours in zip(run(first), run(second), strict=True):
        if not _equal(mine, yours):
            fail(
                "an instance with the same parameters gives other outputs",
                "keep everything that matters in parameters or register_buffer, and draw no random numbers in "
                "evaluation mode",
            )


def require_same_in_evaluation(layer: Any, run: Callable[[Any], Sequence[Any]]) -> None:
    """Two runs in evaluation mode are equal."""
    layer.eval()
    for first, second in zip(run(layer), run(layer), strict=True):
        if not _equal(first, second):
            fail(
                "two runs on the same images differ in evaluation mode",
                "apply dropout and other random parts in training only: nn.Dropout, or `if self.training`",
            )


def require_export(layer: Any, feeds: Sequence[Any]) -> None:
    """The exported graph gives the layer's levels.

    feeds: images float32 [N, 3, H, W] to compare on
    """
    layer.eval()
    with paddle.no_grad():
        expected = [[level.numpy() for level in layer(images)] for images in feeds]  # before it becomes a graph itself
    spec = paddle.static.InputSpec([None, 3, None, None], "float32", "images")
    with tempfile.TemporaryDirectory(prefix="pdx-check-") as folder:
        try:
            traced = paddle.jit.to_static(layer, input_spec=[spec], full_graph=True)
            save_static(traced, None, str(Path(folder) / "inference"))
            run = PaddleInference(folder, threads=1)
        except Exception as error:  # noqa: BLE001 - tracing fails with errors of any type
            fail(*not_exportable(error))
        for images, levels in zip(feeds, expected, strict=True):
            exported = run({"images": images.numpy()}).values()
            for number, (mine, theirs) in enumerate(zip(levels, exported, strict=True)):
                _require_close(number, mine, theirs, list(images.shape))


def not_exportable(error: Exception) -> tuple[str, str]:
    """What to say when tracing fails: what was seen, and what to change."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    seen = f"it cannot be exported: {type(error).__name__}: {' '.join(lines[-2:])[:400]}"
    if "super()" in seen:
        return (
            seen,
            "Paddle 2.6 cannot trace super(): write in forward what the class above it does",
        )
    return (
        seen,
        "keep forward and decode to tensor operations: no numpy, no float(tensor), no Python branches on tensor "
        "values; read sizes with tensor.shape",
    )


def _require_close(number: int, mine: np.ndarray, theirs: np.ndarray, size: list[int]) -> None:
    if mine.shape != theirs.shape:
        fail(
            f"level {number} of the exported graph has shape {list(theirs.shape)} instead of {list(mine.shape)} for "
            f"images {size}",
            "do not build shapes from Python numbers taken while tracing; use -1 or paddle.shape",
        )
    a, b = mine.astype("float64"), theirs.astype("float64")
    scale = max(float(np.abs(a).max()), 1e-6) if a.size else 1.0
    error = float(np.abs(a - b).max()) / scale if a.size else 0.0
    if not error <= 1e-4:
        fail(
            f"level {number} of the exported graph differs from the layer by {error:.1e} of its largest value for "
            f"images {size}",
            "look for Python values that tracing turned into constants, and for parts that depend on self.training",
        )


def require_learning(begin: Callable[[], tuple[Any, Callable[[], Any]]], rates: Sequence[float] = (1e-3, 1e-4)) -> None:
    """Adam on one small batch brings the loss down: the loss and the network belong together.

    begin: gives a new network and a function that computes its loss
    rates: learning rates, of which one has to do; networks without norms need a low one
    """
    failure = None
    for rate in rates:
        try:
            return _learns(*begin(), rate)
        except CheckFailure as error:
            failure = error
    raise failure


def _learns(layer: Any, loss: Callable[[], Any], learning_rate: float) -> None:
    first, best = None, float("inf")
    started = time.perf_counter(), time.process_time()
    for number in lessons(layer, loss, STEPS, learning_rate):
        if not np.isfinite(number):
            fail(f"the loss becomes {number} while learning", "check the loss for overflow and divisions by zero")
        # Neither other programs of this machine nor many threads make a step slow
        taken = min(time.perf_counter() - started[0], time.process_time() - started[1])
        first, best = number if first is None else first, min(best, number)
        if best < LEARNED * first:
            return
        if taken > _SLOW:
            raise NotCheckable(f"a training step takes {taken:.0f} s here, too long for {STEPS} of them")
        started = time.perf_counter(), time.process_time()
    fail(
        f"the loss only falls from {first:.3g} to {best:.3g} in {STEPS} steps on one batch",
        "see that the loss compares with the right target, that activations do not die, and that norms are there",
    )


def lessons(layer: Any, loss: Callable[[], Any], steps: int, learning_rate: float = 1e-3) -> Iterator[float]:
    """Train with Adam; gives the loss before each step, after having made it."""
    layer.train()
    trained = [parameter for parameter in layer.parameters() if not parameter.stop_gradient]
    optimizer = paddle.optimizer.Adam(learning_rate, parameters=trained)
    for _ in range(steps):
        value = loss()
        value.backward()
        optimizer.step()
        optimizer.clear_grad()
        yield float(value)


def total(losses: Mapping[str, Any]) -> Any:
    """The sum that the training loop minimises."""
    if not isinstance(losses, Mapping) or not losses:
        fail(f"loss returned {type(losses).__name__}", 'return a dict of named scalar losses: {"loss_ce": ...}')
    for name, value in losses.items():
        if value.size != 1:
            fail(f"{name} has shape {list(value.shape)}", "average or sum it to a scalar")
    return sum(value.astype("float32").sum() for value in losses.values())


def _equal(first: Any, second: Any) -> bool:
    a, b = np.asarray(first), np.asarray(second)
    return a.shape == b.shape and np.array_equal(a, b, equal_nan=True)


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "") if names else "none"
