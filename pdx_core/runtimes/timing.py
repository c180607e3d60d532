"""Times the runtimes of one exported model against each other."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pdx_core.model_card import check_files, find_model_dir, read_card
from pdx_core.paddle_support import resolve_device
from pdx_core.plugins import get_registry
from pdx_core.progress import progress
from pdx_core.runtimes.choose import PLAIN, find_runtime
from pdx_core.runtimes.feeds import make_feeds
from pdx_core.runtimes.trial import Timing, run_apart
from pdx_core.specs import RuntimeSpec

_SECONDS = 10.0  # at most, of each runtime and batch size


def time_runtimes(
    model_dir: str | Path,
    runtimes: Sequence[str] = (),
    batch_sizes: Sequence[int] = (1,),
    *,
    runs: int = 100,
    warmup: int = 10,
    threads: int | None = None,
    device: str = "auto",
) -> list[dict[str, Any]]:
    """One row per runtime and batch size.

    runtimes: names; none means every one that is installed and takes an exported model
    returns:  runtime, batch_size, mean_ms, p50_ms, p99_ms (of one batch), images_per_second, load_ms, runs,
              max_difference (from the runtime "paddle", None where that was not run) and error ("" or why not)
    """
    folder = find_model_dir(model_dir)
    card = read_card(folder)
    check_files(folder, card)
    chosen = resolve_device(device).partition(",")[0]
    specs = [find_runtime(name) for name in runtimes] or _installed(chosen)
    specs.sort(key=lambda spec: spec.name != PLAIN)  # first, because the others are compared with it
    image = make_feeds(card.transforms, wanted=1).batches[0]
    rows: list[dict[str, Any]] = []
    plain: dict[int, dict[str, np.ndarray]] = {}
    for spec, batch_size in progress([(spec, size) for spec in specs for size in batch_sizes], label="benchmark"):
        feed = {name: np.repeat(array, batch_size, axis=0) for name, array in image.items()}
        figures, outputs = run_apart(
            spec,
            folder,
            [feed],
            names=card.outputs,
            device=chosen,
            threads=threads,
            timing=Timing(warmup=warmup, runs=runs, seconds=_SECONDS),
        )
        row: dict[str, Any] = {"runtime": spec.name, "batch_size": batch_size, "error": figures.get("error", "")}
        if outputs:
            if spec.name == PLAIN:
                plain[batch_size] = outputs[0]
            taken = np.array(figures["taken_ms"])
            row.update(
                mean_ms=round(float(taken.mean()), 3),
                p50_ms=round(float(np.percentile(taken, 50)), 3),
                p99_ms=round(float(np.percentile(taken, 99)), 3),
                images_per_second=round(batch_size * 1000 / float(taken.mean()), 1),
                load_ms=round(figures["load_ms"], 1),
                runs=len(taken),
                max_difference=_difference(outputs[0], plain.get(batch_size)),
            )
        rows.append(row)
    return rows


def _installed(device: str) -> list[RuntimeSpec]:
    kind = device.partition(":")[0]
    return [
        spec
        for spec in get_registry().specs("runtimes")
        if kind in spec.devices
        and ".pdparams" not in spec.suffixes
        and all(importlib.util.find_spec(module) for module in spec.requires)
    ]


def _difference(outputs: dict[str, np.ndarray], plain: dict[str, np.ndarray] | None) -> float | None:
    if plain is None or any(outputs[name].shape != array.shape for name, array in plain.items()):
        return None
    gaps = (np.abs(outputs[name].astype(np.float64) - array) for name, array in plain.items() if array.size)
    return max((float(gap.max()) for gap in gaps), default=0.0)
