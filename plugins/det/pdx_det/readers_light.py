"""Recognises the dataset formats of detection from names and first lines, without importing numpy."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

from pdx_core.data.labelme import labelme_files, looks_like_labelme
from pdx_core.data.list_files import SPLIT_WORDS, SPLITS, files_named, list_file
from pdx_core.data.text_files import read_lines
from pdx_core.errors import DataError
from pdx_core.image_files import is_image_file

# Where COCO files are, with {} for the word of the split; the first is PaddleX's
_COCO_NAMES = (
    "annotations/instance_{}.json",
    "annotations/instances_{}.json",
    "annotations/instances_{}2017.json",
    "annotations/instances_{}2014.json",
    "annotations/{}.json",
    "coco/instances_{}.json",
    "coco/instance_{}.json",
    "instances_{}.json",
    "instance_{}.json",
    "{}/_annotations.coco.json",
    "{}.json",
)
YAML_NAMES = ("data.yaml", "data.yml", "dataset.yaml", "dataset.yml")
CLASS_NAMES = ("labels.txt", "label_list.txt", "label.txt", "classes.txt", "obj.names")


def coco_file(root: Path, split: str) -> Path | None:
    """The json of a split."""
    return _first(root, _COCO_NAMES, SPLIT_WORDS[split][:3])


def image_set(root: Path, split: str) -> Path | None:
    """ImageSets/Main/<split>.txt of the original VOC layout."""
    return _first(root / "ImageSets" / "Main", ("{}.txt",), SPLIT_WORDS[split])


def yolo_yaml(root: Path) -> Path | None:
    return next((root / name for name in YAML_NAMES if (root / name).is_file()), None)


def yolo_folders(root: Path, split: str) -> tuple[Path, Path] | None:
    """The folders with the images and with the labels of a split: images/train, or train/images."""
    for word in SPLIT_WORDS[split]:
        for images, labels in ((f"images/{word}", f"labels/{word}"), (f"{word}/images", f"{word}/labels")):
            if (root / images).is_dir() and (root / labels).is_dir():
                return root / images, root / labels
    return None


def class_file(root: Path) -> Path | None:
    """The file with one class name per line."""
    return next((root / name for name in CLASS_NAMES if (root / name).is_file()), None)


def has_coco(root: Path) -> bool:
    return any(coco_file(root, split) is not None for split in SPLITS)


def has_voc(root: Path) -> bool:
    if any(list_file(root, split, ".xml") is not None for split in SPLITS):
        return True
    return (root / "Annotations").is_dir() and any(image_set(root, split) is not None for split in SPLITS)


def has_yolo(root: Path) -> bool:
    if yolo_yaml(root) is not None:
        return True
    found = [folders for split in SPLITS if (folders := yolo_folders(root, split)) is not None]
    return bool(found) and not any(_holds_pictures(labels) for _, labels in found)


def _holds_pictures(folder: Path) -> bool:
    """Masks, which another task reads, also lie in folders called labels."""
    return any(is_image_file(path) for path in islice(folder.iterdir(), 50))


def has_labelme(root: Path) -> bool:
    """Lists of LabelMe files, or such files and nothing else that is json."""
    if any(list_file(root, split, ".json") is not None for split in SPLITS):
        return True
    return not has_coco(root) and any(looks_like_labelme(path) for path in labelme_files(root)[:3])


def _first(root: Path, patterns: tuple[str, ...], words: tuple[str, ...]) -> Path | None:
    return next(files_named(root, patterns, words), None)


def yolo_splits(root: Path) -> tuple[str, ...]:
    """The splits that data.yaml names, read without a YAML parser."""
    path = yolo_yaml(root)
    if path is None:
        return ()
    try:
        keys = {line.partition(":")[0] for _, line in read_lines(path) if ":" in line}
    except DataError:
        return ()
    return tuple(split for split in SPLITS if keys & set(SPLIT_WORDS[split]))
