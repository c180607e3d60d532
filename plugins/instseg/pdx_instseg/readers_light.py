"""Recognises the dataset formats of instance segmentation from names and a look into files, without importing numpy."""

from __future__ import annotations

import functools
import os
import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from pdx_core.data.image_root import IMAGE_ROOT_NAME
from pdx_core.data.labelme import labelme_files, looks_like_labelme
from pdx_core.data.list_files import SPLIT_WORDS, SPLITS, list_file
from pdx_core.data.text_files import read_lines
from pdx_core.image_files import IMAGE_SUFFIXES
from pdx_det.api import coco_file

SUFFIXES = tuple(IMAGE_SUFFIXES)
MASKS, IMAGES = "masks", "images"
_BLOCK = 1 << 20
# A mask in COCO json: the beginning of polygons or of run lengths
_SEGMENTATION = re.compile(rb'"segmentation"\s*:\s*(\[\s*(\[\s*)?[-\d]|\{)')
_OVERLAP = 200  # bytes that two blocks share, in which the expression above may lie
_POLYGON = re.compile(rb'"shape_type"\s*:\s*"(polygon|mask|circle|oriented_rectangle)"')
_LOOKED_AT = 20  # entries of a folder that decide what it is


def has_coco_masks(root: Path) -> bool:
    """COCO json in which some annotation has a mask."""
    paths = (coco_file(root, split) for split in SPLITS)
    return any(_holds(path, _SEGMENTATION) for path in paths if path is not None)


def has_labelme_masks(root: Path) -> bool:
    """LabelMe files, some of whose shapes enclose more than rectangles do."""
    lists = [path for split in SPLITS if (path := list_file(root, split, ".json")) is not None]
    if lists:
        base = _base(root)
        files = [base / line.split()[-1].strip('"') for path in lists for _, line in islice(read_lines(path), 3)]
    else:
        files = [path for path in labelme_files(root)[:_LOOKED_AT] if looks_like_labelme(path)][:5]
    return any(_holds(path, _POLYGON) for path in files if path.is_file())


def has_mask_folders(root: Path) -> bool:
    """Masks in folders, as `mask_folders` finds them; what a list names decides where there are lists."""
    base = _base(root)
    for split in SPLITS:
        path = list_file(root, split, SUFFIXES)
        if path is not None:
            names = [line.strip('"') for _, line in read_lines(path)[:3]]
            return bool(names) and all((base / masks_of(base, name)).is_dir() for name in names)
    return any(True for _, folder in split_folders(root) for _ in islice(image_paths(folder), 1))


# -- one file for each object ----------------------------------------------------------------------------------------
def masks_of(base: Path, image: str) -> str:
    """The folder with the masks of an image: `<id>/images/a.png`, alone in its folder, has `<id>/masks`, and
    `images/a.png` has `masks/a`."""
    path = Path(image)
    folder = path.parent.parent / MASKS
    own = folder / path.stem
    if (base / own).is_dir() or len(_images(base / path.parent)) != 1:
        return own.as_posix()
    return folder.as_posix()


def split_folders(root: Path) -> Iterator[tuple[str, Path]]:
    """Folders of the splits, such as train/ or stage1_train/; a folder that was never divided is called "all"."""
    found = False
    for split in SPLITS:
        for word in SPLIT_WORDS[split]:
            folder = next((path for name in (word, f"stage1_{word}") if (path := root / name).is_dir()), None)
            if folder is not None and any(True for _ in islice(image_paths(folder), 1)):
                found = True
                yield split, folder
                break
    if not found:
        yield "all", root


def image_paths(folder: Path) -> Iterator[str]:
    """Images with a folder of masks each, relative to `folder`, in the order of their names."""
    if (folder / IMAGES).is_dir() and (folder / MASKS).is_dir():
        if any(child.is_dir() for child in islice((folder / MASKS).iterdir(), _LOOKED_AT)):
            yield from (f"{IMAGES}/{name}" for name in _images(folder / IMAGES))
        return
    for name in sorted(entry.name for entry in os.scandir(folder) if entry.is_dir()):
        child = folder / name
        if (child / MASKS).is_dir():
            own = _images(child / IMAGES)
            # A mask of the image's name is one for all objects together, of another task
            if len(own) == 1 and Path(own[0]).stem not in {path.stem for path in (child / MASKS).iterdir()}:
                yield f"{name}/{IMAGES}/{own[0]}"


@functools.lru_cache(maxsize=8)
def _listed(folder: Path, changed: int) -> tuple[str, ...]:
    return tuple(sorted(entry.name for entry in os.scandir(folder) if entry.name.lower().endswith(SUFFIXES)))


def _images(folder: Path) -> tuple[str, ...]:
    """Names of the images in a folder; none where there is no such folder."""
    return _listed(folder, folder.stat().st_mtime_ns) if folder.is_dir() else ()


def _base(root: Path) -> Path:
    """The folder that paths of lists are relative to, see `data.image_root`."""
    path = root / IMAGE_ROOT_NAME
    lines = read_lines(path) if path.is_file() else []
    return root / lines[0][1] if lines else root


def _holds(path: Path, expression: re.Pattern[bytes]) -> bool:
    """Whether a file holds something, read block by block: these files may be large."""
    rest = b""
    with path.open("rb") as stream:
        while block := stream.read(_BLOCK):
            text = rest + block
            if expression.search(text):
                return True
            rest = text[-_OVERLAP:]
    return False
