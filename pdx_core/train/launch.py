"""Starts the processes of one training, watches them, and ends all of them when one dies. Light: paddle is theirs.

Each process is a fresh interpreter (forking after Paddle has started threads can hang). The first one's progress
goes to this process's stderr; what the others say is shown only if one of them fails.
"""

from __future__ import annotations

import contextlib
import json
import os
import pickle
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any

from pdx_core.errors import ConfigError, PdxError, WorkFailedError
from pdx_core.paddle_support import parse_device

_GRACE_SECONDS = 20.0  # for the others to say what went wrong, or to save, after the first has ended


def world_size() -> int:
    """Number of processes that train together; 1 outside a group."""
    return int(os.environ.get("PADDLE_TRAINERS_NUM", "1") or 1)


def rank() -> int:
    """Place of this process in its group, from 0. Only process 0 writes files and talks."""
    return int(os.environ.get("PADDLE_TRAINER_ID", "0") or 0) if world_size() > 1 else 0


def devices_of(device: str, processes: int | None) -> list[str]:
    """The device of each process.

    device:    "auto", "cpu", "gpu", "gpu:0", or "gpu:0,1" for one process per card
    processes: wanted number (`--nproc`); None: one, or one per listed card

    Raises ConfigError when the two contradict each other.
    """
    kind, cards = parse_device(device)
    if len(cards) <= 1 and processes in (None, 1):
        return [device]
    if kind == "gpu" and not cards:
        cards = tuple(range(processes or 1))
    if cards and processes not in (None, len(cards)):
        raise ConfigError(f"--nproc {processes} does not fit --device {device}: there is one process per listed card")
    if kind == "auto":
        raise ConfigError("--nproc needs a device: --device cpu (gloo), gpu, or a list of cards such as gpu:0,1")
    return [f"gpu:{card}" for card in cards] or ["cpu"] * (processes or 1)


def launch(job: str, resolved: Any, devices: list[str], **options: Any) -> dict:
    """Run `job` ("package.module:function") with `resolved` in one process per device; returns what process 0 returned.

    Raises the PdxError that a process ended with, or WorkFailedError when one died without a word.
    """
    with tempfile.TemporaryDirectory(prefix="pdx_group_") as scratch, _forwarding() as group:
        endpoints = ",".join(f"127.0.0.1:{port}" for port in _free_ports(len(devices)))
        for number, device in enumerate(devices):
            group.append(_start(job, resolved, options, device, number, endpoints, Path(scratch)))
        failed = _wait(group)
        reports = [_read(Path(scratch) / f"report_{number}.json") for number in range(len(devices))]
        if failed is None:
            return reports[0]["result"]
        for report in reports:
            if "error" in report:
                error = (PdxError if report["exit_code"] == 2 else WorkFailedError)(report["error"])
                error.exit_code = report["exit_code"]
                raise error
        raise WorkFailedError(_obituary(failed, group, Path(scratch)))


def _start(
    job: str, resolved: Any, options: dict[str, Any], device: str, number: int, endpoints: str, scratch: Path
) -> subprocess.Popen:
    environment = {
        **os.environ,
        "PADDLE_TRAINER_ID": str(number),
        "PADDLE_TRAINERS_NUM": str(endpoints.count(",") + 1),
        "PADDLE_TRAINER_ENDPOINTS": endpoints,
        "PADDLE_CURRENT_ENDPOINT": endpoints.split(",")[number],
        "PADDLE_RANK_IN_NODE": str(number),
    }
    environment.setdefault("GLOG_minloglevel", "2")  # the C++ side greets at every start
    if device.startswith("gpu"):
        environment["FLAGS_selected_gpus"] = device.partition(":")[2] or "0"
    else:
        environment["PADDLE_DISTRI_BACKEND"] = "gloo"
        # Each process would start one thread per core, and together they would stand in each other's way.
        threads = max(1, (os.cpu_count() or 1) // (endpoints.count(",") + 1))
        environment.setdefault("OMP_NUM_THREADS", str(threads))
    talk = None if number == 0 else (scratch / f"stderr_{number}.txt").open("wb")
    process = subprocess.Popen(
        [sys.executable, "-m", "pdx_core.train.worker", str(scratch / f"report_{number}.json")],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL if number else None,
        stderr=talk,
        env=environment,
        start_new_session=True,  # signals of the terminal come through this process, once
    )
    if talk is not None:
        talk.close()
    assert process.stdin is not None
    with contextlib.suppress(BrokenPipeError):
        process.stdin.write(pickle.dumps((job, resolved, device, options)))
        process.stdin.flush()  # left open: its end tells the worker that this process is gone
    return process


def _wait(group: list[subprocess.Popen]) -> int | None:
    """Wait for all; after one failed, give the others a moment and end them. Returns the first to fail."""
    failed, deadline = None, 0.0
    while any(process.poll() is None for process in group):
        if failed is None:
            bad = [number for number, process in enumerate(group) if process.poll() not in (None, 0)]
            if bad:
                failed = bad[0]
                code = group[failed].returncode
                # A process that ended by itself may have taken the others along in good order; a killed one has not.
                deadline = time.monotonic() + (2.0 if code < 0 else _GRACE_SECONDS)
        elif time.monotonic() > deadline:
            _end(group)
        time.sleep(0.05)
    bad = [number for number, process in enumerate(group) if process.returncode]
    return failed if failed is not None else (bad[0] if bad else None)


def _end(group: list[subprocess.Popen]) -> None:
    for process in group:
        if process.poll() is None:
            process.kill()
    for process in group:
        process.wait()


@contextlib.contextmanager
def _forwarding() -> Iterator[list[subprocess.Popen]]:
    """The group; SIGINT and SIGTERM go on to each member once, and nobody outlives this process."""
    group: list[subprocess.Popen] = []

    def forward(number: int, frame: FrameType | None) -> None:
        for process in group:
            if process.poll() is None:
                process.send_signal(number)

    main = threading.current_thread() is threading.main_thread()
    previous = {number: signal.signal(number, forward) for number in (signal.SIGINT, signal.SIGTERM)} if main else {}
    try:
        yield group
    finally:
        _end(group)
        for process in group:
            if process.stdin is not None:
                with contextlib.suppress(OSError):
                    process.stdin.close()
        for number, handler in previous.items():
            signal.signal(number, handler)


def _free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


def _read(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def _obituary(failed: int, group: list[subprocess.Popen], scratch: Path) -> str:
    code = group[failed].returncode
    how = f"was killed by signal {-code} ({_signal_name(-code)})" if code < 0 else f"ended with exit code {code}"
    talk = scratch / f"stderr_{failed}.txt"
    last = talk.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-15:] if talk.exists() else []
    details = "\n  ".join(["", *last]) if last else ""
    return f"process {failed + 1} of {len(group)} {how}, so the whole group was stopped.{details}"


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return "unknown"
