"""Checkpoints: folders that appear complete or not at all, and are found again newest first.

    <run>/checkpoints/epoch_0003/model.pdparams .pdopt .pdstates (.pdema)
    <run>/best_model/best_model.pdparams .pdopt .pdstates (.pdema), and inference/ after the export

Each file holds its own checksum (see `weight_files`) and is read by the safe reader only. A folder is written under a
hidden name, brought to disk and renamed; what a killed process left hidden is removed at the next start.
"""

from __future__ import annotations

import contextlib
import logging
import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path

import attrs
import numpy as np

from pdx_core.errors import PdxError, WeightsError, WorkFailedError
from pdx_core.train.state import TrainState
from pdx_core.weight_files import read_state, read_weights, save_state, save_weights

logger = logging.getLogger(__name__)

CHECKPOINTS = "checkpoints"
BEST = "best_model"


@attrs.define(kw_only=True)
class Snapshot:
    """Everything a run continues from. Arrays by parameter name; `optimizer` as `optim.optimizer_state` names it."""

    weights: Mapping[str, np.ndarray]
    optimizer: Mapping[str, np.ndarray]
    state: TrainState
    ema: Mapping[str, np.ndarray] | None = None


def write(folder: Path, snapshot: Snapshot, stem: str = "model") -> Path:
    """Write a checkpoint folder so that `folder` is complete whenever it exists, replacing an older one.

    Raises PdxError (folder not writable) or WorkFailedError (disk full), and leaves what was there.
    """
    part, old = folder.with_name(f".{folder.name}.part"), folder.with_name(f".{folder.name}.old")
    try:
        part.parent.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir()
    except OSError as error:
        raise PdxError(f"cannot write {folder}: {error.strerror or error}; choose another --output") from error
    try:
        save_weights(snapshot.weights, part / f"{stem}.pdparams")
        save_state(dict(snapshot.optimizer), part / f"{stem}.pdopt")
        save_state(snapshot.state.to_mapping(), part / f"{stem}.pdstates")
        if snapshot.ema is not None:
            save_weights(snapshot.ema, part / f"{stem}.pdema")
        sync_folder(part)
        if folder.exists():
            shutil.rmtree(old, ignore_errors=True)
            folder.rename(old)
        part.rename(folder)
        sync_folder(folder.parent)
    except OSError as error:
        raise WorkFailedError(f"cannot finish writing {folder}: {error.strerror or error}") from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
        if folder.exists():
            shutil.rmtree(old, ignore_errors=True)
    return folder


def read(folder: Path) -> Snapshot:
    """Read a checkpoint folder back; raises WeightsError when a file is missing or damaged."""
    parameters = sorted(folder.glob("*.pdparams"))
    if len(parameters) != 1:
        raise WeightsError(f"{folder}: holds {len(parameters)} .pdparams files; a checkpoint has one")
    stem = parameters[0].with_suffix("")
    for suffix in (".pdopt", ".pdstates"):
        if not stem.with_suffix(suffix).exists():
            raise WeightsError(
                f"{folder}: {stem.name}{suffix} is missing, so a run cannot continue from here; "
                f"to start a new run from these weights give --pretrained {parameters[0]}"
            )
    states = stem.with_suffix(".pdstates")
    optimizer = read_state(stem.with_suffix(".pdopt"))
    if not isinstance(optimizer, dict):
        raise WeightsError(f"{stem}.pdopt: not the optimiser state of a pdx training")
    ema = stem.with_suffix(".pdema")
    return Snapshot(
        weights=read_weights(parameters[0]),
        optimizer=optimizer,
        state=TrainState.from_mapping(read_state(states), str(states)),
        ema=read_weights(ema) if ema.exists() else None,
    )


def state_of(folder: Path) -> TrainState:
    """Only the position of a checkpoint."""
    states = sorted(folder.glob("*.pdstates"))
    if len(states) != 1:
        raise WeightsError(f"{folder}: no .pdstates file")
    return TrainState.from_mapping(read_state(states[0]), str(states[0]))


def kept(run: Path) -> list[Path]:
    """Checkpoint folders of a run, newest first, damaged ones included at the place of their time."""
    folder = run / CHECKPOINTS
    if not folder.is_dir():
        return []
    found = [path for path in folder.iterdir() if path.is_dir() and not path.name.startswith(".")]
    return sorted(found, key=lambda path: (_iteration(path.name), path.stat().st_mtime), reverse=True)


def name(state: TrainState, unit: str) -> str:
    """The folder name of a checkpoint; the iteration in it gives the order."""
    if unit == "epoch" and state.batch == 0:
        return f"epoch_{state.epoch:04d}_iter_{state.iteration:07d}"
    return f"iter_{state.iteration:07d}"


def find(path: Path) -> tuple[Path, Snapshot]:
    """The checkpoint to continue from: `path` itself, a file in it, or the newest readable one of a run folder.

    A damaged one is skipped and named in the log. Raises PdxError when there is none.
    """
    if path.is_file():
        path = path.parent
    if not path.is_dir():
        raise PdxError(f"nothing to resume: {path} does not exist")
    if any(path.glob("*.pdparams")):
        return path, read(path)
    problems = []
    for candidate in [*kept(path), path / BEST]:
        if not candidate.is_dir():
            continue
        try:
            snapshot = read(candidate)
        except WeightsError as error:
            problems.append(str(error))
            logger.warning("skipped the checkpoint %s: %s", candidate, error)
            continue
        return candidate, snapshot
    details = "".join(f"\n  {problem}" for problem in problems)
    raise PdxError(f"nothing to resume: {path} holds no complete checkpoint{details}")


def prune(run: Path, keep: int) -> None:
    """Remove all but the newest `keep` checkpoints; each disappears from sight before its files do."""
    for folder in kept(run)[keep:]:
        hidden = folder.with_name(f".{folder.name}.old")
        with contextlib.suppress(OSError):
            folder.rename(hidden)
        shutil.rmtree(hidden, ignore_errors=True)


def sync_folder(folder: Path) -> None:
    """Bring the names in a folder to disk; not every system can, and then it does not matter."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _iteration(name: str) -> int:
    match = re.search(r"iter_(\d+)", name)
    return int(match[1]) if match else -1


def describe(state: TrainState) -> str:
    """Where a checkpoint stands, for messages."""
    place = f"epoch {state.epoch + 1}, batch {state.batch}" if state.batch else f"epoch {state.epoch}"
    return f"iteration {state.iteration} ({place})"
