"""Makes folders so that nobody ever sees half of one."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

from pdx_core.errors import PdxError, WorkFailedError


@contextlib.contextmanager
def replace_folder(folder: str | Path, is_ours: Callable[[str], bool]) -> Iterator[Path]:
    """An empty folder beside `folder`, renamed over it when the block ends well; otherwise `folder` stays as it was.

    is_ours: says of a file name whether an earlier call wrote it; a folder that holds anything else is not replaced

    Raises PdxError when the place cannot be written or holds other files, WorkFailedError when renaming fails.
    """
    folder = Path(folder)
    _refuse_foreign(folder, is_ours)
    scratch = folder.parent / f".{folder.name}.{secrets.token_hex(4)}.part"
    try:
        scratch.mkdir(parents=True)
    except OSError as error:
        raise PdxError(f"cannot write {folder}: {error.strerror}; choose another output folder") from error
    try:
        yield scratch
        _refuse_foreign(folder, is_ours)
        _swap(scratch, folder)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _swap(made: Path, folder: Path) -> None:
    for path in made.iterdir():  # on disk before the name points to it
        with path.open("rb") as stream:
            os.fsync(stream.fileno())
    old = made.with_suffix(".old")
    try:
        if folder.exists():
            folder.rename(old)
        made.rename(folder)
    except OSError as error:
        if old.exists() and not folder.exists():
            old.rename(folder)
        raise WorkFailedError(f"cannot put the finished files into {folder}: {error.strerror or error}") from error
    shutil.rmtree(old, ignore_errors=True)


def _refuse_foreign(folder: Path, is_ours: Callable[[str], bool]) -> None:
    if not folder.exists():
        return
    if not folder.is_dir():
        raise PdxError(f"{folder} is a file; give a folder")
    foreign = sorted(entry.name for entry in folder.iterdir() if not is_ours(entry.name))
    if foreign:
        raise PdxError(
            f"{folder} holds other files ({', '.join(foreign[:3])}) and is not replaced; give a folder of its own"
        )
