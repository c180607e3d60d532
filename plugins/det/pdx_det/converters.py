"""Writes detection datasets in another format, copying the images."""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import attrs
import numpy as np
import yaml

from pdx_core.data.copying import copy_files, divide_unsplit, free_name
from pdx_core.data.findings import Findings
from pdx_core.data.list_files import quoted
from pdx_core.data.reading import Format
from pdx_core.data.sample import Boxes
from pdx_core.errors import DataError
from pdx_core.files import write_json, write_text
from pdx_core.image_size import displayed_size
from pdx_det.readers.formats import scan_all
from pdx_det.readers.listing import Listing

logger = logging.getLogger(__name__)


@attrs.frozen(eq=False)
class _Item:
    """One image: its file, its new path below the folder of images, its size and its boxes."""

    source: Path
    path: str
    width: int
    height: int
    boxes: Boxes


def to_coco(source: Format, destination: Path) -> dict[str, int]:
    """images/ and annotations/instance_train.json, instance_val.json; ids count from 1 in the order of appearance."""
    listing, parts = _read(source)
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
            for (x1, y1, x2, y2), label, crowd in _rows(item.boxes):
                annotation_id += 1
                width, height = x2 - x1, y2 - y1
                annotations.append(
                    {
                        "id": annotation_id,
                        "image_id": image_id,
                        "category_id": listing.category_ids[label],
                        "bbox": [_short(value) for value in (x1, y1, width, height)],
                        "area": _short(width * height),
                        "iscrowd": int(crowd),
                        "ignore": 0,
                        "segmentation": [],
                    }
                )
        contents[split] = {"images": images, "annotations": annotations, "categories": categories}
    counts = _copy(parts, destination / "images")
    for split, content in contents.items():
        write_json(destination / "annotations" / f"instance_{split}.json", content, indent=None)
    unlabeled = source.root / "unlabeled.txt"
    if unlabeled.is_file():
        shutil.copyfile(unlabeled, destination / "annotations" / unlabeled.name)
    return counts


def to_voc(source: Format, destination: Path) -> dict[str, int]:
    """JPEGImages/, Annotations/, train_list.txt, val_list.txt and labels.txt; crowds become difficult objects."""
    listing, parts = _read(source)
    counts = _copy(parts, destination / "JPEGImages")
    for split, items in parts.items():
        lines = []
        for item in items:
            xml = str(Path(item.path).with_suffix(".xml").as_posix())
            write_text(destination / "Annotations" / xml, _voc_text(item, listing.classes))
            lines.append(f"{quoted(f'JPEGImages/{item.path}')} {quoted(f'Annotations/{xml}')}\n")
        write_text(destination / f"{split}_list.txt", "".join(lines))
    write_text(destination / "labels.txt", "".join(f"{name}\n" for name in listing.classes))
    return counts


def to_yolo(source: Format, destination: Path) -> dict[str, int]:
    """images/<split>/, labels/<split>/ and data.yaml. YOLO knows no crowds: they are left out."""
    listing, parts = _read(source)
    counts, crowds = {}, 0
    for split, items in parts.items():
        counts.update(_copy({split: items}, destination / "images" / split))
        for item in items:
            crowds += int(item.boxes.crowd.sum())
            text = "".join(
                f"{label} {(x1 + x2) / 2 / item.width:.6f} {(y1 + y2) / 2 / item.height:.6f} "
                f"{(x2 - x1) / item.width:.6f} {(y2 - y1) / item.height:.6f}\n"
                for (x1, y1, x2, y2), label, crowd in _rows(item.boxes, (item.width, item.height))
                if not crowd
            )
            write_text(destination / "labels" / split / Path(item.path).with_suffix(".txt"), text)
    if crowds:
        logger.warning("%d crowd boxes were left out: YOLO files have none", crowds)
    content = {split: f"images/{split}" for split in parts}
    content.update(nc=len(listing.classes), names=list(listing.classes))
    write_text(destination / "data.yaml", yaml.safe_dump(content, allow_unicode=True, sort_keys=False))
    return counts


def to_labelme(source: Format, destination: Path) -> dict[str, int]:
    """images/, annotations/*.json, train_anno_list.txt, val_anno_list.txt and labels.txt, as PaddleX takes them."""
    listing, parts = _read(source)
    counts = _copy(parts, destination / "images")
    for split, items in parts.items():
        lines = []
        for item in items:
            name = f"annotations/{Path(item.path).with_suffix('.json').as_posix()}"
            content = {
                "version": "5.0.1",
                "flags": {},
                "shapes": [
                    {
                        "label": listing.classes[label],
                        "points": [[_short(x1), _short(y1)], [_short(x2), _short(y2)]],
                        "group_id": None,
                        "shape_type": "rectangle",
                        "flags": {},
                    }
                    for (x1, y1, x2, y2), label, _ in _rows(item.boxes)
                ],
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


def _read(source: Format) -> tuple[Listing, dict[str, list[_Item]]]:
    """Everything a dataset holds, with names that are different from one another."""
    findings = Findings()
    listing = scan_all(source.spec.name, source.root, findings)
    findings.raise_errors(f"{source.root} cannot be converted before this is mended")
    used: set[str] = set()
    parts: dict[str, list[_Item]] = {}
    for name, split in listing.splits.items():
        parts[name] = []
        for at, picture in enumerate(split.pictures):
            path = split.image_path(picture)
            if not path.is_file():
                raise DataError(f"{path}: no such file; `pdx check` lists all of them")
            size = displayed_size(path)
            parts[name].append(_Item(path, free_name(path, name, used), *size, split.table.boxes(at)))
    return listing, divide_unsplit(parts)


def _rows(
    boxes: Boxes, limits: tuple[int, int] | None = None
) -> Iterator[tuple[tuple[float, float, float, float], int, bool]]:
    """Corners, label and crowd of each box; clipped to `limits` (width, height) where a format demands it."""
    xyxy = boxes.xyxy.astype(np.float64)
    if limits is not None:
        xyxy = np.clip(xyxy, 0, np.array([*limits, *limits]))
    yield from zip(map(tuple, xyxy.tolist()), boxes.labels.tolist(), boxes.crowd.tolist(), strict=True)


def _copy(parts: dict[str, list[_Item]], folder: Path) -> dict[str, int]:
    folder.mkdir(parents=True, exist_ok=True)
    copy_files([(item.source, folder / item.path) for part in parts.values() for item in part])
    return {split: len(part) for split, part in parts.items()}


def _voc_text(item: _Item, classes: tuple[str, ...]) -> str:
    tree = ElementTree.Element("annotation")
    add: Callable[..., ElementTree.Element] = ElementTree.SubElement
    add(tree, "filename").text = item.path
    size = add(tree, "size")
    for key, value in (("width", item.width), ("height", item.height), ("depth", 3)):
        add(size, key).text = str(value)
    for (corners, label, crowd), difficult in zip(_rows(item.boxes), item.boxes.difficult.tolist(), strict=True):
        element = add(tree, "object")
        add(element, "name").text = classes[label]
        add(element, "difficult").text = str(int(difficult or crowd))
        box = add(element, "bndbox")
        for key, value in zip(("xmin", "ymin", "xmax", "ymax"), corners, strict=True):
            add(box, key).text = f"{_short(value):g}" if float(value).is_integer() else str(_short(value))
    ElementTree.indent(tree)
    return ElementTree.tostring(tree, encoding="unicode") + "\n"


def _short(value: float) -> float:
    """Float32 coordinates without the digits that are not theirs."""
    return round(value, 3)
