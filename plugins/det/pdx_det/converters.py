"""Writes detection datasets in another format, copying the images."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import yaml

from pdx_core.data.findings import Findings
from pdx_core.data.list_files import quoted
from pdx_core.data.reading import Format
from pdx_core.data.sample import Boxes
from pdx_core.files import write_text
from pdx_det.conversion import Item, Parts, copy_items, items_of, short, write_coco, write_labelme
from pdx_det.readers.formats import scan_all
from pdx_det.readers.listing import Listing

logger = logging.getLogger(__name__)


def to_coco(source: Format, destination: Path) -> dict[str, int]:
    """images/ and annotations/instance_train.json, instance_val.json; ids count from 1 in the order of appearance."""
    return write_coco(source, destination, *_read(source))


def to_voc(source: Format, destination: Path) -> dict[str, int]:
    """JPEGImages/, Annotations/, train_list.txt, val_list.txt and labels.txt; crowds become difficult objects."""
    listing, parts = _read(source)
    counts = copy_items(parts, destination / "JPEGImages")
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
        counts.update(copy_items({split: items}, destination / "images" / split))
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
    return write_labelme(destination, *_read(source), _rectangles)


def _rectangles(item: Item, classes: Sequence[str]) -> list[dict[str, Any]]:
    return [
        {
            "label": classes[label],
            "points": [[short(x1), short(y1)], [short(x2), short(y2)]],
            "group_id": None,
            "shape_type": "rectangle",
            "flags": {},
        }
        for (x1, y1, x2, y2), label, _ in _rows(item.boxes)
    ]


def _read(source: Format) -> tuple[Listing, Parts]:
    """Everything a dataset holds, with names that are different from one another."""
    findings = Findings()
    listing = scan_all(source.spec.name, source.root, findings)
    findings.raise_errors(f"{source.root} cannot be converted before this is mended")
    return listing, items_of(listing)


def _rows(
    boxes: Boxes, limits: tuple[int, int] | None = None
) -> Iterator[tuple[tuple[float, float, float, float], int, bool]]:
    """Corners, label and crowd of each box; clipped to `limits` (width, height) where a format demands it."""
    xyxy = boxes.xyxy.astype(np.float64)
    if limits is not None:
        xyxy = np.clip(xyxy, 0, np.array([*limits, *limits]))
    yield from zip(map(tuple, xyxy.tolist()), boxes.labels.tolist(), boxes.crowd.tolist(), strict=True)


def _voc_text(item: Item, classes: tuple[str, ...]) -> str:
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
            add(box, key).text = f"{short(value):g}" if float(value).is_integer() else str(short(value))
    ElementTree.indent(tree)
    return ElementTree.tostring(tree, encoding="unicode") + "\n"
