"""Reads LabelMe json files with rectangles and finds what is wrong with them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import attrs

from pdx_core.data.class_names import read_class_names
from pdx_core.data.findings import Findings, Severity
from pdx_core.data.image_root import image_root
from pdx_core.data.labelme import image_side, labelme_files, labels_of, read_listed
from pdx_core.data.list_files import SPLITS, ListLine, list_file, read_list
from pdx_core.data.split import UNSPLIT
from pdx_det.readers.box_checks import BoxChecker, Corners, Place, read_numbers
from pdx_det.readers.listing import BoxCollector, Listing, Picture, SplitListing
from pdx_det.readers_light import class_file


@attrs.frozen(eq=False)
class Drawn:
    """An object made of shapes: its label, its box, what `BoxTable.masks` keeps of it, and the first shape's number."""

    number: int
    label: str
    xyxy: Corners
    mask: Any = None
    area: float | None = None


# From the shapes whose label is known, with their numbers, the image's width and height (0: unknown), the file as users
# know it, the findings and the severity of what cannot be used to objects
ReadShapes = Callable[[Sequence[tuple[int, dict[str, Any]]], tuple[int, int], str, Findings, Severity], Iterator[Drawn]]


def rectangles(
    shapes: Sequence[tuple[int, dict[str, Any]]],
    size: tuple[int, int],
    file: str,
    findings: Findings,
    severity: Severity,
) -> Iterator[Drawn]:
    """Every rectangle is an object."""
    for number, shape in shapes:
        xyxy = read_rectangle(shape, {"file": file, "location": f"shapes[{number}]"}, findings, severity)
        if xyxy is not None:
            yield Drawn(number, shape["label"], xyxy)


def scan_labelme(
    root: Path,
    findings: Findings,
    splits: Sequence[str] = SPLITS,
    bad_boxes: Severity = "error",
    read_shapes: ReadShapes = rectangles,
) -> Listing:
    """Read the json files of the given splits; everything wrong becomes a finding and is left out.

    A folder without lists is one split called `all`, which `pdx split` divides.
    read_shapes: what the shapes mean
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
    contents = {split: read_listed(base, lines, findings) for split, (_, lines) in files.items()}
    names = read_class_names(class_file(root), findings)
    if names is None:
        deciding = contents.get("train") or contents.get(UNSPLIT)
        if deciding is None and "train" in lists:
            deciding = read_listed(base, read_list(lists["train"], root, base, Findings()), Findings())
        names = tuple(dict.fromkeys(label for _, content in deciding or () for label in labels_of(content)))
    listing.classes, listing.category_ids = names, tuple(range(1, len(names) + 1))
    for split, (source, _) in files.items():
        listing.splits[split] = _build(listing, base, source, contents[split], findings, bad_boxes, read_shapes)
    return listing


def _build(
    listing: Listing,
    base: Path,
    source: str,
    items: list[tuple[ListLine, dict[str, Any]]],
    findings: Findings,
    bad_boxes: Severity,
    read_shapes: ReadShapes,
) -> SplitListing:
    labels = {name: label for label, name in enumerate(listing.classes)}
    pictures: list[Picture] = []
    boxes, checker = BoxCollector(), BoxChecker(findings, bad_boxes)
    for line, content in items:
        at = len(pictures)
        sides = [image_side(content, key, line.annotation, findings) for key in ("imageWidth", "imageHeight")]
        pictures.append(Picture(line.image, at + 1, sides[0], sides[1], line.number, line.annotation))
        shapes = []
        for number, shape in enumerate(content["shapes"]):
            label = shape.get("label") if isinstance(shape, dict) else None
            if isinstance(label, str) and label in labels:
                shapes.append((number, shape))
                continue
            findings.add("class-unknown", f"the label {label!r} is not one of the {len(labels)} classes",
                         file=line.annotation, location=f"shapes[{number}]", field="label", value=label,
                         fix="correct it, or add it to labels.txt")  # fmt: skip
        for drawn in read_shapes(shapes, (sides[0], sides[1]), line.annotation, findings, bad_boxes):
            where = Place(line.annotation, f"shapes[{drawn.number}]", "points")
            if checker.usable(drawn.xyxy, (sides[0], sides[1]), where):
                boxes.add(at, drawn.xyxy, labels[drawn.label], number=drawn.number, area=drawn.area, mask=drawn.mask)
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


def read_rectangle(
    shape: dict[str, Any], place: dict[str, str], findings: Findings, bad_boxes: Severity
) -> Corners | None:
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
