"""Tries a runtime on an exported model in a process of its own: some of them end the process instead of raising.

A trial compares the runtime with the network's own outputs and takes its time. `python -m pdx_core.runtimes.trial FILE`
is the other side; FILE is written by `try_runtime`.
"""

from __future__ import annotations

import json
import logging
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs
import numpy as np

from pdx_core.specs import RuntimeSpec, import_target

logger = logging.getLogger(__name__)

Arrays = Mapping[str, np.ndarray]

_PLACE_IN_PADDLE = re.compile(r"\s*\(at /\S+:\d+\)")  # of its C++ source; helps no user
_TIMEOUT_SECONDS = 300


@attrs.frozen(kw_only=True)
class Timing:
    """Run a batch `warmup` times without counting, then until `runs` or `seconds` are reached, but at least 3 times."""

    warmup: int = 2
    runs: int = 50
    seconds: float = 1.0


@attrs.frozen(kw_only=True)
class Tolerance:
    """|runtime - network| must stay within atol * min(1, largest) + rtol * |network|, for every number.

    `largest` is the largest magnitude in that output of the network: among a thousand scores of 0.001 an absolute
    tolerance of 0.0001 would let anything pass.
    """

    rtol: float = 1e-3
    atol: float = 1e-4


@attrs.frozen(kw_only=True)
class Trial:
    """How one runtime did.

    passed:    whether it gave the network's numbers
    reason:    why not; empty when it did
    max_error: the largest absolute difference from the network; None when it gave no comparable output
    median_ms: of one batch with a single image; None when it did not run
    """

    runtime: str
    passed: bool
    reason: str = ""
    max_error: float | None = None
    median_ms: float | None = None
    load_ms: float | None = None

    def __str__(self) -> str:
        if not self.passed:
            return f"{self.runtime}: not used: {self.reason}"
        return f"{self.runtime}: {self.median_ms:.2f} ms per image, largest deviation {self.max_error:.1e}"


def try_runtime(
    spec: RuntimeSpec,
    folder: Path,
    feeds: Sequence[Arrays],
    expected: Sequence[Arrays],
    *,
    device: str = "cpu",
    threads: int | None = None,
    tolerance: Tolerance | None = None,
) -> Trial:
    """Run an exported model on each feed and compare with what the network gave. Never raises for a bad runtime.

    feeds:    input arrays by name; the first one is also timed
    expected: the network's outputs for each feed, by name
    """
    figures, outputs = run_apart(spec, folder, feeds, names=tuple(expected[0]), device=device, threads=threads)
    return _judge(spec, figures, outputs, expected, tolerance)


def run_apart(
    spec: RuntimeSpec,
    folder: Path,
    feeds: Sequence[Arrays],
    *,
    names: Sequence[str] = (),
    device: str = "cpu",
    threads: int | None = None,
    timing: Timing | None = None,
) -> tuple[dict[str, Any], list[dict[str, np.ndarray]]]:
    """Load a runtime in a process of its own, run every feed, and time the first.

    names:   of the graph's outputs
    returns: {"load_ms": ..., "taken_ms": [...]} or {"error": sentence}, and the outputs of each feed
    """
    with tempfile.TemporaryDirectory(prefix="pdx-trial-") as scratch:
        job = Path(scratch) / "job.json"
        _write_arrays(Path(scratch) / "feeds.npz", feeds)
        description = _description(spec, folder, names, device, threads, timing or Timing())
        job.write_text(json.dumps({**description, "batches": len(feeds)}), encoding="utf-8")
        reason = _run_child(job)
        report = Path(scratch) / "report.json"
        if reason is None and not report.is_file():
            reason = "ended without a result"
        if reason is not None:
            return {"error": reason}, []
        figures = json.loads(report.read_text(encoding="utf-8"))
        outputs = [] if "error" in figures else _read_arrays(Path(scratch) / "outputs.npz", len(feeds))
    return figures, outputs


def try_in_process(
    spec: RuntimeSpec,
    folder: Path,
    feeds: Sequence[Arrays],
    expected: Sequence[Arrays],
    *,
    device: str = "cpu",
    tolerance: Tolerance | None = None,
) -> Trial:
    """The same without a process of its own and with short timing: quick, for a runtime that is known not to crash."""
    job = _description(spec, folder, tuple(expected[0]), device, None, Timing(seconds=0.0))
    figures, outputs = _attempt(job, feeds)
    return _judge(spec, figures, outputs, expected, tolerance)


def _description(
    spec: RuntimeSpec, folder: Path, names: Sequence[str], device: str, threads: int | None, timing: Timing
) -> dict[str, Any]:
    return {
        "target": spec.target,
        "arguments": {**spec.arguments, "threads": threads, "outputs": list(names)},
        "folder": str(folder),
        "device": device,
        "timing": attrs.asdict(timing),
    }


def _judge(
    spec: RuntimeSpec,
    figures: Mapping[str, Any],
    outputs: Sequence[Arrays],
    expected: Sequence[Arrays],
    tolerance: Tolerance | None,
) -> Trial:
    if "error" in figures:
        return Trial(runtime=spec.name, passed=False, reason=figures["error"])
    error, reason = compare(outputs, expected, tolerance or Tolerance())
    return Trial(
        runtime=spec.name,
        passed=not reason,
        reason=reason,
        max_error=error,
        median_ms=round(float(np.median(figures["taken_ms"])), 3),
        load_ms=round(figures["load_ms"], 1),
    )


def compare(outputs: Sequence[Arrays], expected: Sequence[Arrays], tolerance: Tolerance) -> tuple[float | None, str]:
    """The largest absolute difference, and what is out of tolerance ("" when nothing is)."""
    largest, reason, worst = 0.0, "", 0.0
    for number, (found, wanted) in enumerate(zip(outputs, expected, strict=True)):
        for name, right in wanted.items():
            given = found[name]
            if given.shape != right.shape:
                return (
                    None,
                    f"output {name!r} of batch {number} has shape {given.shape}, the network's has {right.shape}",
                )
            if not right.size:
                continue
            if not np.isfinite(given).all() and np.isfinite(right).all():
                return None, f"output {name!r} of batch {number} holds NaN or infinity"
            difference = np.abs(given.astype(np.float64) - right.astype(np.float64))
            largest = max(largest, float(difference.max()))
            floor = max(tolerance.atol * min(1.0, float(np.abs(right).max())), 1e-9)
            excess = difference - (floor + tolerance.rtol * np.abs(right))
            if excess.max() > worst:
                worst = float(excess.max())
                place = int(excess.argmax())
                reason = (
                    f"output {name!r} of batch {number} is {given.flat[place]:.6g} where the network gives "
                    f"{right.flat[place]:.6g} (allowed: {floor:.1g} + {tolerance.rtol:g} x the value)"
                )
    return largest, reason


def _run_child(job: Path) -> str | None:
    """Why the child did not end well, or None."""
    package_root = str(Path(__file__).resolve().parents[2])
    path = os.pathsep.join(part for part in (package_root, os.environ.get("PYTHONPATH", "")) if part)
    try:
        ended = subprocess.run(
            [sys.executable, "-m", "pdx_core.runtimes.trial", str(job)],
            env={**os.environ, "PYTHONPATH": path, "GLOG_minloglevel": "3"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            timeout=_TIMEOUT_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"did not finish within {_TIMEOUT_SECONDS} s"
    except OSError as error:
        return f"could not be started: {error}"
    if ended.returncode == 0:
        return None
    logger.debug("trial failed:\n%s", ended.stderr.decode("utf-8", "replace"))
    if ended.returncode < 0:
        try:
            return f"crashed ({signal.Signals(-ended.returncode).name})"
        except ValueError:
            return f"crashed (signal {-ended.returncode})"
    return f"ended with code {ended.returncode}"


def _write_arrays(path: Path, batches: Sequence[Arrays]) -> None:
    np.savez(
        path, **{f"{number}/{name}": array for number, batch in enumerate(batches) for name, array in batch.items()}
    )


def _read_arrays(path: Path, count: int) -> list[dict[str, np.ndarray]]:
    batches: list[dict[str, np.ndarray]] = [{} for _ in range(count)]
    with np.load(path) as stored:
        for key in stored.files:
            number, _, name = key.partition("/")
            batches[int(number)][name] = stored[key]
    return batches


# -- the child -------------------------------------------------------------------------------------------------------
def _serve(job_file: Path) -> None:
    job = json.loads(job_file.read_text(encoding="utf-8"))
    figures, outputs = _attempt(job, _read_arrays(job_file.parent / "feeds.npz", job["batches"]))
    _write_arrays(job_file.parent / "outputs.npz", outputs)
    (job_file.parent / "report.json").write_text(json.dumps(figures), encoding="utf-8")


def _attempt(job: Mapping[str, Any], feeds: Sequence[Arrays]) -> tuple[dict[str, Any], list[dict[str, np.ndarray]]]:
    """Load, run every feed, and time the first."""
    try:
        target = import_target(job["target"])
        started = time.perf_counter()
        runtime = target(Path(job["folder"]), job["device"], **job["arguments"])
        loaded = time.perf_counter()
        outputs = [dict(runtime(feed)) for feed in feeds]
        taken = _time(runtime, feeds[0], Timing(**job["timing"]))
    except Exception as error:  # noqa: BLE001 - whatever a runtime raises is the result of its trial
        lines = [line.strip() for line in _PLACE_IN_PADDLE.sub("", str(error)).splitlines() if line.strip()]
        return {"error": lines[-1] if lines else type(error).__name__}, []
    return {"load_ms": (loaded - started) * 1000, "taken_ms": [seconds * 1000 for seconds in taken]}, outputs


def _time(runtime: Any, feed: Arrays, timing: Timing) -> list[float]:
    """Seconds of each repeated run of one batch."""
    for _ in range(timing.warmup):
        runtime(feed)
    taken: list[float] = []
    while len(taken) < timing.runs and (sum(taken) < timing.seconds or len(taken) < 3):
        started = time.perf_counter()
        runtime(feed)
        taken.append(time.perf_counter() - started)
    return taken


if __name__ == "__main__":
    _serve(Path(sys.argv[1]))
