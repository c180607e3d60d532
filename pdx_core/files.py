"""Writes files so that nobody ever sees half of one."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from pdx_core.errors import PdxError, WorkFailedError


@contextlib.contextmanager
def atomic_write(path: str | Path, mode: str = "wb") -> Iterator[IO[Any]]:
    """Open a temporary file beside `path` and rename it over `path` once it is complete and on disk.

    On any error `path` keeps what it held before. Raises PdxError when the folder cannot be written to and
    WorkFailedError when writing breaks off (disk full).
    """
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    except OSError as error:
        raise PdxError(f"cannot write {path}: {error.strerror or error}; choose another output folder") from error
    try:
        with os.fdopen(handle, mode, encoding=None if "b" in mode else "utf-8") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        Path(temporary).chmod(0o666 & ~_umask())  # mkstemp makes files that only the owner may read
        Path(temporary).replace(path)
    except OSError as error:
        raise WorkFailedError(
            f"cannot finish writing {path}: {error.strerror or error}; what was there is kept"
        ) from error
    finally:
        Path(temporary).unlink(missing_ok=True)


def write_json(path: str | Path, value: Any, indent: int | None = 2) -> None:
    """Write `value` as UTF-8 JSON, atomically."""
    with atomic_write(path, "w") as stream:
        json.dump(value, stream, indent=indent, ensure_ascii=False)
        stream.write("\n")


def write_text(path: str | Path, text: str) -> None:
    """Write UTF-8 text, atomically."""
    with atomic_write(path, "w") as stream:
        stream.write(text)


@functools.cache
def _umask() -> int:
    mask = os.umask(0)  # it can only be read by setting it
    os.umask(mask)
    return mask
