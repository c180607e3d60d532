"""Recognises the dataset formats of classification from names and first lines, without importing numpy."""

from __future__ import annotations

from pathlib import Path

from pdx_core.data.text_files import read_lines
from pdx_core.errors import DataError
from pdx_core.image_files import has_images, is_image_file

SPLITS = ("train", "val")
LIST_NAMES = {"train": ("train.txt", "train_list.txt"), "val": ("val.txt", "val_list.txt")}
LABEL_NAMES = ("label.txt", "labels.txt", "classes.txt")
FOLDER_NAMES = {"train": ("train", "training"), "val": ("val", "valid", "validation")}

# A second field with one of these ends is an annotation file: the list belongs to another task.
_ANNOTATION_SUFFIXES = (".png", ".xml", ".json", ".txt", ".bmp", ".jpg", ".jpeg", ".tif", ".tiff")
# Folders with these names hold all pictures of a dataset, those with the others its further parts; none is a class.
_PICTURE_NAMES = frozenset({"images", "jpegimages", "imgs"})
_PART_NAMES = _PICTURE_NAMES | frozenset(
    {"image", "img", "annotations", "annotation", "labels", "label", "masks", "mask"}
    | {"segmentationclass", "segmentationobject", "imagesets", "coco", "test", "output"}
)


def list_file(root: Path, split: str) -> Path | None:
    """The list file of a split, under either name."""
    return _first_file(root, LIST_NAMES[split])


def label_file(root: Path) -> Path | None:
    """The file with the class names: a usual name, or the only `*_classes.txt`."""
    found = _first_file(root, LABEL_NAMES)
    if found is None:
        others = sorted(root.glob("*_classes.txt"))
        found = others[0] if len(others) == 1 else None
    return found


def split_folder(root: Path, split: str) -> Path | None:
    """The folder of a split, under any of its names."""
    return next((root / name for name in FOLDER_NAMES[split] if (root / name).is_dir()), None)


def has_lists(root: Path) -> bool:
    """Whether there is a list file whose lines are not pairs of files."""
    found = [path for split in SPLITS if (path := list_file(root, split)) is not None]
    return bool(found) and not any(_pairs_files(path) for path in found)


def has_class_folders(root: Path) -> bool:
    """Whether there are train/<class>/image or val/<class>/image, or at least two folders <class>/image."""
    folders = [folder for split in SPLITS if (folder := split_folder(root, split)) is not None]
    if folders:
        return any(_holds_classes(folder) for folder in folders)
    children = class_folders(root)
    if any(child.name.lower() in _PART_NAMES for child in children):
        return False
    return sum(_holds_images(child) for child in children) >= 2


def class_folders(folder: Path) -> list[Path]:
    """The folders inside `folder`, in name order, hidden ones left out."""
    return sorted(child for child in folder.iterdir() if child.is_dir() and not child.name.startswith("."))


def _holds_classes(split: Path) -> bool:
    """Whether the folder of a split holds <class>/image, and not images/ and labels/ as other tasks have it.

    A folder `mask` beside `no_mask` is a class; `mask` beside `image` is not.
    """
    children = class_folders(split)
    if any(child.name.lower() in _PICTURE_NAMES for child in children):
        return False
    return any(has_images(child) for child in children if child.name.lower() not in _PART_NAMES)


def _holds_images(folder: Path) -> bool:
    return any(is_image_file(child) for child in folder.iterdir() if child.is_file())


def _pairs_files(path: Path) -> bool:
    try:
        lines = read_lines(path)
    except DataError:
        return False  # the checker says what is wrong with it
    return any(len(fields) > 1 and fields[-1].lower().endswith(_ANNOTATION_SUFFIXES) for fields in _fields(lines[:5]))


def _fields(lines: list[tuple[int, str]]) -> list[list[str]]:
    return [line.split() for _, line in lines]


def _first_file(root: Path, names: tuple[str, ...]) -> Path | None:
    return next((root / name for name in names if (root / name).is_file()), None)
