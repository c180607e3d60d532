"""Writes segmentation datasets in another format: images are copied, masks become palette PNGs of class indices."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import attrs
import numpy as np

from pdx_core.data.copying import copy_files, divide_unsplit, free_name
from pdx_core.data.findings import Findings
from pdx_core.data.list_files import quoted
from pdx_core.data.reading import Format
from pdx_core.errors import DataError
from pdx_core.files import write_text
from pdx_core.image_size import displayed_size
from pdx_core.progress import progress
from pdx_seg.readers.formats import scan_all
from pdx_seg.readers.label_maps import THREADS, count_pixels, read_label_map, settle_classes
from pdx_seg.readers.listing import Listing, Pair
from pdx_seg.writing import write_class_names, write_mask, write_voc_lists


@attrs.frozen(eq=False)
class _Item:
    """One image: its pair, and the names of its copy and of its mask below their new folders."""

    pair: Pair
    image: str
    mask: str


_Parts = dict[str, list[_Item]]


def to_lists(source: Format, destination: Path) -> dict[str, int]:
    """PaddleX's SegDataset: images/, annotations/, train.txt, val.txt, class_name.txt and class_name_to_id.txt."""
    listing, parts = _read(source)
    counts = _write(listing, parts, lambda split: (destination / "images", destination / "annotations"))
    for split, items in parts.items():
        lines = (f"{quoted(f'images/{item.image}')} {quoted(f'annotations/{item.mask}')}\n" for item in items)
        write_text(destination / f"{split}.txt", "".join(lines))
    write_class_names(destination, listing.classes or ())
    return counts


def to_folders(source: Format, destination: Path) -> dict[str, int]:
    """images/<split>/, masks/<split>/ and labels.txt."""
    listing, parts = _read(source)
    counts = _write(listing, parts, lambda split: (destination / "images" / split, destination / "masks" / split))
    _write_labels(listing, destination)
    return counts


def to_voc(source: Format, destination: Path) -> dict[str, int]:
    """JPEGImages/, SegmentationClass/, ImageSets/Segmentation/ and labels.txt."""
    listing, parts = _read(source)
    counts = _write(listing, parts, lambda split: (destination / "JPEGImages", destination / "SegmentationClass"))
    pairs = {
        split: [attrs.evolve(item.pair, image=f"JPEGImages/{item.image}") for item in items]
        for split, items in parts.items()
    }
    write_voc_lists(destination, pairs)
    _write_labels(listing, destination)
    return counts


def _read(source: Format) -> tuple[Listing, _Parts]:
    """Everything a dataset holds, with names that are different from one another."""
    findings = Findings()
    listing = scan_all(source.spec.name, source.root, findings, **source.options)
    findings.raise_errors(f"{source.root} cannot be converted before this is mended")
    pairs = [pair for split in listing.splits.values() for pair in split.pairs]
    if listing.classes is None:
        counts, raw = np.zeros(256, np.int64), Counter()
        for found, values in count_pixels(listing, pairs, None):
            counts += found
            raw.update(values)
        settle_classes(listing, counts, raw, findings)
        findings.raise_errors(f"{source.root} cannot be converted before this is mended")
    used: set[str] = set()
    parts: _Parts = {}
    for name, split in listing.splits.items():
        parts[name] = []
        for pair in split.pairs:
            image = free_name(listing.image_path(pair), name, used)
            parts[name].append(_Item(pair, image, Path(image).with_suffix(".png").name))
    return listing, divide_unsplit(parts)


def _write(listing: Listing, parts: _Parts, folders) -> dict[str, int]:
    """Masks first: a dataset whose masks cannot be read is noticed before anything large is copied.

    folders: split -> where its images and its masks go
    """
    items = [(item, *folders(split)) for split, part in parts.items() for item in part]

    def write(item: tuple[_Item, Path, Path]) -> None:
        pair = item[0].pair
        path = listing.image_path(pair)
        if not path.is_file():
            raise DataError(f"{path}: no such file; `pdx check` lists all of them")
        write_mask(item[2] / item[0].mask, read_label_map(listing, pair, displayed_size(path)))

    with ThreadPoolExecutor(THREADS) as pool, progress(total=len(items), label="masks", unit="img") as bar:
        for _ in pool.map(write, items):
            bar.update(1)
    copy_files([(listing.image_path(item.pair), images / item.image) for item, images, _ in items])
    return {split: len(part) for split, part in parts.items()}


def _write_labels(listing: Listing, destination: Path) -> None:
    write_text(destination / "labels.txt", "".join(f"{name}\n" for name in listing.classes or ()))
