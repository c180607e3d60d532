"""Where the images of a dataset are, and which names may stand for them."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath, PureWindowsPath

from pdx_core.data.findings import Findings
from pdx_core.data.text_files import read_lines
from pdx_core.errors import DataError
from pdx_core.image_files import IMAGE_SUFFIXES

IMAGE_ROOT_NAME = "image_root.txt"  # written by `pdx split`: the folder that paths of the lists are relative to
_PROBES = 20  # names that are looked for in each candidate folder


def data_root(root: Path, findings: Findings) -> Path:
    """The folder that paths are relative to: the dataset itself, unless `pdx split` wrote down another one."""
    path = root / IMAGE_ROOT_NAME
    if not path.is_file():
        return root
    lines = read_lines(path)
    target = root / lines[0][1] if lines else root
    if not target.is_dir():
        findings.add(
            "image-root-missing",
            f"the folder with the images, {target}, is gone",
            file=IMAGE_ROOT_NAME,
            location="line 1",
            value=target,
            fix="write its new place there, or run `pdx split` again",
        )
    return target


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
