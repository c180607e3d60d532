"""Which files are images, judged by their names."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

IMAGE_SUFFIXES: tuple[str, ...] = (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff", ".gif")


def is_image_file(path: str | Path) -> bool:
    """Whether the name ends as an image's does; hidden files (`._a.jpg` of macOS) do not count."""
    name = Path(path).name
    return not name.startswith(".") and name.lower().endswith(IMAGE_SUFFIXES)


def walk_images(folder: Path) -> Iterator[Path]:
    """Every image below `folder` in name order; hidden folders and links to folders are not entered."""
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if is_image_file(name):
                yield Path(parent) / name


def has_images(folder: Path) -> bool:
    """Whether there is at least one image anywhere below `folder`."""
    return next(walk_images(folder), None) is not None
