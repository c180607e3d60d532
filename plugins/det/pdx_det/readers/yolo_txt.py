"""Reads YOLO label files, `class cx cy w h` in shares of the image, and finds what is wrong with them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from pdx_core.data.class_names import read_class_names
from pdx_core.data.findings import Findings, Severity
from pdx_core.data.list_files import SPLITS
from pdx_core.data.text_files import read_lines, read_text
from pdx_core.errors import DataError
from pdx_core.image_files import is_image_file, walk_images
from pdx_core.image_headers import ImageError
from pdx_core.image_size import displayed_size
from pdx_det.readers.box_checks import BoxChecker, Place
from pdx_det.readers.listing import BoxCollector, Listing, Picture, SplitListing
from pdx_det.readers_light import CLASS_NAMES, class_file, yolo_folders, yolo_yaml

_KEYS = {"train": ("train",), "val": ("val", "valid", "validation", "test")}
_SLACK = 1e-3  # shares beyond 0..1 that come from rounding


def scan_yolo(root: Path, findings: Findings, splits: Sequence[str] = SPLITS, bad_boxes: Severity = "error") -> Listing:
    """Read the label files of the given splits; everything wrong becomes a finding and is left out."""
    listing = Listing(root=root)
    settings = _read_yaml(root, findings)
    listing.classes = _classes(root, settings, findings)
    listing.category_ids = tuple(range(1, len(listing.classes) + 1))
    for split in splits:
        images = _images(root, split, settings, findings)
        if images is not None:
            listing.splits[split] = _read_split(listing, *images, findings, bad_boxes)
    return listing


def label_path(image: Path) -> Path:
    """images/a.jpg -> labels/a.txt: the last folder called `images` is exchanged, as YOLO does."""
    parts = list(image.parts)
    for at in range(len(parts) - 2, -1, -1):
        if parts[at] == "images":
            parts[at] = "labels"
            break
    return Path(*parts).with_suffix(".txt")


def _read_yaml(root: Path, findings: Findings) -> dict[str, Any]:
    path = yolo_yaml(root)
    if path is None:
        return {}
    import yaml

    try:
        content = yaml.safe_load(read_text(path))
    except DataError as error:
        findings.add("yaml-unreadable", str(error), file=path.name, fix="save it as UTF-8 text")
        return {}
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        findings.add(
            "yaml-syntax",
            f"is not valid YAML: {getattr(error, 'problem', None) or error}",
            file=path.name,
            location=f"line {mark.line + 1}" if mark else "",
            fix="correct it",
        )
        return {}
    if not isinstance(content, dict):
        findings.add("yaml-not-a-mapping", "must hold train, val and names", file=path.name, fix="add them")
        return {}
    return content


def _classes(root: Path, settings: dict[str, Any], findings: Findings) -> tuple[str, ...]:
    names, file = settings.get("names"), (yolo_yaml(root) or root / "data.yaml").name
    if isinstance(names, dict):
        ids = list(names)
        if sorted(ids, key=str) != sorted(range(len(ids)), key=str):
            findings.add("class-ids", f"the ids of names are {ids[:10]}, not 0..{len(ids) - 1}", file=file,
                         field="names", value=ids[:10], fix="number the classes from 0")  # fmt: skip
            return ()
        names = [names[number] for number in range(len(ids))]
    if names is None:
        found = read_class_names(class_file(root), findings)
        if found is None:
            findings.add("classes-missing", "nobody names the classes", file=file if settings else "classes.txt",
                         field="names", fix="write `names: [...]` into data.yaml, or classes.txt")  # fmt: skip
        return found or ()
    if not isinstance(names, list) or not names:
        findings.add("class-names", f"names is {names!r}", file=file, field="names", value=names, fix="list the names")
        return ()
    count = settings.get("nc")
    if isinstance(count, int) and count != len(names):
        findings.add("class-count", f"nc is {count}, but there are {len(names)} names", file=file, field="nc",
                     value=count, fix="correct one of them")  # fmt: skip
    texts = [str(name) for name in names]
    for number, name in enumerate(texts):
        if texts.index(name) != number:
            findings.add("class-duplicate", f"{name!r} is the name of class {texts.index(name)} too", file=file,
                         field=f"names[{number}]", value=name, fix="name each class once")  # fmt: skip
    return tuple(texts)


def _images(
    root: Path, split: str, settings: dict[str, Any], findings: Findings
) -> tuple[str, list[tuple[int, Path]]] | None:
    """Where the images of a split are named, and each with its line there."""
    value = next((settings[key] for key in _KEYS[split] if settings.get(key)), None)
    if value is None:
        folders = yolo_folders(root, split)
        if folders is not None:
            found = list(walk_images(folders[0]))
            return folders[0].relative_to(root).as_posix(), list(enumerate(found, 1))
        findings.add(
            "split-missing",
            f"there is no {split} part",
            file=(yolo_yaml(root) or root / "data.yaml").name,
            field=split,
            fix=f"name the folder of the {split} images there, or divide the other part with `pdx split`",
        )
        return None
    entries = value if isinstance(value, list) else [value]
    images: list[tuple[int, Path]] = []
    for entry in entries:
        path = _locate(root, settings.get("path"), str(entry))
        if path is None:
            findings.add("split-missing", f"{entry} does not exist", file=yolo_yaml(root).name, field=split,
                         value=entry, fix="write it relative to this file")  # fmt: skip
        elif path.is_dir():
            images += enumerate(walk_images(path), len(images) + 1)
        else:
            images += _listed(path)
    return str(value) if isinstance(value, str) else yolo_yaml(root).name, images


def _locate(root: Path, base: Any, entry: str) -> Path | None:
    """A path of data.yaml. Those of Roboflow begin with ../ although they are beside the file."""
    plain = entry.removeprefix("../").removeprefix("./")
    candidates = [root / entry, root / plain]
    if isinstance(base, str):
        candidates[:0] = [Path(base) / entry, root / base / entry]
    return next((path for path in candidates if path.exists()), None)


def _listed(path: Path) -> list[tuple[int, Path]]:
    lines = read_lines(path)
    return [
        (number, candidate if (candidate := Path(text)).is_absolute() else path.parent / text)
        for number, text in lines
        if is_image_file(text)
    ]


def _read_split(
    listing: Listing, source: str, images: list[tuple[int, Path]], findings: Findings, bad_boxes: Severity
) -> SplitListing:
    root, pictures = listing.root, []
    boxes, checker = BoxCollector(), BoxChecker(findings, bad_boxes)
    if not images:
        findings.add("split-empty", "there are no images", file=source, fix="add images, or split anew")
    for number, image in images:
        name, label_file = _relative(image, root), label_path(image)
        annotation = _relative(label_file, root)
        try:
            width, height = displayed_size(image)
        except ImageError:
            width = height = 0  # the check of the images says what is wrong
        at = len(pictures)
        pictures.append(Picture(name, at + 1, width, height, number, annotation))
        if not label_file.is_file():
            findings.warn("image-without-boxes", f"{name} has no label file", file=annotation, value=name,
                          fix="annotate it; an empty file says that nothing is on it")  # fmt: skip
            continue
        try:
            lines = read_lines(label_file)
        except DataError as error:
            findings.add("label-unreadable", str(error), file=annotation, fix="save it as UTF-8 text")
            continue
        for line, text in lines:
            _read_line(text, line, at, pictures[at], listing.classes, boxes, checker)
    _report_orphans(root, [image for _, image in images], findings)
    checker.report_mix_ups()
    return SplitListing(
        source=source,
        image_root=root,
        pictures=pictures,
        table=boxes.table(len(pictures)),
        picture_place="line {}",
        box_place="line {}",
    )


def _read_line(
    text: str,
    line: int,
    at: int,
    picture: Picture,
    classes: tuple[str, ...],
    boxes: BoxCollector,
    checker: BoxChecker,
) -> None:
    findings = checker.findings
    place = {"file": picture.annotation, "location": f"line {line}", "value": text}
    fields = text.split()
    label = _label(fields[0], classes, findings, place)
    try:
        values = [float(field) for field in fields[1:]]
    except ValueError:
        findings.add("bbox-not-a-number", "holds something that is not a number", fix="write numbers",
                     severity=checker.severity, **place)  # fmt: skip
        return
    if any(not math.isfinite(value) for value in values):
        findings.add("bbox-not-finite", "holds NaN or an infinite value", fix="correct or remove the line",
                     severity=checker.severity, **place)  # fmt: skip
        return
    if len(values) >= 6 and len(values) % 2 == 0:  # a polygon: its box
        xs, ys = values[::2], values[1::2]
        corners = (min(xs), min(ys), max(xs), max(ys))
    elif len(values) == 4:
        cx, cy, width, height = values
        corners = (cx - width / 2, cy - height / 2, cx + width / 2, cy + height / 2)
    else:
        findings.add("bbox-length", f"needs a class and four numbers, it has {len(fields)} fields",
                     fix="write `class cx cy w h`", severity=checker.severity, **place)  # fmt: skip
        return
    if max(map(abs, values)) > 1 + _SLACK:
        pixels = max(map(abs, values)) > 2
        hint = "they look like pixels: divide x by the width and y by the height" if pixels else "correct them"
        findings.add("bbox-not-normalised", "coordinates must lie between 0 and 1", fix=hint,
                     severity=checker.severity, **place)  # fmt: skip
        return
    if label is None:
        return
    width, height = (picture.width, picture.height) if picture.width else (1, 1)
    xyxy = (corners[0] * width, corners[1] * height, corners[2] * width, corners[3] * height)
    if checker.usable(xyxy, (picture.width, picture.height), Place(picture.annotation, f"line {line}", "box")):
        boxes.add(at, xyxy, label, number=line)


def _label(text: str, classes: tuple[str, ...], findings: Findings, place: dict[str, str]) -> int | None:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number) or number != int(number):
        fix = f"write {classes.index(text)}" if text in classes else "write a whole number"
        findings.add("class-not-integer", f"{text!r} is not a class id", field="class", fix=fix, **place)
        return None
    if not 0 <= number < len(classes):
        fix = "correct it, or add the class"
        if number == len(classes):
            fix = "are the classes counted from 1? YOLO counts from 0"
        findings.add("class-out-of-range", f"class id {int(number)} is not one of 0..{len(classes) - 1}", field="class",
                     fix=fix, **place)  # fmt: skip
        return None
    return int(number)


def _report_orphans(root: Path, images: list[Path], findings: Findings) -> None:
    """Label files whose image is nowhere, neither in the split nor beside those that are."""
    known = {label_path(image) for image in images}
    folders = {label_path(image).parent: image.parent for image in images}
    for folder, image_folder in sorted(folders.items()):
        if not folder.is_dir():
            continue
        stems = {path.stem for path in image_folder.iterdir() if is_image_file(path)} if image_folder.is_dir() else ()
        for path in sorted(folder.glob("*.txt")):
            if path not in known and path.stem not in stems and path.name not in CLASS_NAMES:
                name = _relative(path, root)
                findings.add("image-missing", f"{name} has no image", file=name,
                             fix="add the image or remove the file")  # fmt: skip


def _relative(path: Path, root: Path) -> str:
    """Relative to the dataset, with `/`; data.yaml may also lead elsewhere."""
    try:
        return PurePosixPath(path.resolve().relative_to(root.resolve())).as_posix()
    except ValueError:
        return path.as_posix()
