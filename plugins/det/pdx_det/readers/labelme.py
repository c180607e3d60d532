"""Reads LabelMe json files with rectangles and finds what is wrong with them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import attrs

from pdx_core.data.findings import Findings, Severity
from pdx_core.data.image_root import image_root
from pdx_core.data.text_files import read_text
from pdx_core.errors import DataError
from pdx_det.readers.box_checks import BoxChecker, Place, read_numbers
from pdx_det.readers.class_names import read_class_file
from pdx_det.readers.listing import UNSPLIT, BoxCollector, Listing, Picture, SplitListing
from pdx_det.readers.lists import ListLine, read_list
from pdx_det.readers.paths import path_problem
from pdx_det.readers_light import SPLITS, labelme_files, list_file


def scan_labelme(
    root: Path, findings: Findings, splits: Sequence[str] = SPLITS, bad_boxes: Severity = "error"
) -> Listing:
    """Read the json files of the given splits; everything wrong becomes a finding and is left out.

    A folder without lists is one split called `all`, which `pdx split` divides.
    """
    listing = Listing(root=root)
    base = image_root(root, findings)
    lists = {split: path for split in SPLITS if (path := list_file(root, split, ".json")) is not None}
    files: dict[str, tuple[str, list[ListLine]]] = {}
    if not lists:
        if UNSPLIT not in splits:
            findings.add(
                "not-split",
                "LabelMe files without train and val lists",
                file=".",
                fix=f"divide them with: pdx split {root} --train 90 --val 10",
            )
        names = [path.relative_to(root).as_posix() for path in labelme_files(root)]
        files[UNSPLIT] = (".", [ListLine(number, "", name, ".") for number, name in enumerate(names, 1)])
    for split in splits if lists else ():
        if split not in lists:
            findings.add(
                "split-missing",
                f"there is no list for {split}, or it is empty",
                file=f"{split}_anno_list.txt",
                fix=f"write {split}_anno_list.txt with one json per line, or divide the other list with `pdx split`",
            )
            continue
        files[split] = (lists[split].name, read_list(lists[split], root, base, findings))
    contents = {split: _read_all(base, lines, findings) for split, (_, lines) in files.items()}
    names = read_class_file(root, findings)
    if names is None:
        deciding = contents.get("train") or contents.get(UNSPLIT)
        if deciding is None and "train" in lists:
            deciding = _read_all(base, read_list(lists["train"], root, base, Findings()), Findings())
        names = tuple(dict.fromkeys(label for _, content in deciding or () for label in _labels(content)))
    listing.classes, listing.category_ids = names, tuple(range(1, len(names) + 1))
    for split, (source, _) in files.items():
        listing.splits[split] = _build(listing, base, source, contents[split], findings, bad_boxes)
    return listing


def read_labelme(path: Path, name: str, findings: Findings) -> dict[str, Any] | None:
    """The content of one file without its embedded image, or None after a finding."""
    try:
        content = json.loads(read_text(path))
    except DataError as error:
        findings.add("annotation-missing", str(error), file=name, fix="correct the list, or save the file as UTF-8")
        return None
    except json.JSONDecodeError as error:
        findings.add("json-syntax", f"is not valid JSON: {error.msg}", file=name,
                     location=f"line {error.lineno}, column {error.colno}", fix="export it again")  # fmt: skip
        return None
    except (RecursionError, ValueError) as error:
        findings.add("json-syntax", f"cannot be read as JSON: {error}", file=name, fix="export it again")
        return None
    if not isinstance(content, dict) or not isinstance(content.get("shapes"), list):
        findings.add("labelme-shapes", "has no list of shapes", file=name, field="shapes", fix="export it from LabelMe")
        return None
    content.pop("imageData", None)
    return content


def _read_all(root: Path, lines: list[ListLine], findings: Findings) -> list[tuple[ListLine, dict[str, Any]]]:
    found = []
    for line in lines:
        content = read_labelme(root / line.annotation, line.annotation, findings)
        if content is None:
            continue
        if not line.image:
            line = attrs.evolve(line, image=_image_named(root, line, content, findings))
        if line.image:
            found.append((line, content))
    return found


def _image_named(root: Path, line: ListLine, content: dict[str, Any], findings: Findings) -> str:
    written = content.get("imagePath")
    name = str(written or "").replace("\\", "/").rsplit("/", 1)[-1]
    if not name or path_problem(name):
        findings.add("file-name-missing", "does not name its image", file=line.annotation, field="imagePath",
                     value=written, fix="write the name of the image file")  # fmt: skip
        return ""
    for folder in ("images", "JPEGImages", str(Path(line.annotation).parent)):
        if (root / folder / name).is_file():
            return (Path(folder) / name).as_posix()
    return f"images/{name}"


def _labels(content: dict[str, Any]) -> list[str]:
    return [shape["label"] for shape in content["shapes"]
            if isinstance(shape, dict) and isinstance(shape.get("label"), str) and shape["label"]]  # fmt: skip


def _build(
    listing: Listing,
    base: Path,
    source: str,
    items: list[tuple[ListLine, dict[str, Any]]],
    findings: Findings,
    bad_boxes: Severity,
) -> SplitListing:
    labels = {name: label for label, name in enumerate(listing.classes)}
    pictures: list[Picture] = []
    boxes, checker = BoxCollector(), BoxChecker(findings, bad_boxes)
    for line, content in items:
        at = len(pictures)
        sides = [_side(content, key, line.annotation, findings) for key in ("imageWidth", "imageHeight")]
        pictures.append(Picture(line.image, at + 1, sides[0], sides[1], line.number, line.annotation))
        for number, shape in enumerate(content["shapes"]):
            place = {"file": line.annotation, "location": f"shapes[{number}]"}
            label = shape.get("label") if isinstance(shape, dict) else None
            if not isinstance(label, str) or label not in labels:
                findings.add("class-unknown", f"the label {label!r} is not one of the {len(labels)} classes",
                             field="label", value=label, fix="correct it, or add it to labels.txt",
                             **place)  # fmt: skip
                continue
            xyxy = _rectangle(shape, place, findings, bad_boxes)
            if xyxy is None:
                continue
            where = Place(line.annotation, place["location"], "points")
            if checker.usable(xyxy, (sides[0], sides[1]), where):
                boxes.add(at, xyxy, label=labels[label], number=number)
        if not content["shapes"]:
            findings.warn("image-without-boxes", f"{line.image} has no shape", file=line.annotation, value=line.image,
                          fix="annotate it; leave it when nothing is on it")  # fmt: skip
    checker.report_mix_ups()
    return SplitListing(
        source=source,
        image_root=base,
        pictures=pictures,
        table=boxes.table(len(pictures)),
        picture_place="line {}",
        box_place="shapes[{}]",
    )


def _rectangle(
    shape: dict[str, Any], place: dict[str, str], findings: Findings, bad_boxes: Severity
) -> tuple[float, float, float, float] | None:
    """The corners of a rectangle, in whatever order it was drawn."""
    kind, points = shape.get("shape_type", "rectangle"), shape.get("points")
    if kind != "rectangle":
        findings.add("shape-not-rectangle", f"is a {kind}, not a rectangle", field="shape_type", value=kind,
                     fix="draw a rectangle", **place)  # fmt: skip
        return None
    # LabelMe 5.5 writes all four corners, older ones two opposite ones
    good = isinstance(points, list) and len(points) in (2, 4)
    if not good or not all(isinstance(point, list) and len(point) == 2 for point in points):
        findings.add("bbox-length", "a rectangle needs two points of two numbers", field="points", value=points,
                     severity=bad_boxes, fix="draw it again", **place)  # fmt: skip
        return None
    opposite = [*points[0], *points[len(points) // 2]]
    values = read_numbers(opposite, Place(place["file"], place["location"], "points"), findings, bad_boxes)
    if values is None:
        return None
    x1, y1, x2, y2 = values
    return min(x1, x2), min(y1, y2), max(x1, x2), max(y1, y2)


def _side(content: dict[str, Any], key: str, name: str, findings: Findings) -> int:
    value = content.get(key)
    if value is None:
        findings.warn("image-size-missing", f"has no {key}", file=name, field=key, fix="add it")
        return 0
    if not isinstance(value, int) or isinstance(value, bool) or not 0 < value < 1_000_000:
        findings.add("image-size-invalid", f"{key} is {value!r}", file=name, field=key, value=value,
                     fix="write the size of the image in pixels")  # fmt: skip
        return 0
    return value
