"""Stops a training whose numbers have gone wrong or whose memory has run out, and says what to do."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pdx_core.errors import WorkFailedError
from pdx_core.files import write_json
from pdx_core.train import run_folder

_MEMORY_SIGNS = ("out of memory", "resourceexhausted", "bad_alloc", "cannot allocate memory", "failed to alloc")


def write_nan_report(
    folder: Path,
    iteration: int,
    epoch: int,
    losses: Mapping[str, float],
    lr: float,
    gradient_norm: float,
    batches: Sequence[Any],
) -> Path:
    """Write which samples were in the step that went wrong, as nan_batch_iter_<n>.json in the run folder."""
    path = folder / run_folder.NAN_REPORT.format(iteration=iteration)
    write_json(
        path,
        {
            "iteration": iteration,
            "epoch": epoch,
            "losses": {name: _plain(value) for name, value in losses.items()},
            "learning_rate": lr,
            "gradient_norm": _plain(gradient_norm),
            "samples": [
                {
                    "id": str(sample.id),
                    "path": sample.path,
                    "finite_pixels": bool(np.isfinite(batch.images[index]).all()),
                }
                for batch in batches
                for index, sample in enumerate(batch.samples)
            ],
        },
    )
    return path


def nan_message(iteration: int, losses: Mapping[str, float], lr: float, report: Path | None, last_good: str) -> str:
    """What a user reads when the loss is no number any more."""
    shown = ", ".join(f"{name} {value}" for name, value in losses.items())
    where = f"; the samples of the batch are listed in {report}" if report else ""
    return (
        f"training stopped: the loss or its gradient is not a finite number at iteration {iteration} "
        f"({shown}, learning rate {lr:g}){where}. "
        f"{last_good} Try a lower --lr, a longer warm-up (-o Train.warmup_steps=...) or "
        "-o Train.optimizer.clip_norm=10; for a few bad batches, -o Train.max_skipped_nan_steps=N skips them"
    )


def gradient_norm(parameters: Sequence[Any]) -> float:
    """Euclidean norm of all gradients together."""
    total = 0.0
    for parameter in parameters:
        if parameter.grad is not None:
            values = parameter.grad.astype("float32").numpy().astype(np.float64)
            total += float(np.square(values).sum())
    return math.sqrt(total) if total == total else math.nan


@contextlib.contextmanager
def memory_advice(model: str, batch_size: int, image_shape: Sequence[int]) -> Iterator[None]:
    """Turn an out-of-memory error of Paddle or numpy into advice."""
    try:
        yield
    except (MemoryError, RuntimeError, OSError) as error:
        text = str(error).lower()
        if not isinstance(error, MemoryError) and not any(sign in text for sign in _MEMORY_SIGNS):
            raise
        height, width = image_shape[-2:]
        smaller = max(1, batch_size // 2)
        remedy = (
            f"use --batch-size {smaller} -o Train.accumulate_steps={-(-batch_size // smaller)} "
            "(the same effective batch in less memory)"
            if batch_size > 1
            else "use smaller images or a smaller model"
        )
        raise WorkFailedError(
            f"out of memory: {model} with batches of {batch_size} images of {height} x {width}; {remedy}, "
            "or -o Train.amp.level=O1 on a GPU"
        ) from error


def _plain(value: float) -> float | str:
    return value if math.isfinite(value) else str(value)  # JSON has no NaN
