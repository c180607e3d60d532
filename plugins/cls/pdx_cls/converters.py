"""Converts between lists and class folders, copying the images."""

from __future__ import annotations

import re
from pathlib import Path

import attrs

from pdx_cls.checker import refuse_unsplit
from pdx_cls.listing import Entry, Listing, scan_folders, scan_lists
from pdx_cls.readers_light import LIST_NAMES, list_file, split_folder
from pdx_cls.writing import write_lists
from pdx_core.data.copying import copy_files
from pdx_core.data.findings import Findings
from pdx_core.data.image_root import IMAGE_ROOT_NAME
from pdx_core.data.reading import Format
from pdx_core.errors import DataError


def to_lists(source: Format, destination: Path) -> dict[str, int]:
    """Class folders to images/, train.txt, val.txt and label.txt."""
    listing = _scan(source, scan_folders, lambda split: split_folder(source.root, split) is not None)
    entries = {
        split: [attrs.evolve(entry, path=f"images/{entry.path}") for entry in part]
        for split, part in listing.entries.items()
    }
    _copy(listing, entries, destination)
    write_lists(destination, listing, entries)
    (destination / IMAGE_ROOT_NAME).unlink()  # the images were copied: the folder stands alone
    return {split: len(part) for split, part in entries.items()}


def to_folders(source: Format, destination: Path) -> dict[str, int]:
    """Lists to train/<class>/ and val/<class>/; classes without images stay in labels.txt, which keeps their order."""
    listing = _scan(source, scan_lists, lambda split: list_file(source.root, split) is not None)
    folders = [_folder_name(name) for name in listing.classes]
    if len({folder.lower() for folder in folders}) < len(folders):
        raise DataError(f"{source.root}: two classes would get the same folder name; rename one in the label file")
    entries: dict[str, list[Entry]] = {}
    for split, part in listing.entries.items():
        used: set[str] = set()
        entries[split] = []
        for entry in part:
            path = f"{split}/{folders[entry.label]}/{Path(entry.path).name}"
            if path.lower() in used:  # two folders held a file of this name
                path = f"{split}/{folders[entry.label]}/{entry.path.replace('/', '_')}"
            used.add(path.lower())
            entries[split].append(attrs.evolve(entry, path=path))
    _copy(listing, entries, destination)
    (destination / "labels.txt").write_text("".join(f"{name}\n" for name in folders), encoding="utf-8")
    return {split: len(part) for split, part in entries.items()}


def _scan(source: Format, scan, is_there) -> Listing:
    findings = Findings()
    listing = scan(source.root, findings, [split for split in LIST_NAMES if is_there(split)])
    refuse_unsplit(listing)
    findings.raise_errors(f"{source.root} cannot be converted before this is mended")
    return listing


def _copy(listing: Listing, entries: dict[str, list[Entry]], destination: Path) -> None:
    copy_files(
        [
            (listing.image_path(old), destination / new.path)
            for split, part in entries.items()
            for old, new in zip(listing.entries[split], part, strict=True)
        ]
    )


def _folder_name(name: str) -> str:
    """A class name as a folder: what file systems forbid becomes `_`."""
    return re.sub(r'[<>:"/\\|?*\x00-\x1f]', "_", name).strip(" .") or "_"
