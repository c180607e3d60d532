"""Reads LabelMe json files with polygons and finds what is wrong with them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pdx_core.data.findings import Findings
from pdx_core.data.labelme import image_side, labelme_files, labels_of, read_listed
from pdx_core.data.list_files import SPLITS, ListLine, list_file, read_list
from pdx_core.data.split import UNSPLIT
from pdx_seg.labels import IGNORE, MAX_CLASSES
from pdx_seg.readers.listing import Listing, Pair, Polygon, SplitListing
from pdx_seg.readers.opening import open_listing
from pdx_seg.readers_light import BACKGROUND, IGNORED

_CIRCLE_POINTS = 64
_TOLERANCE = 1.0  # pixels that a point may lie outside the image
_Contents = list[tuple[ListLine, dict[str, Any]]]


def scan_labelme(root: Path, findings: Findings, splits: Sequence[str] = SPLITS) -> Listing:
    """Read the json files of the given splits; everything wrong becomes a finding and is left out.

    Without a file of class names they are PaddleX's: `_background_` is class 0, `__ignore__` is not judged, and the
    others follow in the order in which they appear, in train before val. Without lists all files are one split called
    `all`, which `pdx split` divides.
    """
    listing = open_listing(root, findings)
    lists = {split: path for split in SPLITS if (path := list_file(root, split, ".json")) is not None}
    contents: dict[str, _Contents] = {}
    if not lists:
        if UNSPLIT not in splits:
            findings.add(
                "not-split",
                "LabelMe files without train and val lists",
                file=".",
                fix=f"divide them with: pdx split {root} --train 90 --val 10",
            )
        names = [path.relative_to(root).as_posix() for path in labelme_files(root)]
        lines = [ListLine(number, "", name, ".") for number, name in enumerate(names, 1)]
        contents[UNSPLIT] = read_listed(root, lines, findings)
        splits = (UNSPLIT,)
    for split, path in lists.items():  # all of them: the classes are those of the whole dataset
        told = findings if split in splits else Findings()
        contents[split] = read_listed(listing.base, read_list(path, root, listing.base, told), told)
    for split in splits:
        if split not in contents:
            findings.add(
                "split-missing",
                f"there is no list for {split}, or it is empty",
                file=f"{split}_anno_list.txt",
                fix=f"write {split}_anno_list.txt with one json per line, or divide the other list with `pdx split`",
            )
    _settle_classes(listing, contents, findings)
    for split in splits:
        if split in contents:
            source = lists[split].name if split in lists else "."
            pairs = [_pair(listing, line, content, findings) for line, content in contents[split]]
            listing.splits[split] = SplitListing(source=source, pairs=pairs)
    return listing


def draw_polygons(polygons: Sequence[Polygon], width: int, height: int) -> np.ndarray:
    """uint8 [H, W]: class 0 where nothing is drawn, later polygons over earlier ones; as Pillow fills them."""
    from PIL import Image, ImageDraw

    picture = Image.new("L", (width, height), 0)
    draw = ImageDraw.Draw(picture)
    for polygon in polygons:
        draw.polygon([(x, y) for x, y in polygon.points.tolist()], fill=polygon.label, outline=polygon.label)
    return np.array(picture)


def _settle_classes(listing: Listing, contents: dict[str, _Contents], findings: Findings) -> None:
    """The background is class 0 even where the file of names leaves it out: unpainted pixels need a class."""
    names = listing.classes
    if names is None:
        names = tuple(dict.fromkeys(
            label for part in contents.values() for _, content in part for label in labels_of(content)
        ))  # fmt: skip
    first = next((name for name in names if name.lower() in (BACKGROUND, "background")), BACKGROUND)
    listing.set_classes((first, *(name for name in names if name not in (first, IGNORED))), listing.class_file)
    if len(listing.classes or ()) > MAX_CLASSES:
        findings.add("too-many-classes", f"there are {len(listing.classes or ())} labels; a mask holds at most "
                     f"{MAX_CLASSES} classes", file=".", fix="merge some of them")  # fmt: skip
        listing.set_classes(listing.classes[:MAX_CLASSES], listing.class_file)


def _pair(listing: Listing, line: ListLine, content: dict[str, Any], findings: Findings) -> Pair:
    indices = {name: number for number, name in enumerate(listing.classes or ())}
    indices[IGNORED] = IGNORE
    indices[BACKGROUND] = 0
    width, height = (image_side(content, key, line.annotation, findings) for key in ("imageWidth", "imageHeight"))
    polygons, names = [], listing.class_file or "labels.txt"
    for number, shape in enumerate(content["shapes"]):
        place = {"file": line.annotation, "location": f"shapes[{number}]"}
        label = shape.get("label") if isinstance(shape, dict) else None
        if not isinstance(label, str) or label not in indices:
            findings.add("class-unknown", f"the label {label!r} is not one of the {len(indices) - 1} classes",
                         field="label", value=label, fix=f"correct it, or add it to {names}", **place)  # fmt: skip
            continue
        points = _outline(shape, place, findings)
        if points is None:
            continue
        if width and height and not _inside(points, width, height, place, findings):
            continue
        polygons.append(Polygon(points, indices[label]))
    if not content["shapes"]:
        findings.warn("image-without-shapes", f"{line.image} has no shape: all of it is {listing.classes[0]!r}",
                      file=line.annotation, value=line.image,
                      fix="annotate it; leave it when nothing is on it")  # fmt: skip
    return Pair(line.image, line.annotation, line.number, tuple(polygons), (width, height))


def _outline(shape: dict[str, Any], place: dict[str, str], findings: Findings) -> np.ndarray | None:
    """float64 [n, 2]: the corners of a polygon, rectangle or circle; None after a finding."""
    kind, points = shape.get("shape_type") or "polygon", shape.get("points")
    wanted = {"polygon": range(3, 1_000_000), "rectangle": (2, 4), "circle": (2,)}.get(kind)
    if wanted is None:
        findings.add("shape-not-area", f"is a {kind}, which covers no area", field="shape_type", value=kind,
                     fix="draw a polygon", **place)  # fmt: skip
        return None
    if not isinstance(points, list) or not all(_is_point(point) for point in points):
        findings.add("polygon-points", "its points are not pairs of numbers", field="points", value=points,
                     fix="draw it again", **place)  # fmt: skip
        return None
    if len(points) not in wanted:
        needs = {"polygon": "at least three", "rectangle": "two or four", "circle": "two"}[kind]
        findings.add("polygon-points", f"has {len(points)} points; a {kind} needs {needs}", field="points",
                     value=points, fix="draw it again, or remove it", **place)  # fmt: skip
        return None
    corners = np.array(points, np.float64).reshape(-1, 2)
    if kind == "rectangle" and len(corners) == 2:
        (x1, y1), (x2, y2) = corners
        return np.array([(x1, y1), (x2, y1), (x2, y2), (x1, y2)])
    if kind == "circle":
        angles = np.linspace(0, 2 * np.pi, _CIRCLE_POINTS, endpoint=False)
        radius = float(np.hypot(*(corners[1] - corners[0])))
        return corners[0] + radius * np.column_stack([np.cos(angles), np.sin(angles)])
    return corners


def _inside(points: np.ndarray, width: int, height: int, place: dict[str, str], findings: Findings) -> bool:
    low, high = points.min(axis=0), points.max(axis=0)
    if high[0] < 0 or high[1] < 0 or low[0] >= width or low[1] >= height:
        findings.add("polygon-outside", f"lies outside the image of {width} x {height} pixels", field="points",
                     value=points.round(1).tolist(), fix="draw it again, or remove it", **place)  # fmt: skip
        return False
    excess = max(-low.min(), high[0] - width, high[1] - height)
    if excess > _TOLERANCE:
        findings.warn("polygon-partly-outside", f"reaches {excess:.1f} pixels beyond the image of {width} x {height} "
                      "pixels", field="points", fix="correct it; what is outside is cut off", **place)  # fmt: skip
    return True


def _is_point(point: Any) -> bool:
    return (
        isinstance(point, list)
        and len(point) == 2
        and all(
            isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value) for value in point
        )
        and max(map(abs, point)) < 1e7
    )
