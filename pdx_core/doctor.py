"""Looks at the installation and says how to mend what is broken. Each check runs alone, so that all are reported."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator

import attrs

from pdx_core.errors import PdxError

# A process of its own: a broken build may abort, and Paddle's own start-up messages stay out of the report.
_CONVOLUTION = """
import sys
from pdx_core.paddle_support import require_paddle
paddle = require_paddle()
cards = paddle.device.cuda.device_count() if paddle.is_compiled_with_cuda() else 0
for device in ["cpu"] + [f"gpu:{number}" for number in range(cards)]:
    paddle.set_device(device)
    image, kernel = paddle.ones([1, 3, 8, 8]), paddle.ones([2, 3, 3, 3])
    total = float(paddle.nn.functional.conv2d(image, kernel, padding=1).sum())
    print("RESULT", device, "ok" if abs(total - 2904.0) < 0.5 else f"wrong: {total}", flush=True)
"""
_OPTIONAL = {
    "visualdl": ("visualdl", "training curves in the browser"),
    "onnxruntime": ("onnxruntime", "a further runtime for prediction"),
    "openvino": ("openvino", "a further runtime for prediction"),
    "paddle2onnx": ("paddle2onnx", "export to ONNX"),
    "faster-coco-eval": ("faster_coco_eval", "COCO evaluation, seven times as fast"),
}


@attrs.frozen
class Finding:
    """state: "ok", "note" (nothing is broken), or "broken" (pdx cannot work)."""

    name: str
    state: str
    text: str
    remedy: str = ""


def examine() -> list[Finding]:
    """Run every check."""
    checks: tuple[Callable[[], Iterator[Finding]], ...] = (
        _python,
        _paddle,
        _opencv,
        _shared_memory,
        _cache,
        _optional_parts,
        _plugins,
    )
    findings = []
    for check in checks:
        try:
            findings += check()
        except Exception as error:  # noqa: BLE001 - a check that fails is a finding of its own
            findings.append(Finding(check.__name__.strip("_"), "broken", f"{type(error).__name__}: {error}"))
    return findings


def _python() -> Iterator[Finding]:
    text = f"{platform.python_version()} on {platform.system()} {platform.machine()}, {os.cpu_count()} cores"
    if sys.version_info >= (3, 14):
        yield Finding("Python", "note", text, "pdx is tested with Python 3.10 to 3.13")
    else:
        yield Finding("Python", "ok", text)


def _paddle() -> Iterator[Finding]:
    from pdx_core.paddle_support import CPU_COMMAND, GPU_COMMAND, installed_builds

    builds = installed_builds()
    if not builds:
        remedy = f"{CPU_COMMAND}   or, with an NVIDIA GPU:   {GPU_COMMAND}"
        yield Finding("Paddle", "broken", "not installed", remedy)
        return
    if len(builds) > 1:
        remedy = f"pip uninstall -y {' '.join(builds)} && {CPU_COMMAND}   or   {GPU_COMMAND}"
        yield Finding("Paddle", "broken", f"{' and '.join(builds)} overwrite each other", remedy)
        return
    yield Finding("Paddle", "ok", f"{builds[0]} {importlib.metadata.version(builds[0])}")
    done = subprocess.run([sys.executable, "-c", _CONVOLUTION], capture_output=True, text=True, timeout=300)
    results = [line.split(maxsplit=2)[1:] for line in done.stdout.splitlines() if line.startswith("RESULT ")]
    for device, outcome in results:
        state = "ok" if outcome == "ok" else "broken"
        yield Finding(f"device {device}", state, "one convolution is right" if state == "ok" else outcome)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        remedy = f"pip install --force-reinstall {builds[0]}"
        yield Finding("Paddle", "broken", f"one convolution failed (exit code {done.returncode}): {last}", remedy)
    elif builds == ["paddlepaddle-gpu"] and len(results) == 1:
        yield Finding("GPU", "note", "the GPU build of Paddle sees no GPU", "check `nvidia-smi` and the driver")


def _opencv() -> Iterator[Finding]:
    from pdx_core.opencv import require_cv2

    try:
        cv2 = require_cv2()
    except PdxError as error:
        text, _, remedy = str(error).partition("\n")
        yield Finding("OpenCV", "broken", text, remedy.strip() or text)
        return
    yield Finding("OpenCV", "ok", cv2.__version__)
    names = ("opencv-python", "opencv-python-headless", "opencv-contrib-python", "opencv-contrib-python-headless")
    builds = [name for name in names if _installed(name)]
    if len(builds) > 1:
        remedy = f"pip uninstall -y {' '.join(builds)} && pip install {builds[-1]}"
        yield Finding("OpenCV", "note", f"{' and '.join(builds)} are installed and share one folder", remedy)


def _shared_memory() -> Iterator[Finding]:
    if not os.path.isdir("/dev/shm"):  # noqa: PTH112 - only Linux has it
        return
    free_mb = shutil.disk_usage("/dev/shm").free / 2**20
    if free_mb < 128:
        remedy = "use Data.worker_kind=thread (the default), or start the container with --shm-size=1g"
        yield Finding("shared memory", "note", f"{free_mb:.0f} MB free in /dev/shm", remedy)
    else:
        yield Finding("shared memory", "ok", f"{free_mb:.0f} MB free in /dev/shm")


def _cache() -> Iterator[Finding]:
    from pdx_core.cache import cache_folder

    folder = cache_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
        free_gb = shutil.disk_usage(folder).free / 2**30
    except OSError as error:
        remedy = "set PDX_HOME to a folder that can be written to"
        yield Finding("cache folder", "broken", f"{folder}: {error.strerror or error}", remedy)
        return
    if free_gb < 1:
        remedy = "make room, or set PDX_HOME to another disk"
        yield Finding("cache folder", "note", f"{folder}, only {free_gb:.1f} GB free", remedy)
    else:
        yield Finding("cache folder", "ok", f"{folder}, {free_gb:.0f} GB free")


def _optional_parts() -> Iterator[Finding]:
    for name, (module, purpose) in _OPTIONAL.items():
        if importlib.util.find_spec(module) is None:
            yield Finding(name, "note", f"not installed ({purpose})", f"pip install {name}")
        else:
            yield Finding(name, "ok", importlib.metadata.version(name) if _installed(name) else "installed")


def _plugins() -> Iterator[Finding]:
    from pdx_core.plugins import get_registry

    registry = get_registry()
    loaded = [info.name for info in registry.plugins if info.status == "loaded"]
    yield Finding("plugins", "ok", ", ".join(loaded))
    if not registry.specs("tasks"):
        yield Finding("plugins", "note", "none offers a task", "pip install pdx-cls (or pdx-det, pdx-seg, pdx-instseg)")
    for problem in [*registry.problems, *registry.misfits()]:
        leave_out = f"leave it out with PDX_DISABLE_PLUGINS={problem.plugin}"
        remedy = f"{problem.remedy or 'upgrade or remove it'}; or {leave_out}"
        yield Finding(f"plugin {problem.plugin}", "note", str(problem), remedy)
    for notice in registry.notices:
        yield Finding(f"plugin {notice.plugin}", "note", str(notice), "upgrade it, or tell its author")


def _installed(distribution: str) -> bool:
    try:
        importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True
