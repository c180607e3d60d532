"""Decides which runtime runs an exported model."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs

from pdx_core.cache import cache_folder
from pdx_core.errors import MissingDependencyError, PdxError
from pdx_core.files import write_json
from pdx_core.model_card import ModelCard, graph_file
from pdx_core.plugins import get_registry
from pdx_core.runtimes.machine import fingerprint
from pdx_core.runtimes.trial import Tolerance, Trial, try_in_process, try_runtime
from pdx_core.specs import RuntimeSpec

logger = logging.getLogger(__name__)

AUTO = "auto"
PLAIN = "paddle"  # the runtime every exported model must run in

# run_mode names of PaddleX that stand for something pdx has no runtime for
_ELSEWHERE = {
    "trt_fp32": "TensorRT is not available as a runtime",
    "trt_fp16": "TensorRT is not available as a runtime",
    "trt_int8": "TensorRT is not available as a runtime",
    "paddle_fp16": "half precision is not available as a runtime",
}


def find_runtime(name: str, origin: str = "") -> RuntimeSpec:
    """The runtime called `name`, or by PaddleX's run_mode; says what to do where there is none."""
    if name in _ELSEWHERE and not any(name in (spec.name, *spec.aliases) for spec in get_registry().specs("runtimes")):
        raise PdxError(f"{_ELSEWHERE[name]} ({name!r}); use 'auto', 'paddle' or 'paddle_onednn'")
    spec = get_registry().find("runtimes", name, origin)
    absent = [module for module in spec.requires if importlib.util.find_spec(module) is None]
    if absent:
        hint = f"; install it with: {spec.install}" if spec.install else ""
        raise MissingDependencyError(f"the runtime {spec.name!r} needs {', '.join(absent)}{hint}")
    return spec


def candidates(device: str) -> list[RuntimeSpec]:
    """What `auto` may choose from on a device: runtimes of exported models that keep the network's precision."""
    kind = device.partition(":")[0]
    return [spec for spec in get_registry().specs("runtimes") if spec.automatic and kind in spec.devices]


def try_all(
    folder: Path,
    feeds: Sequence[Mapping[str, Any]],
    expected: Sequence[Mapping[str, Any]],
    *,
    device: str = "cpu",
    tolerance: Tolerance | None = None,
    only_plain: bool = False,
) -> dict[str, Any]:
    """Try every candidate and report in the form kept in `inference.yml`.

    only_plain: leave out all but the plain runtime, which then needs no process of its own
    returns: {"chosen": name or None, "device": ..., "host": {...}, "trials": [...]}
    """
    trials: list[Trial] = []
    if only_plain:
        trials.append(try_in_process(find_runtime(PLAIN), folder, feeds, expected, device=device, tolerance=tolerance))
    for spec in () if only_plain else candidates(device):
        absent = [module for module in spec.requires if importlib.util.find_spec(module) is None]
        if absent:
            trials.append(Trial(runtime=spec.name, passed=False, reason=f"{', '.join(absent)} is not installed"))
            continue
        trials.append(try_runtime(spec, folder, feeds, expected, device=device, tolerance=tolerance))
        logger.info("%s", trials[-1])
    passed = [trial for trial in trials if trial.passed]
    chosen = min(passed, key=lambda trial: trial.median_ms or 0.0).runtime if passed else None
    return {
        "chosen": chosen,
        "device": device.partition(":")[0],
        "host": fingerprint(),
        "trials": [attrs.asdict(trial) for trial in trials],
    }


def choose(card: ModelCard, device: str, wanted: str = AUTO) -> RuntimeSpec:
    """The runtime to load: the wanted one, or for "auto" what the trials at export found fastest.

    A report from another processor or another version of Paddle says nothing about this machine (what runs there may
    crash here): then the plain runtime is used.
    """
    if wanted != AUTO:
        return find_runtime(wanted)
    report = card.runtimes
    if not report.get("chosen"):
        return find_runtime(PLAIN)
    if not _is_of_here(report, device):
        logger.info(
            "the runtimes of %s were tried on another machine; using %r. Tried here with use_hpip=True",
            card.name,
            PLAIN,
        )
        return find_runtime(PLAIN)
    return find_runtime(report["chosen"])


def _is_of_here(report: Mapping[str, Any], device: str) -> bool:
    return report.get("device") == device.partition(":")[0] and report.get("host") == fingerprint()


def try_here(folder: Path, card: ModelCard, device: str) -> RuntimeSpec:
    """The fastest runtime on this machine that agrees with the plain one; tried once, then remembered in the cache.

    For models that were exported elsewhere. There is no network to compare with, so the plain runtime stands in for it.
    """
    report = card.runtimes
    if not report.get("chosen") or not _is_of_here(report, device):
        remembered = _memory(folder, device)
        try:
            report = json.loads(remembered.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            logger.info("trying the runtimes for %s on this machine, once", card.name or folder)
            report = _try_against_plain(folder, card, device)
            write_json(remembered, report)
    return find_runtime(report.get("chosen") or PLAIN)


def _try_against_plain(folder: Path, card: ModelCard, device: str) -> dict[str, Any]:
    from pdx_core.runtimes.feeds import make_feeds

    plain = find_runtime(PLAIN)
    runner = plain.load()(folder, device, **plain.arguments, outputs=card.outputs)
    feeds = make_feeds(card.transforms, wanted=2).batches
    return try_all(folder, feeds, [runner(feed) for feed in feeds], device=device)


def _memory(folder: Path, device: str) -> Path:
    """A file of the cache that belongs to this model as it is now, on this machine."""
    state = graph_file(folder).with_suffix(".pdiparams").stat()
    facts = [str(folder.resolve()), state.st_size, state.st_mtime_ns, device, fingerprint()]
    name = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:24]
    return cache_folder() / "runtimes" / f"{name}.json"
