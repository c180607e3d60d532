"""Reads COCO json files and finds what is wrong with them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from pdx_core.data.findings import Findings, Severity
from pdx_core.data.image_root import image_root
from pdx_core.data.list_files import SPLIT_WORDS, SPLITS
from pdx_core.data.paths import image_folder
from pdx_core.data.text_files import read_text
from pdx_core.errors import DataError
from pdx_det.readers.box_checks import BoxChecker, Place, read_numbers
from pdx_det.readers.coco_parts import read_categories, read_images, segmentation_problem
from pdx_det.readers.listing import BoxCollector, Listing, SplitListing
from pdx_det.readers_light import coco_file

MANY_BOXES = 1000  # the metric of COCO looks at the best 100 per class; nobody labels a thousand by hand


# From an annotation, whether it is a crowd, the image's width and height (0: unknown) and where it stands to what
# `BoxTable.masks` keeps and the area of the object, or to nothing when the annotation cannot be used
ReadMask = Callable[[dict[str, Any], bool, tuple[int, int], dict[str, str]], "tuple[Any, float] | None"]


def scan_coco(
    root: Path,
    findings: Findings,
    splits: Sequence[str] = SPLITS,
    bad_boxes: Severity = "error",
    read_mask: ReadMask | None = None,
) -> Listing:
    """Read the json files of the given splits; everything wrong becomes a finding and is left out.

    The classes are those of train, in the order of their ids, whichever splits are read.
    bad_boxes: severity of boxes that cannot be used
    read_mask: for tasks that need the segmentation of annotations; here it is only looked at
    """
    listing = Listing(root=root)
    contents = {}
    for split in splits:
        path = coco_file(root, split)
        if path is None:
            findings.add(
                "split-missing",
                f"there is no json for {split}",
                file=f"annotations/instance_{split}.json",
                fix=f"write annotations/instance_{split}.json, or divide the other file with `pdx split`",
            )
            continue
        content = load_coco(path, root, findings)
        if content is not None:
            contents[split] = (path, content)
    categories = _all_categories(root, contents, findings)
    listing.category_ids = tuple(sorted(categories))
    listing.classes = tuple(categories[number] for number in listing.category_ids)
    for split, (path, content) in contents.items():
        listing.splits[split] = _read_split(listing, split, path, content, findings, bad_boxes, read_mask)
    return listing


def load_coco(path: Path, root: Path, findings: Findings) -> dict[str, Any] | None:
    """The content of a file when it has the three lists COCO files consist of, else None after a finding."""
    name = path.relative_to(root).as_posix()
    try:
        text = read_text(path)
    except DataError as error:
        message = str(error).removeprefix(f"{path}: ").partition("; ")[0]  # file and advice are told beside it
        findings.add("json-unreadable", message, file=name, fix="save it as UTF-8 text")
        return None
    if not text.strip():
        findings.add("json-empty", "the file is empty", file=name, fix="export it again")
        return None
    try:
        content = json.loads(text)
    except json.JSONDecodeError as error:
        findings.add(
            "json-syntax",
            f"is not valid JSON: {error.msg}",
            file=name,
            location=f"line {error.lineno}, column {error.colno}",
            value=text[max(0, error.pos - 20) : error.pos + 20],
            fix="export it again, it may have been cut off",
        )
        return None
    except (RecursionError, ValueError) as error:  # nested without end; a number of thousands of digits
        findings.add("json-syntax", f"cannot be read as JSON: {error}", file=name, fix="export it again")
        return None
    if not isinstance(content, dict):
        findings.add(
            "json-not-an-object",
            f"must be an object with images, annotations and categories; it is a {type(content).__name__}",
            file=name,
            fix="export it in the COCO format",
        )
        return None
    good = True
    for key in ("images", "annotations", "categories"):
        if not isinstance(content.get(key), list):
            what = "is missing" if key not in content else f"is not a list but {type(content[key]).__name__}"
            findings.add(f"{key}-missing", f"{key!r} {what}", file=name, field=key, fix=f"add the list of {key}")
            good = False
    if good and not content["images"]:
        findings.add("images-empty", "lists no image", file=name, field="images", fix="add images, or split anew")
    return content if good else None


def _all_categories(root: Path, contents: dict[str, Any], findings: Findings) -> dict[int, str]:
    """id -> name. Where only val is read, train still decides."""
    known: dict[int, str] = {}
    order = [split for split in SPLITS if split in contents]
    if contents and "train" not in contents:
        path = coco_file(root, "train")
        train = load_coco(path, root, Findings()) if path is not None else None
        if train is not None:
            known = read_categories(train["categories"], "", Findings())
    for split in order:
        path, content = contents[split]
        name = path.relative_to(root).as_posix()
        found = read_categories(content["categories"], name, findings)
        if not known:
            known = found
        for number, label in found.items():
            if known.get(number) != label:
                findings.add(
                    "categories-differ",
                    f"category {number} is {label!r} here and {known.get(number, 'unknown')!r} in train",
                    file=name,
                    field="categories",
                    value=number,
                    fix="give both files the same categories",
                )
    return known


def _read_split(
    listing: Listing,
    split: str,
    path: Path,
    content: dict[str, Any],
    findings: Findings,
    bad_boxes: Severity,
    read_mask: ReadMask | None,
) -> SplitListing:
    root, name = listing.root, path.relative_to(listing.root).as_posix()
    pictures = read_images(content["images"], name, findings)
    elsewhere = image_root(root, findings)
    candidates = [elsewhere] if elsewhere != root else []
    candidates += [root / "images", root / "JPEGImages"]
    for word in SPLIT_WORDS[split]:
        candidates += [root / word, root / f"{word}2017", root / "images" / word, root / "images" / f"{word}2017"]
    folder = image_folder([*candidates, path.parent, root], [picture.path for picture in pictures])
    boxes = _read_annotations(listing, content, {picture.id: at for at, picture in enumerate(pictures)}, name,
                              pictures, findings, bad_boxes, read_mask)  # fmt: skip
    table = boxes.table(len(pictures))
    counts = table.starts[1:] - table.starts[:-1]
    for picture, count in zip(pictures, counts.tolist(), strict=True):
        place = {"file": name, "location": f"images[{picture.number}]", "value": picture.path}
        if not count:
            findings.warn(
                "image-without-boxes",
                f"{picture.path} has no annotation",
                fix="annotate it; leave it when nothing is on it",
                **place,
            )
        elif count > MANY_BOXES:
            findings.warn("many-boxes", f"{picture.path} has {count} annotations", fix="is this right?", **place)
    return SplitListing(source=name, image_root=folder, pictures=pictures, table=table)


def _read_annotations(
    listing: Listing,
    content: dict[str, Any],
    places: dict[Any, int],
    name: str,
    pictures: list,
    findings: Findings,
    bad_boxes: Severity,
    read_mask: ReadMask | None,
) -> BoxCollector:
    boxes, checker = BoxCollector(), BoxChecker(findings, bad_boxes)
    labels = {number: label for label, number in enumerate(listing.category_ids)}
    first_with_id: dict[int, int] = {}
    same: Counter[tuple] = Counter()
    for number, item in enumerate(content["annotations"]):
        place = {"file": name, "location": f"annotations[{number}]"}
        if not isinstance(item, dict):
            findings.add("annotation-not-an-object", "is not an object", value=item, fix="remove it", **place)
            continue
        own_id = _annotation_id(item, number, first_with_id, findings, place)
        at = _image_of(item, places, findings, place)
        label = _label_of(item, labels, findings, place)
        corners = read_numbers(item.get("bbox"), Place(name, place["location"], "bbox"), findings, bad_boxes)
        crowd = _crowd(item, findings, place)
        if at is None or label is None or corners is None:
            continue
        x, y, width, height = corners
        picture = pictures[at]
        xyxy = (x, y, x + width, y + height)
        if not checker.usable(
            xyxy, (picture.width, picture.height), Place(name, place["location"], "bbox"), item["bbox"]
        ):
            continue
        key = (at, label, *corners)
        same[key] += 1
        if same[key] == 2:
            findings.warn(
                "bbox-twice",
                "the same box with the same class stands on this image before",
                field="bbox",
                value=item["bbox"],
                fix="remove one of them",
                **place,
            )
        area = _area(item, width * height, findings, place)
        if read_mask is not None:
            mask = read_mask(item, crowd, (picture.width, picture.height), place)
            if mask is not None:
                boxes.add(at, xyxy, label, number=number, id=own_id, crowd=crowd,
                          area=mask[1] if area is None else area, mask=mask[0])  # fmt: skip
            continue
        if crowd and not item.get("segmentation"):
            findings.warn(
                "crowd-without-segmentation",
                "iscrowd is 1 but there is no segmentation",
                field="segmentation",
                value=item.get("segmentation"),
                fix="add the mask, or set iscrowd to 0",
                **place,
            )
        problem = segmentation_problem(item.get("segmentation"), crowd, (picture.width, picture.height))
        if problem:
            findings.warn("segmentation-odd", problem, field="segmentation", fix="correct it", **place)
        boxes.add(at, xyxy, label, number=number, id=own_id, crowd=crowd, area=area)
    checker.report_mix_ups()
    return boxes


def _annotation_id(
    item: dict, number: int, first: dict[int, int], findings: Findings, place: dict[str, str]
) -> int | None:
    own = item.get("id")
    if own is None:
        findings.warn("annotation-id-missing", "has no id", field="id", fix="number the annotations from 1", **place)
        return None
    if not isinstance(own, int) or isinstance(own, bool) or abs(own) >= 2**63:
        findings.add(
            "annotation-id-not-integer",
            f"the id {own!r} is not a whole number",
            field="id",
            value=own,
            fix="number the annotations from 1",
            **place,
        )
        return None
    if own in first:
        findings.add(
            "annotation-id-duplicate",
            f"the id {own} is that of annotations[{first[own]}] too",
            field="id",
            value=own,
            fix="number the annotations from 1",
            **place,
        )
    elif own == 0:
        findings.warn(
            "annotation-id-zero",
            "the id is 0, which the COCO tools take for `no match`; pdx does not",
            field="id",
            value=own,
            fix="number the annotations from 1",
            **place,
        )
    first.setdefault(own, number)
    return own


def _image_of(item: dict, places: dict[Any, int], findings: Findings, place: dict[str, str]) -> int | None:
    image_id = item.get("image_id")
    found = places.get(image_id) if isinstance(image_id, int) and not isinstance(image_id, bool) else None
    if found is None:
        fix = "correct it, or remove the annotation"
        if isinstance(image_id, str) and image_id.strip().isdigit() and int(image_id) in places:
            code, message, fix = "image-id-not-integer", "image_id is text", "write it without quotes"
        elif image_id is None:
            code, message = "image-id-missing", "has no image_id"
        else:
            code, message = "image-id-unknown", f"image_id {image_id!r} is not the id of any image"
        findings.add(code, message, field="image_id", value=image_id, fix=fix, **place)
    return found


def _label_of(item: dict, labels: dict[int, int], findings: Findings, place: dict[str, str]) -> int | None:
    category = item.get("category_id")
    found = labels.get(category) if isinstance(category, int) and not isinstance(category, bool) else None
    if found is not None:
        return found
    fix = f"use one of {', '.join(map(str, sorted(labels)[:20]))}"
    if isinstance(category, str):
        code, message = "category-id-not-integer", f"category_id is the text {category!r}"
    elif category is None:
        code, message = "category-id-missing", "has no category_id"
    else:
        code, message = "category-id-unknown", f"category_id {category!r} is not among the categories"
        if category == 0 and labels and min(labels) == 1:
            fix = "the categories count from 1 and the annotations from 0: add 1 to every category_id"
    findings.add(code, message, field="category_id", value=category, fix=fix, **place)
    return None


def _crowd(item: dict, findings: Findings, place: dict[str, str]) -> bool:
    value = item.get("iscrowd", 0)
    if value not in (0, 1):
        findings.add(
            "iscrowd-value", f"iscrowd is {value!r}", field="iscrowd", value=value, fix="write 0 or 1", **place
        )
    return value == 1


def _area(item: dict, of_box: float, findings: Findings, place: dict[str, str]) -> float | None:
    """The annotated area when it can be one; else None, and that of the box is taken."""
    area = item.get("area")
    if area is None:
        return None
    good = isinstance(area, (int, float)) and not isinstance(area, bool) and 0 < area < 1e14
    if not good or area > 1.1 * of_box + 2:
        findings.warn(
            "area-wrong",
            f"area is {area!r}, the box covers {of_box:g} pixels",
            field="area",
            value=area,
            fix="compute it anew",
            **place,
        )
    return float(area) if good else None
