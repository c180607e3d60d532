"""The folder of a run: one training at a time, and an earlier run in it is moved aside, never overwritten."""

from __future__ import annotations

import contextlib
import logging
import shutil
from collections.abc import Iterator
from pathlib import Path

from pdx_core.errors import PdxError
from pdx_core.train import checkpoint

logger = logging.getLogger(__name__)

CONFIG = "config.yaml"
RESULT = "train_result.json"
LOG = "train.log"
TABLE = "log.csv"
CURVES = "curves.png"
LABELS = "label_dict.txt"
EVALUATION = "evaluate_result.json"
VISUALDL = "vdl"
NAN_REPORT = "nan_batch_iter_{iteration:07d}.json"
_LOCK = ".pdx.lock"
# What belongs to one training and moves aside with it. Results of `pdx check` in the same folder stay.
_OWN = (CONFIG, RESULT, LOG, TABLE, CURVES, LABELS, EVALUATION, VISUALDL, checkpoint.CHECKPOINTS, checkpoint.BEST)


@contextlib.contextmanager
def locked(run: Path) -> Iterator[None]:
    """Hold the run folder; refuse when another process trains into it. A killed process frees it by itself.

    Raises PdxError when the folder cannot be made or is in use.
    """
    from filelock import FileLock, Timeout

    try:
        run.mkdir(parents=True, exist_ok=True)
        lock = FileLock(str(run / _LOCK), timeout=0)
        lock.acquire()
    except Timeout:
        raise PdxError(
            f"another training is writing into {run}; wait for it, stop it, or choose another --output"
        ) from None
    except (OSError, NotImplementedError) as error:
        reason = getattr(error, "strerror", None) or error
        raise PdxError(f"cannot write to {run}: {reason}; choose another folder with --output") from error
    try:
        yield
    finally:
        lock.release()


def holds_run(run: Path) -> bool:
    """Whether a training was started in this folder."""
    return any((run / name).exists() for name in _OWN)


def move_aside(run: Path) -> Path | None:
    """Move an earlier run in this folder to `previous_1`, `previous_2` ...; returns where it went."""
    if not holds_run(run):
        return None
    number = 1
    while (run / f"previous_{number}").exists():
        number += 1
    target = run / f"previous_{number}"
    try:
        target.mkdir()
        for path in (*(run / name for name in _OWN), *run.glob("nan_batch_iter_*.json")):
            if path.exists():
                path.rename(target / path.name)
    except OSError as error:
        raise PdxError(
            f"cannot move the earlier run in {run} to {target}: {error.strerror or error}; choose another --output"
        ) from error
    logger.info("the earlier run in %s was moved to %s (to continue a run instead, add --resume)", run, target)
    return target


def clean(run: Path) -> None:
    """Remove what a killed process left half done, and bring back a folder that it was about to replace.

    Only names that a training itself gives are touched, because the folder may hold other things of the user's.
    """
    checkpoints = run / checkpoint.CHECKPOINTS
    for path in [*run.glob(".*.part"), *run.glob(".*.old"), *checkpoints.glob(".*.part"), *checkpoints.glob(".*.old")]:
        name, _, kind = path.name[1:].rpartition(".")
        if path.parent == run and not any(name == own or name.startswith(f"{own}.") for own in _OWN):
            continue
        if kind == "old" and name == checkpoint.BEST and not (run / name).exists():
            path.rename(run / name)
        elif path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def best_weights(folder: Path, use_ema: bool) -> Path | None:
    """The weight file of a run's best model: the averaged weights when there are some and they are wanted."""
    for suffix in (".pdema", ".pdparams") if use_ema else (".pdparams",):
        path = folder / checkpoint.BEST / f"{checkpoint.BEST}{suffix}"
        if path.exists():
            return path
    return None


def resume_command(run: Path) -> str:
    """What to type to continue the run in this folder."""
    import shlex

    return f"pdx train --resume --output {shlex.quote(str(run))}"
