"""What converters between formats of boxes, or of boxes with masks, share: the items of a dataset, and two writers."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs
import numpy as np

from pdx_core.data.copying import copy_files, divide_unsplit, free_name
from pdx_core.data.list_files import quoted
from pdx_core.data.reading import Format
from pdx_core.data.sample import Boxes
from pdx_core.errors import DataError
from pdx_core.files import write_json, write_text
from pdx_core.image_size import displayed_size
from pdx_det.readers.listing import Listing


@attrs.frozen(eq=False)
class Item:
    """One image: its file, its new path below the folder of images, its size, its boxes and what `BoxTable.masks` has
    for each of them."""

    source: Path
    path: str
    width: int
    height: int
    boxes: Boxes
    masks: Sequence[Any] = ()


Parts = dict[str, list[Item]]
# What an annotation of a COCO file says of the object in row `at` of an item beside its box: segmentation and area
Outline = Callable[[Item, int], Mapping[str, Any]]
# The shapes of a LabelMe file, given the names of the classes
Shapes = Callable[[Item, Sequence[str]], list[dict[str, Any]]]


def items_of(listing: Listing) -> Parts:
    """The images of each split, with names that are different from one another; one that has no val part gets one."""
    used: set[str] = set()
    parts: Parts = {}
    for name, split in listing.splits.items():
        parts[name] = []
        for at, picture in enumerate(split.pictures):
            path = split.image_path(picture)
            if not path.is_file():
                raise DataError(f"{path}: no such file; `pdx check` lists all of them")
            rows, masks = split.table.rows(at), split.table.masks
            own = () if masks is None else masks[rows]
            new = free_name(path, name, used)
            parts[name].append(Item(path, new, *displayed_size(path), split.table.boxes(at), own))
    return divide_unsplit(parts)


def copy_items(parts: Parts, folder: Path) -> dict[str, int]:
    """Copy the images below `folder`; returns how many each split has."""
    folder.mkdir(parents=True, exist_ok=True)
    copy_files([(item.source, folder / item.path) for part in parts.values() for item in part])
    return {split: len(part) for split, part in parts.items()}


def area_of_box(item: Item, at: int) -> dict[str, Any]:
    """An `Outline` for objects of which nothing but the box is known."""
    x1, y1, x2, y2 = item.boxes.xyxy[at].astype(np.float64).tolist()
    return {"area": short((x2 - x1) * (y2 - y1)), "segmentation": []}


def write_coco(
    source: Format, destination: Path, listing: Listing, parts: Parts, outline: Outline = area_of_box
) -> dict[str, int]:
    """images/ and annotations/instance_train.json, instance_val.json; ids count from 1 in the order of appearance."""
    image_id = annotation_id = 0
    contents: dict[str, dict[str, Any]] = {}
    categories = [
        {"id": number, "name": name, "supercategory": ""}
        for number, name in zip(listing.category_ids, listing.classes, strict=True)
    ]
    for split, items in parts.items():
        images, annotations = [], []
        for item in items:
            image_id += 1
            images.append({"id": image_id, "file_name": item.path, "width": item.width, "height": item.height})
            for at, (x1, y1, x2, y2) in enumerate(item.boxes.xyxy.astype(np.float64).tolist()):
                annotation_id += 1
                annotations.append(
                    {
                        "id": annotation_id,
                        "image_id": image_id,
                        "category_id": listing.category_ids[int(item.boxes.labels[at])],
                        "bbox": [short(value) for value in (x1, y1, x2 - x1, y2 - y1)],
                        "iscrowd": int(item.boxes.crowd[at]),
                        "ignore": 0,
                        **outline(item, at),
                    }
                )
        contents[split] = {"images": images, "annotations": annotations, "categories": categories}
    counts = copy_items(parts, destination / "images")
    for split, content in contents.items():
        write_json(destination / "annotations" / f"instance_{split}.json", content, indent=None)
    unlabeled = source.root / "unlabeled.txt"
    if unlabeled.is_file():
        shutil.copyfile(unlabeled, destination / "annotations" / unlabeled.name)
    return counts


def write_labelme(destination: Path, listing: Listing, parts: Parts, shapes: Shapes) -> dict[str, int]:
    """images/, annotations/*.json, train_anno_list.txt, val_anno_list.txt and labels.txt, as PaddleX takes them."""
    counts = copy_items(parts, destination / "images")
    for split, items in parts.items():
        lines = []
        for item in items:
            name = f"annotations/{Path(item.path).with_suffix('.json').as_posix()}"
            content = {
                "version": "5.0.1",
                "flags": {},
                "shapes": shapes(item, listing.classes),
                "imagePath": f"../images/{item.path}",
                "imageData": None,
                "imageHeight": item.height,
                "imageWidth": item.width,
            }
            write_text(destination / name, json.dumps(content, ensure_ascii=False, indent=2) + "\n")
            lines.append(f"{quoted(name)}\n")
        write_text(destination / f"{split}_anno_list.txt", "".join(lines))
    write_text(destination / "labels.txt", "".join(f"{name}\n" for name in listing.classes))
    return counts


def short(value: float) -> float:
    """Float32 coordinates without the digits that are not theirs."""
    return round(value, 3)
