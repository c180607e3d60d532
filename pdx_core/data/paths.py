"""Where the images of a dataset are, and which names may stand for them."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath, PureWindowsPath

from pdx_core.errors import DataError
from pdx_core.image_files import IMAGE_SUFFIXES

_PROBES = 20  # names that are looked for in each candidate folder


def path_problem(name: str) -> str:
    """Why a path cannot be one inside the dataset, or nothing."""
    if not name.strip():
        return "the path is empty"
    if "\0" in name:
        return "the path holds a zero byte"
    if PurePosixPath(name).is_absolute() or PureWindowsPath(name).is_absolute() or PureWindowsPath(name).drive:
        return "the path is absolute"
    if posixpath.normpath(name.replace("\\", "/")).startswith(".."):
        return "the path leaves the dataset's folder"
    return ""


def image_folder(candidates: Iterable[Path], names: Sequence[str]) -> Path:
    """The folder in which most of the first names exist; of equals the first one that is there at all."""
    probes = names[:_PROBES]
    best, most = None, -1
    for folder in candidates:
        if not folder.is_dir():
            continue
        found = sum((folder / name).is_file() for name in probes if not path_problem(name))
        if found > most:
            best, most = folder, found
        if found == len(probes):
            break
    if best is None:
        raise DataError("there is no folder with images")
    return best


def by_stem(folder: Path, stem: str) -> str:
    """The image called `stem` with whatever suffix; `stem`.jpg when there is none."""
    for suffix in IMAGE_SUFFIXES:
        for spelling in (suffix, suffix.upper()):
            if (folder / f"{stem}{spelling}").is_file():
                return stem + spelling
    return f"{stem}.jpg"
