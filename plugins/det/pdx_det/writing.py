"""Writes annotation files of a new division into train and val; the images stay where they are."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from pdx_core.data.image_root import IMAGE_ROOT_NAME
from pdx_core.data.list_files import list_file, quoted
from pdx_core.data.split import set_aside
from pdx_core.data.text_files import read_text
from pdx_core.files import write_json, write_text
from pdx_det.readers.listing import Listing, SplitListing
from pdx_det.readers_light import class_file, coco_file, image_set, yolo_yaml

Parts = Mapping[str, Sequence[tuple[SplitListing, int]]]


def write_coco_split(output: Path, listing: Listing, parts: Parts) -> None:
    """annotations/instance_train.json and instance_val.json with everything the old files say about their images.

    Image ids stay where they are unique over both files, else those of the second are shifted. Annotations are
    numbered from 1. In the dataset's own folder the files keep their names and the old ones become `.bak`.
    """
    in_place = output.resolve() == listing.root.resolve()
    folders = {split.image_root for split in listing.splits.values()}
    base = folders.pop() if len(folders) == 1 else listing.root
    sources = {id(split): _load(listing.root / split.source) for split in listing.splits.values()}
    shifts = _shifts(sources)
    written = {}
    for name, items in parts.items():
        images, annotations = [], []
        for split, at in items:
            content, picture = sources[id(split)], split.pictures[at]
            new_id = picture.id + shifts[id(split)]
            path = (split.image_root / picture.path).relative_to(base).as_posix()
            images.append({**content["images"][picture.number], "id": new_id, "file_name": path})
            for annotation in content["by_image"].get(picture.id, ()):
                annotations.append({**annotation, "id": len(annotations) + 1, "image_id": new_id})
        head = next(iter(sources.values()))["head"]
        written[name] = {**head, "images": images, "annotations": annotations}
    for name, content in written.items():
        path = (coco_file(output, name) if in_place else None) or output / "annotations" / f"instance_{name}.json"
        if in_place:
            set_aside(path)
        write_json(path, content, indent=None)
    if not in_place:
        write_text(output / IMAGE_ROOT_NAME, f"{base.resolve()}\n")
    elif base != listing.root and base.name not in ("images", "JPEGImages"):
        write_text(output / IMAGE_ROOT_NAME, f"{base.relative_to(listing.root).as_posix()}\n")


def write_lists_split(output: Path, listing: Listing, parts: Parts, pattern: str, suffix: str) -> None:
    """List files with `image annotation` per line, and labels.txt; see `write_coco_split` for where they go."""
    in_place = output.resolve() == listing.root.resolve()
    for name, items in parts.items():
        path = output / pattern.format(name)
        if in_place:
            path = list_file(output, name, suffix) or path
            for old in (path, image_set(output, name)):
                if old is not None:
                    set_aside(old)
        pictures = [split.pictures[at] for split, at in items]
        write_text(path, "".join(f"{quoted(p.path)} {quoted(p.annotation)}\n" for p in pictures))
    if not (in_place and class_file(output) is not None):
        write_text(output / "labels.txt", "".join(f"{name}\n" for name in listing.classes))
    if not in_place:
        base = next(iter(listing.splits.values())).image_root
        write_text(output / IMAGE_ROOT_NAME, f"{base.resolve()}\n")


def write_yolo_split(output: Path, listing: Listing, parts: Parts) -> None:
    """data.yaml with two lists of image paths; the label files are found beside the images as before."""
    in_place = output.resolve() == listing.root.resolve()
    for name, items in parts.items():
        path = output / f"{name}.txt"
        if in_place:
            set_aside(path)
        images = [split.image_path(split.pictures[at]).resolve() for split, at in items]
        write_text(path, "".join(f"{image.as_posix()}\n" for image in images))
    path = (yolo_yaml(output) if in_place else None) or output / "data.yaml"
    if in_place:
        set_aside(path)
    content = {"train": "train.txt", "val": "val.txt", "nc": len(listing.classes), "names": list(listing.classes)}
    write_text(path, yaml.safe_dump(content, allow_unicode=True, sort_keys=False))


def _load(path: Path) -> dict[str, Any]:
    """A file's lists, with the annotations by image."""
    content = json.loads(read_text(path))
    by_image: dict[Any, list[dict[str, Any]]] = {}
    for annotation in content["annotations"]:
        by_image.setdefault(annotation["image_id"], []).append(annotation)
    head = {key: value for key, value in content.items() if key not in ("images", "annotations")}
    return {"head": head, "images": content["images"], "by_image": by_image}


def _shifts(sources: Mapping[int, dict[str, Any]]) -> dict[int, int]:
    """What is added to the image ids of each file so that all differ."""
    shifts: dict[int, int] = {}
    used: set[int] = set()
    for key, content in sources.items():
        ids = {image["id"] for image in content["images"]}
        shifts[key] = max(used) + 1 - min(ids) if used & ids else 0
        used |= {number + shifts[key] for number in ids}
    return shifts
