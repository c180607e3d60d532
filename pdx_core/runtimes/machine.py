"""What a measurement on this machine depends on."""

from __future__ import annotations

import functools
import importlib.metadata
import os
import platform
from pathlib import Path


def usable_cpus() -> int:
    """The number of cores this process may use, which in a container is often less than the machine has."""
    if hasattr(os, "sched_getaffinity"):
        return max(1, len(os.sched_getaffinity(0)))
    return os.cpu_count() or 1


def cpu_name() -> str:
    """The processor as its vendor calls it; the architecture where that cannot be found out."""
    return _cpu_facts().get("model name") or platform.processor() or platform.machine()


def computes_bfloat16() -> bool | None:
    """Whether the processor has bfloat16 arithmetic; None where that cannot be found out."""
    flags = _cpu_facts().get("flags")
    return None if flags is None else bool({"avx512_bf16", "amx_bf16"} & set(flags.split()))


@functools.cache
def _cpu_facts() -> dict[str, str]:
    """What Linux says about the first core."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return {}
    pairs = (line.partition(":") for line in text.partition("\n\n")[0].splitlines())
    return {key.strip(): value.strip() for key, _, value in pairs}


def fingerprint() -> dict[str, str]:
    """Where this differs, another machine's choice of a runtime is not trusted."""
    return {"cpu": cpu_name(), "machine": platform.machine(), "paddle": paddle_version()}


def paddle_version() -> str:
    """The installed version of Paddle, without importing it."""
    for name in ("paddlepaddle", "paddlepaddle-gpu"):
        try:
            return importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return "not installed"
