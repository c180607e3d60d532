"""What converters of every task do: name copies of images, copy them, and divide what nobody has divided."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

from pdx_core.data.split import UNSPLIT, divide
from pdx_core.errors import DataError, WorkFailedError
from pdx_core.progress import progress

logger = logging.getLogger(__name__)

TRAIN_PERCENT = 80  # of a dataset that has no val part

Item = TypeVar("Item")


def free_name(path: Path, split: str, used: set[str]) -> str:
    """The file's name, with the split and a number in front where another image has the same stem; extends `used`."""
    name, number = path.name, 0
    while Path(name).stem.lower() in used:
        number += 1
        name = f"{split}_{path.name}" if number == 1 else f"{split}{number}_{path.name}"
    used.add(Path(name).stem.lower())
    return name


def copy_files(pairs: Sequence[tuple[Path, Path]]) -> None:
    """Copy each first file to the second one, whose folder is made; DataError where the first is missing."""
    for old, new in progress(pairs, label="copy", unit="img"):
        try:
            new.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(old, new)
        except FileNotFoundError:
            raise DataError(f"{old}: no such file; `pdx check` lists all of them") from None
        except OSError as error:
            raise WorkFailedError(f"cannot copy {old} to {new}: {error.strerror or error}") from error


def divide_unsplit(parts: dict[str, list[Item]]) -> dict[str, list[Item]]:
    """The parts of a dataset; one that has no val part gets one, 20 % of its samples."""
    only = next(iter(parts)) if len(parts) == 1 else ""
    if only not in ("train", UNSPLIT) or len(parts[only]) < 2:
        return parts
    logger.info("there is no val part: %d %% of the images become train, the others val", TRAIN_PERCENT)
    train, val = divide(parts[only], TRAIN_PERCENT, seed=0)
    return {"train": train, "val": val}
