"""Recognises the dataset formats of segmentation from names and first lines, without importing numpy."""

from __future__ import annotations

import re
from itertools import islice
from pathlib import Path

from pdx_core.data.findings import Findings
from pdx_core.data.image_root import image_root
from pdx_core.data.labelme import labelme_files, looks_like_labelme
from pdx_core.data.list_files import SPLIT_WORDS, SPLITS, list_file, split_line
from pdx_core.data.text_files import read_lines
from pdx_core.errors import DataError
from pdx_core.image_files import IMAGE_SUFFIXES, is_image_file, walk_images

BACKGROUND, IGNORED = "_background_", "__ignore__"  # LabelMe's and PaddleX's names for class 0 and for ignored pixels
NAME_FILES = (
    "class_name_to_id.txt",
    "labels.txt",
    "class_names.txt",
    "class_name.txt",
    "label.txt",
    "label_list.txt",
    "classes.txt",
)
COLOUR_FILES = (
    "class_dict.csv",
    "labelmap.txt",
    "label_map.txt",
    "label_map.csv",
    "label_colors.txt",
    "label_colors.csv",
    "label_colours.txt",
    "colors.txt",
)
CODING_NAME = "masks.json"  # written by `pdx split`: how the masks are to be read

_IMAGE_FOLDERS = ("images", "image", "imgs", "img", "jpegimages", "photos", "rgb", "inputs")
_MASK_FOLDERS = (
    *("masks", "mask", "labels", "label", "annotations", "annotation", "segmentationclass", "segmentations"),
    *("labelmaps", "groundtruth", "gt", "targets"),
)
_MASK_ENDS = ("annot", "_annot", "_annotations", "_labels", "_label", "_masks", "_mask", "_gt")
_VOC_MASKS = ("SegmentationClass", "SegmentationClassPNG", "SegmentationClassAug")
_IMAGE_NAME = re.compile(r"\.(?:jpe?g|png|bmp|webp|tiff?|gif)\b", re.IGNORECASE)
_PROBES = 30  # files of a folder that are looked at


# -- lists -----------------------------------------------------------------------------------------------------------
def pair_list(root: Path, split: str) -> Path | None:
    """The list of a split whose first line names two images."""
    path = list_file(root, split, IMAGE_SUFFIXES)
    return path if path is not None and _names_two(path) else None


def has_lists(root: Path) -> bool:
    return any(pair_list(root, split) is not None for split in SPLITS)


def _names_two(path: Path) -> bool:
    try:
        text = read_lines(path)[0][1]
    except DataError:
        return False
    return len(text.split()) > 1 or len(_IMAGE_NAME.findall(text)) > 1


# -- folders ---------------------------------------------------------------------------------------------------------
def mask_folders(root: Path, split: str | None) -> tuple[Path, Path] | None:
    """The folders with the images and with the masks of a split; of everything for None.

    images/train + masks/train, train/images + train/masks, train + train_labels, or images + masks.
    """
    children = _folders(root)
    if split is None:
        pair = _image_and_mask(children)
        return pair if pair and not any(_below(folder, name) for folder in pair for name in _all_words()) else None
    for word in SPLIT_WORDS[split]:
        pair = _image_and_mask(children)
        if pair is not None:
            inside = (_below(pair[0], word), _below(pair[1], word))
            if inside[0] and inside[1]:
                return inside[0], inside[1]
        if word in children:
            pair = _image_and_mask(_folders(children[word]))
            if pair is not None:
                return pair
        for images in (word, f"{word}_images"):
            for end in _MASK_ENDS:
                if images in children and word + end in children:
                    return children[images], children[word + end]
    return None


def has_folders(root: Path) -> bool:
    """Whether folders of images stand beside folders with masks in them, not with json or xml, and nothing else says
    which belong together.
    """
    if has_lists(root) or has_voc(root) or has_cityscapes(root):
        return False
    for split in (*SPLITS, None):
        pair = mask_folders(root, split)
        if pair is not None and _holds_masks(pair[1]) and next(walk_images(pair[0]), None) is not None:
            return True
    return False


def _image_and_mask(children: dict[str, Path]) -> tuple[Path, Path] | None:
    images = next((children[name] for name in _IMAGE_FOLDERS if name in children), None)
    masks = next((children[name] for name in _MASK_FOLDERS if name in children), None)
    return (images, masks) if images and masks else None


def _below(folder: Path, word: str) -> Path | None:
    return _folders(folder).get(word)


def _all_words() -> tuple[str, ...]:
    return tuple(word for words in SPLIT_WORDS.values() for word in words)


def _folders(folder: Path) -> dict[str, Path]:
    """The folders inside, by name in lower case."""
    try:
        return {child.name.lower(): child for child in sorted(folder.iterdir()) if child.is_dir()}
    except OSError:
        return {}


def _holds_masks(folder: Path) -> bool:
    """Images and little else: annotations/ may also hold the json or xml files of another task."""
    if next(walk_images(folder), None) is None:
        return False
    files = list(islice((child for child in folder.iterdir() if child.is_file()), _PROBES))
    return not files or sum(is_image_file(child) for child in files) * 2 >= len(files)


# -- VOC -------------------------------------------------------------------------------------------------------------
def voc_masks(root: Path) -> Path | None:
    return next((root / name for name in _VOC_MASKS if (root / name).is_dir()), None)


def voc_set(root: Path, split: str) -> Path | None:
    """ImageSets/Segmentation/<split>.txt."""
    folder = root / "ImageSets" / "Segmentation"
    return next((folder / f"{word}.txt" for word in SPLIT_WORDS[split] if (folder / f"{word}.txt").is_file()), None)


def voc_whole_set(root: Path) -> Path | None:
    """The only list of a dataset that nobody has divided, as CVAT exports it."""
    path = root / "ImageSets" / "Segmentation" / "default.txt"
    return path if path.is_file() else None


def has_voc(root: Path) -> bool:
    if voc_masks(root) is None or not (root / "JPEGImages").is_dir():
        return False
    return voc_whole_set(root) is not None or any(voc_set(root, split) is not None for split in SPLITS)


# -- Cityscapes ------------------------------------------------------------------------------------------------------
def cityscapes_folders(root: Path, split: str) -> tuple[Path, Path] | None:
    images, masks = root / "leftImg8bit" / split, root / "gtFine" / split
    return (images, masks) if images.is_dir() and masks.is_dir() else None


def has_cityscapes(root: Path) -> bool:
    return any(cityscapes_folders(root, split) is not None for split in SPLITS)


# -- LabelMe ---------------------------------------------------------------------------------------------------------
def has_labelme(root: Path) -> bool:
    """Lists of LabelMe files with polygons, or such files alone."""
    for split in SPLITS:
        path = list_file(root, split, ".json")
        if path is not None:
            base = image_root(root, Findings())
            names = [split_line(line, base)[-1] for _, line in read_lines(path)[:3]]
            return any(_has_polygons(base / name) for name in names)
    return any(_has_polygons(path) for path in labelme_files(root)[:3])


def _has_polygons(path: Path) -> bool:
    return path.is_file() and looks_like_labelme(path) and b'"polygon"' in path.read_bytes()
