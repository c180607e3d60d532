"""The files and classes of a classification dataset, from lists or from folders; readers and checker share it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import attrs

from pdx_cls.labels import read_classes
from pdx_cls.readers_light import (
    LABEL_NAMES,
    LIST_NAMES,
    SPLITS,
    class_folders,
    label_file,
    list_file,
    split_folder,
)
from pdx_core.data.findings import Findings
from pdx_core.data.image_root import image_root
from pdx_core.data.paths import path_problem
from pdx_core.data.split import UNSPLIT
from pdx_core.data.text_files import read_lines
from pdx_core.errors import DataError
from pdx_core.image_files import walk_images


@attrs.frozen
class Entry:
    """One image: path relative to the image root with `/`, class id, and the line of the list it stands in."""

    path: str
    label: int
    line: int = 0


@attrs.define(kw_only=True)
class Listing:
    """What a dataset consists of. `sources` names, per split, the list file or folder the entries come from."""

    root: Path
    image_root: Path
    classes: tuple[str, ...] = ()
    label_file: Path | None = None
    entries: dict[str, list[Entry]] = attrs.field(factory=dict)
    sources: dict[str, str] = attrs.field(factory=dict)

    def image_path(self, entry: Entry) -> Path:
        return self.image_root / entry.path


def scan_lists(root: Path, findings: Findings, splits: Sequence[str] = SPLITS) -> Listing:
    """Read label file and list files; every wrong line becomes a finding and is left out."""
    listing = Listing(root=root, image_root=image_root(root, findings))
    listing.label_file = label_file(root)
    classes = None
    if listing.label_file is None:
        findings.add(
            "label-file-missing",
            "there is no file with the class names",
            file=LABEL_NAMES[0],
            fix=f"write {LABEL_NAMES[0]} with one `id name` per line",
        )
    else:
        classes = read_classes(listing.label_file, findings)
        listing.classes = classes or ()
    for split in splits:
        path = list_file(root, split)
        if path is None:
            findings.add(
                "list-missing",
                f"the {split} list is missing",
                file=LIST_NAMES[split][0],
                fix=f"write {LIST_NAMES[split][0]}, or divide the other list with `pdx split`",
            )
            continue
        listing.sources[split] = path.name
        listing.entries[split] = _read_list(path, listing, classes, findings)
    return listing


def scan_folders(root: Path, findings: Findings, splits: Sequence[str] = SPLITS) -> Listing:
    """Read class folders; the classes are those of train, in name order, unless a label file orders them."""
    listing = Listing(root=root, image_root=root, label_file=label_file(root))
    folders = {split: folder for split in SPLITS if (folder := split_folder(root, split)) is not None}
    if not folders:
        findings.add(
            "not-split",
            "class folders without train and val",
            file=".",
            fix=f"divide them with: pdx split {root} --train 90 --val 10",
        )
        folders, splits = {UNSPLIT: root}, (UNSPLIT,)
    listing.classes = _folder_classes(next(iter(folders.values())), listing.label_file, findings)
    ids = {name: number for number, name in enumerate(listing.classes)}
    for split in splits:
        if split not in folders:
            findings.add(
                "split-missing",
                f"the folder {split}/ is missing",
                file=split,
                fix=f"put the {split} images into {split}/",
            )
            continue
        listing.sources[split] = folders[split].name if split != UNSPLIT else "."
        listing.entries[split] = _read_folders(folders[split], root, ids, findings)
    return listing


def _read_list(path: Path, listing: Listing, classes: tuple[str, ...] | None, findings: Findings) -> list[Entry]:
    try:
        lines = read_lines(path)
    except DataError as error:
        findings.add("list-unreadable", str(error), file=path.name, fix="save it as UTF-8 text")
        return []
    entries = []
    for number, text in lines:
        place = {"file": path.name, "location": f"line {number}", "value": text}
        fields = text.rsplit(maxsplit=1)  # from the right: paths may contain blanks
        if len(fields) < 2:
            findings.add(
                "list-line",
                "needs an image path and a class id, with a blank between",
                fix="write it as `a.jpg 0`",
                **place,
            )
            continue
        name, label = fields[0].strip().strip('"'), fields[1]
        if not re.fullmatch(r"[+-]?\d+", label):
            findings.add(
                "class-not-integer",
                f"{label!r} is not a class id",
                field="class",
                fix=_id_hint(label, classes),
                **place,
            )
            continue
        if classes is not None and not 0 <= int(label) < len(classes):
            findings.add(
                "class-out-of-range",
                f"class id {label} is not one of 0..{len(classes) - 1}",
                field="class",
                fix=f"correct the id, or add the class to {listing.label_file.name}",
                **place,
            )
            continue
        problem = path_problem(name)
        if problem:
            findings.add(
                "path-outside-dataset", problem, field="path", fix="write the path relative to the dataset", **place
            )
            continue
        entries.append(Entry(_slashes(name, listing.image_root), int(label), number))
    return entries


def _read_folders(folder: Path, root: Path, ids: dict[str, int], findings: Findings) -> list[Entry]:
    entries = []
    for child in class_folders(folder):
        place = {"file": child.relative_to(root).as_posix(), "value": child.name}
        if child.name not in ids:
            findings.add(
                "class-not-in-train",
                f"class {child.name!r} does not occur in train",
                fix="add training images of it, correct the folder's name, or remove it",
                **place,
            )
            continue
        found = [Entry(path.relative_to(root).as_posix(), ids[child.name]) for path in walk_images(child)]
        if not found:
            findings.warn("class-empty", "holds no image", fix="add images or remove the folder", **place)
        entries += found
    return entries


def _folder_classes(folder: Path, labels: Path | None, findings: Findings) -> tuple[str, ...]:
    names = tuple(child.name for child in class_folders(folder))
    if labels is None:
        return names
    listed = read_classes(labels, findings)
    if listed is None or set(names) <= set(listed):
        return listed or names
    unknown = next(name for name in names if name not in set(listed))
    findings.warn(
        "label-file-ignored",
        f"the folder {unknown!r} is not in it, so the classes are the folders in name order",
        file=labels.name,
        value=unknown,
        fix="name every class folder there, or remove the file",
    )
    return names


def _id_hint(label: str, classes: tuple[str, ...] | None) -> str:
    if classes and label in classes:
        return f"write its id, {classes.index(label)}"
    if "," in label:
        return "put a blank, not a comma, between path and class id"
    return "write a whole number from the label file"


def _slashes(name: str, root: Path) -> str:
    """The path with `/`; a backslash stays only where a file is really called so."""
    if "\\" in name and not (root / name).exists():
        return name.replace("\\", "/")
    return name
