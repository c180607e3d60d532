"""Reads Pascal VOC xml files and finds what is wrong with them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from xml.etree.ElementTree import Element

import attrs

from pdx_core.data.class_names import read_class_names
from pdx_core.data.findings import Findings, Severity
from pdx_core.data.image_root import image_root
from pdx_core.data.list_files import SPLITS, ListLine, list_file, read_list
from pdx_core.data.paths import by_stem, path_problem
from pdx_core.data.text_files import read_lines
from pdx_core.errors import DataError
from pdx_det.readers.box_checks import BoxChecker, Place, read_numbers
from pdx_det.readers.listing import BoxCollector, Listing, Picture, SplitListing
from pdx_det.readers.xml_tree import XmlError, parse_xml
from pdx_det.readers_light import class_file, image_set

_CORNERS = ("xmin", "ymin", "xmax", "ymax")


@attrs.frozen
class XmlObject:
    """One <object>; corners as written, or None where they are no numbers."""

    name: str
    corners: tuple[float, float, float, float] | None
    difficult: bool
    number: int


@attrs.frozen
class XmlAnnotation:
    """What one xml says. width and height are 0 where it does not say them."""

    file_name: str
    width: int
    height: int
    objects: list[XmlObject]


def scan_voc(
    root: Path,
    findings: Findings,
    splits: Sequence[str] = SPLITS,
    bad_boxes: Severity = "error",
    one_based: bool = False,
) -> Listing:
    """Read lists and xml files of the given splits; everything wrong becomes a finding and is left out.

    Classes are those of labels.txt, else the names in train in the order in which they appear.
    one_based: pixels are counted from 1 and the second corner is the last pixel inside, as in the original VOC data
    """
    listing = Listing(root=root)
    base = image_root(root, findings)
    files: dict[str, tuple[str, list[tuple[ListLine, XmlAnnotation]]]] = {}
    for split in splits:
        found = _lines(root, base, split, findings)
        if found is not None:
            source, lines = found
            files[split] = (source, _read_all(base, lines, findings))
    names = read_class_names(class_file(root), findings)
    if names is None:
        train = files.get("train")
        if train is None and (other := _lines(root, base, "train", Findings())) is not None:
            train = (other[0], _read_all(base, other[1], Findings()))
        used = train or next(iter(files.values()), ("", []))
        names = tuple(dict.fromkeys(item.name for _, xml in used[1] for item in xml.objects if item.name))
    listing.classes, listing.category_ids = names, tuple(range(1, len(names) + 1))
    for split, (source, items) in files.items():
        listing.splits[split] = _build(listing, base, source, items, findings, bad_boxes, one_based)
    _report_counting(listing, findings, one_based)
    return listing


def read_xml(path: Path, name: str, findings: Findings) -> XmlAnnotation | None:
    """The content of one file, or None after a finding. name: the file as users know it."""
    try:
        tree = parse_xml(path.read_bytes())
    except OSError as error:
        findings.add(
            "annotation-missing", f"cannot be read: {error.strerror or error}", file=name, fix="correct the list"
        )
        return None
    except XmlError as error:
        findings.add(
            error.code, str(error), file=name, location=error.place, fix="export it again as UTF-8 xml without DOCTYPE"
        )
        return None
    width, height = (_side(tree, key, name, findings) for key in ("width", "height"))
    if tree.find("size") is None:
        findings.warn("xml-size-missing", "has no <size>", file=name, field="size", fix="add width and height")
    objects = [_object(element, number, name, findings) for number, element in enumerate(tree.findall("object"))]
    return XmlAnnotation(_text(tree, "filename"), width, height, [item for item in objects if item is not None])


def _lines(root: Path, base: Path, split: str, findings: Findings) -> tuple[str, list[ListLine]] | None:
    """The list of a split and its lines, each with the image and the xml it names."""
    path = list_file(root, split, ".xml")
    if path is not None:
        return path.name, read_list(path, root, base, findings)
    path = image_set(root, split)
    if path is None:
        findings.add(
            "split-missing",
            f"there is no list for {split}, or it is empty",
            file=f"{split}_list.txt",
            fix=f"write {split}_list.txt with `image xml` per line, or divide the other list with `pdx split`",
        )
        return None
    name = path.relative_to(root).as_posix()
    try:
        stems = [(number, text.split()[0]) for number, text in read_lines(path)]
    except DataError as error:
        findings.add("list-unreadable", str(error), file=name, fix="save it as UTF-8 text")
        return None
    images = root / "JPEGImages"
    lines = []
    for number, stem in stems:
        if path_problem(stem):
            place = {"file": name, "location": f"line {number}", "value": stem}
            findings.add("path-outside-dataset", path_problem(stem), fix="write the name of an image", **place)
            continue
        lines.append(ListLine(number, f"JPEGImages/{by_stem(images, stem)}", f"Annotations/{stem}.xml", name))
    return name, lines


def _read_all(root: Path, lines: list[ListLine], findings: Findings) -> list[tuple[ListLine, XmlAnnotation]]:
    found = []
    for line in lines:
        xml = read_xml(root / line.annotation, line.annotation, findings)
        if xml is None:
            continue
        if not line.image:  # a list of annotations only: the xml names its image
            line = attrs.evolve(line, image=_image_named(root, line, xml, findings))
        elif xml.file_name and Path(xml.file_name.replace("\\", "/")).stem != Path(line.image).stem:
            findings.warn(
                "xml-of-another-image",
                f"is listed for {line.image} and says it describes {xml.file_name!r}",
                file=line.annotation,
                field="filename",
                value=xml.file_name,
                fix="correct the list or the file",
            )
        if line.image:
            found.append((line, xml))
    return found


def _image_named(root: Path, line: ListLine, xml: XmlAnnotation, findings: Findings) -> str:
    name = xml.file_name.replace("\\", "/").rsplit("/", 1)[-1] or f"{Path(line.annotation).stem}.jpg"
    problem = path_problem(name)
    if problem:
        findings.add("path-outside-dataset", problem, file=line.annotation, field="filename", value=name,
                     fix="name the image file")  # fmt: skip
        return ""
    for folder in ("images", "JPEGImages", str(Path(line.annotation).parent)):
        if (root / folder / name).is_file():
            return (Path(folder) / name).as_posix()
    return f"images/{name}"


def _build(
    listing: Listing,
    base: Path,
    source: str,
    items: list[tuple[ListLine, XmlAnnotation]],
    findings: Findings,
    bad_boxes: Severity,
    one_based: bool,
) -> SplitListing:
    labels = {name: label for label, name in enumerate(listing.classes)}
    pictures: list[Picture] = []
    boxes, checker = BoxCollector(), BoxChecker(findings, bad_boxes)
    for line, xml in items:
        at = len(pictures)
        pictures.append(Picture(line.image, at + 1, xml.width, xml.height, line.number, line.annotation))
        for item in xml.objects:
            place = Place(line.annotation, f"object[{item.number}]", "bndbox")
            label = labels.get(item.name)
            if label is None:
                findings.add(
                    "class-unknown",
                    f"{item.name!r} is not one of the {len(labels)} classes",
                    file=line.annotation,
                    location=place.location,
                    field="name",
                    value=item.name,
                    fix="correct the name, or add it to labels.txt",
                )
                continue
            if item.corners is None:
                continue
            x1, y1, x2, y2 = item.corners
            if one_based:
                x1, y1 = x1 - 1, y1 - 1
            if checker.usable((x1, y1, x2, y2), (xml.width, xml.height), place):
                boxes.add(at, (x1, y1, x2, y2), label, number=item.number, difficult=item.difficult)
        if not xml.objects:
            findings.warn(
                "image-without-boxes",
                f"{line.image} has no object",
                file=line.annotation,
                value=line.image,
                fix="annotate it; leave it when nothing is on it",
            )
    checker.report_mix_ups()
    return SplitListing(
        source=source,
        image_root=base,
        pictures=pictures,
        table=boxes.table(len(pictures)),
        picture_place="line {}",
        box_place="object[{}]",
    )


def _report_counting(listing: Listing, findings: Findings, one_based: bool) -> None:
    """Boxes that touch 0 and boxes that end past the last pixel cannot both be right."""
    zero, beyond, where = 0, 0, ""
    for split in listing.splits.values():
        table, owners = split.table, split.table.pictures()
        shift = 1 if one_based else 0
        zero += int((table.xyxy[:, :2] + shift <= 0).any(axis=1).sum())
        sizes = [(picture.width, picture.height) for picture in split.pictures]
        for row, owner in enumerate(owners.tolist()):
            width, height = sizes[owner]
            if width and (table.xyxy[row, 2] > width or table.xyxy[row, 3] > height):
                beyond += 1
                where = where or split.pictures[owner].annotation
    if beyond and not zero and not one_based:
        findings.warn(
            "bbox-one-based",
            f"{beyond} boxes end one pixel beyond their image and none begins at 0: pixels seem to be counted from 1",
            file=where,
            field="bndbox",
            fix="subtract 1 from every coordinate",
        )
    elif beyond and zero:
        findings.warn(
            "bbox-mixed-counting",
            f"{zero} boxes begin at 0 and {beyond} end beyond their image: some pixels are counted from 0, some from 1",
            file=where,
            field="bndbox",
            fix="count all from 0, with the second corner at most at width and height",
        )


def _object(element: Element, number: int, name: str, findings: Findings) -> XmlObject | None:
    place = {"file": name, "location": f"object[{number}]"}
    label = _text(element, "name")
    if not label:
        findings.add("class-missing", "has no <name>", field="name", fix="name the class", **place)
        return None
    difficult = _text(element, "difficult") or "0"
    if difficult not in ("0", "1"):
        findings.add(
            "difficult-value",
            f"<difficult> is {difficult!r}",
            field="difficult",
            value=difficult,
            fix="write 0 or 1",
            **place,
        )
    box = element.find("bndbox")
    values = [_number(_text(box, key)) for key in _CORNERS] if box is not None else None
    if values is not None and any(value is None for value in values):
        written = [_text(box, key) or None for key in _CORNERS]
        missing = [key for key, value in zip(_CORNERS, written, strict=True) if value is None]
        if missing:
            findings.add("bbox-missing", f"<bndbox> lacks {', '.join(missing)}", field="bndbox", fix="add it", **place)
            return XmlObject(label, None, difficult == "1", number)
        values = [text if value is None else value for text, value in zip(written, values, strict=True)]
    corners = read_numbers(values, Place(name, place["location"], "bndbox"), findings)
    return XmlObject(label, corners, difficult == "1", number)


def _side(tree: Element, key: str, name: str, findings: Findings) -> int:
    text = _text(tree.find("size"), key)
    if not text:
        return 0
    value = _number(text)
    if value is None or not math.isfinite(value) or not 0 < value < 1_000_000:
        findings.add(
            "image-size-invalid", f"<{key}> is {text!r}", file=name, field=f"size/{key}", value=text,
            fix="write the size of the image in pixels",
        )  # fmt: skip
        return 0
    return int(value)


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _text(element: Element | None, key: str) -> str:
    found = element.find(key) if element is not None else None
    return (found.text or "").strip() if found is not None else ""
