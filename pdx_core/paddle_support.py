"""The one place that knows Paddle's builds and versions: importing it, devices, what differs between 2.6 and 3."""

from __future__ import annotations

import contextlib
import functools
import importlib.metadata
import os
import warnings
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from pdx_core.errors import MissingDependencyError, PdxError

CPU_COMMAND = 'pip install "pdx-core[cpu]"'
GPU_COMMAND = 'pip install "pdx-core[gpu]"'
MKL_VARIABLE = "MKL_DEBUG_CPU_TYPE"
LOG_VARIABLE = "GLOG_minloglevel"  # 0 everything, 1 warnings, 2 errors


@functools.cache
def require_paddle() -> ModuleType:
    """Import and return paddle; raises MissingDependencyError with the command that installs it.

    Two variables must be there before the first import; a value that the user has set is left alone. On AMD processors
    the bundled MKL takes a slow path unless told otherwise, and Paddle's own log would mix notes for its developers
    into what we say (its errors stay).
    """
    if MKL_VARIABLE not in os.environ and _is_amd():
        os.environ[MKL_VARIABLE] = "5"
    os.environ.setdefault(LOG_VARIABLE, "2")
    installed = installed_builds()
    if len(installed) > 1:
        raise MissingDependencyError(
            "both paddlepaddle and paddlepaddle-gpu are installed and overwrite each other. Keep one:\n"
            "    pip uninstall -y paddlepaddle paddlepaddle-gpu\n"
            f"    {CPU_COMMAND}   (or, with an NVIDIA GPU: {GPU_COMMAND})"
        )
    try:
        with warnings.catch_warnings():
            # Advice on compiling extensions, which pdx has none of
            warnings.filterwarnings("ignore", message="No ccache found")
            import paddle
    except ImportError as error:
        if installed:
            raise MissingDependencyError(
                f"{installed[0]} is installed but cannot be imported ({error}); run `pdx doctor`"
            ) from error
        raise MissingDependencyError(
            f"this needs Paddle, which is not installed. Install it with:\n    {CPU_COMMAND}\n"
            f"or, with an NVIDIA GPU:\n    {GPU_COMMAND}"
        ) from error
    return paddle


def installed_builds() -> list[str]:
    """Which of the two Paddle distributions are installed."""
    found = []
    for name in ("paddlepaddle", "paddlepaddle-gpu"):
        try:
            importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
        found.append(name)
    return found


def _is_amd() -> bool:
    try:
        with Path("/proc/cpuinfo").open(encoding="ascii", errors="replace") as stream:
            return "AuthenticAMD" in stream.read(4096)
    except OSError:
        return False


def paddle_version() -> tuple[int, int, int]:
    """Version of the imported Paddle; a development build counts as newer than every release."""
    parts = require_paddle().__version__.split("-")[0].split(".")
    numbers = [int("".join(filter(str.isdigit, part)) or 0) for part in parts[:3]]
    return tuple(numbers) if any(numbers) else (999, 0, 0)  # type: ignore[return-value]


def uses_new_ir() -> bool:
    """Whether exported graphs are written in the new form (inference.json) instead of inference.pdmodel."""
    flag = os.environ.get("FLAGS_enable_pir_api")  # noqa: SIM112 - Paddle spells it so
    if flag is not None and flag.lower() in ("0", "false"):
        return False
    return paddle_version() >= (3, 0, 0)


def graph_suffix() -> str:
    """Suffix of an exported graph: ".json" or ".pdmodel"."""
    return ".json" if uses_new_ir() else ".pdmodel"


def parse_device(text: str) -> tuple[str, tuple[int, ...]]:
    """Split "cpu", "gpu", "gpu:0,1" or "auto" into kind and ids, without importing paddle. Raises PdxError."""
    kind, colon, ids = text.strip().lower().partition(":")
    if kind not in ("auto", "cpu", "gpu") or (colon and kind != "gpu"):
        raise PdxError(f"unknown device {text!r}; use auto, cpu, gpu, gpu:0 or gpu:0,1")
    try:
        numbers = tuple(int(part) for part in ids.split(",")) if colon else ()
    except ValueError:
        raise PdxError(f"device {text!r}: the part after the colon must be card numbers such as gpu:0,1") from None
    if len(set(numbers)) != len(numbers) or any(number < 0 for number in numbers):
        raise PdxError(f"device {text!r}: card numbers must be different and not negative")
    return kind, numbers


def resolve_device(text: str) -> str:
    """The device to use: "cpu", "gpu:0" or "gpu:0,1". Raises PdxError for an unknown or absent one."""
    kind, ids = parse_device(text)
    if kind == "cpu":
        return "cpu"
    paddle = require_paddle()
    count = paddle.device.cuda.device_count() if paddle.is_compiled_with_cuda() else 0
    if kind == "auto":
        return "gpu:0" if count else "cpu"
    if not paddle.is_compiled_with_cuda():
        raise PdxError(f"device {text!r}: the installed Paddle has no GPU support. Use --device cpu, or: {GPU_COMMAND}")
    ids = ids or (0,)
    absent = [str(number) for number in ids if number >= count]
    if absent:
        raise PdxError(f"device {text!r}: there is no card {', '.join(absent)}; this machine has {count}")
    return "gpu:" + ",".join(map(str, ids))


def set_device(text: str) -> str:
    """Make `text` (its first card) Paddle's device and return what was chosen."""
    chosen = resolve_device(text)
    require_paddle().set_device(chosen.split(",")[0])
    return chosen


def create_optimizer_state(optimizer: Any, parameters: list[Any]) -> None:
    """Give an optimiser its state (velocity, moments ...) now; Paddle itself does it at the first step.

    A resumed run needs somewhere to put the saved state. The public `set_state_dict` cannot do that: it wants names
    that depend on what the process has built before.
    """
    paddle = require_paddle()
    if optimizer.helper is None:  # Paddle 2.6 makes it in the first step, 3.x wherever it is needed
        from paddle.base.layer_helper import LayerHelper

        optimizer.helper = LayerHelper(type(optimizer).__name__)
    with paddle.no_grad():
        optimizer._create_accumulators(paddle.static.default_main_program().global_block(), parameters)


@contextlib.contextmanager
def static_mode() -> Iterator[None]:
    """Paddle in static graph mode, and afterwards in the mode it was in."""
    paddle = require_paddle()
    was_dynamic = paddle.in_dynamic_mode()
    paddle.enable_static()
    try:
        yield
    finally:
        if was_dynamic:
            paddle.disable_static()


@contextlib.contextmanager
def _quiet_tracing() -> Iterator[None]:
    """Without the warnings of what Paddle's own `to_tensor` does in a graph: whoever exports cannot act on them."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Tensor do not have 'place' interface")
        yield


def save_static(layer: Any, input_spec: list[Any], prefix: str) -> None:
    """Write `prefix`.json or .pdmodel and `prefix`.pdiparams."""
    paddle = require_paddle()
    with _quiet_tracing():
        paddle.jit.save(layer, prefix, input_spec=input_spec)


def used_inputs(layer: Any, names: tuple[str, ...]) -> set[str]:
    """Which of the named inputs the graph of a `to_static` layer depends on (saving refuses the others)."""
    with _quiet_tracing():
        program = layer.forward.concrete_program.main_program
    operators = program.global_block().ops
    if hasattr(operators[0], "input_arg_names"):  # the old form: operators name what they read
        read = {name for operator in operators for name in operator.input_arg_names}
        return read & set(names)
    fed = (operator for operator in operators if operator.name() == "pd_op.data" and not operator.result(0).use_empty())
    return {operator.attrs()["name"] for operator in fed} & set(names)


def configure_inference(config: Any, suffix: str, onednn: bool) -> None:
    """Set what Paddle 3 and Paddle 2 want set differently on a `paddle.inference.Config` before a graph is loaded.

    suffix: of the graph's file
    onednn: whether oneDNN is wanted; Paddle would switch it on by itself from 2.6 on
    """
    if paddle_version() >= (3, 0, 0):
        new_form = suffix == ".json"
        config.enable_new_ir(new_form)
        if new_form:
            config.enable_new_executor(True)  # without it 3.3 refuses to load when memory optimisation is on
    if onednn:
        config.enable_mkldnn()
        config.set_mkldnn_cache_capacity(10)  # shapes remembered; without a limit changing image sizes eat the memory
    else:
        config.disable_mkldnn()
    config.enable_memory_optim()


def declare_int32(value: Any, like: Any) -> Any:
    """`value` with the type that its operator gives it when run: int32, in the shape of `like`.

    In Paddle 3's graphs `generate_proposals` declares its counts as float32 although they are int32, so every cast
    after it fails when the exported model runs. Eagerly, and in the older graphs, `value` is returned as it is.
    """
    paddle = require_paddle()
    if not paddle.in_dynamic_mode() and hasattr(value, "set_type"):
        value.set_type(like.astype("int32").type())
    return value
