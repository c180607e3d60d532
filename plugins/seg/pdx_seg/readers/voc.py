"""Reads Pascal VOC's segmentation layout: lists of names, JPEGImages and SegmentationClass."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pdx_core.data.findings import Findings
from pdx_core.data.list_files import SPLITS
from pdx_core.data.paths import by_stem, path_problem
from pdx_core.data.split import UNSPLIT
from pdx_core.data.text_files import read_lines
from pdx_core.errors import DataError
from pdx_seg.readers.listing import Listing, Pair, SplitListing
from pdx_seg.readers.opening import open_listing
from pdx_seg.readers_light import voc_masks, voc_set, voc_whole_set

CLASSES = (
    *("background", "aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow"),
    *("diningtable", "dog", "horse", "motorbike", "person", "pottedplant", "sheep", "sofa", "train", "tvmonitor"),
)
_ORIGINAL = re.compile(r"VOC20\d\d(_\w+)?")  # the folder of the published data, whose classes no file names


def scan_voc(root: Path, findings: Findings, splits: Sequence[str] = SPLITS, **options: Any) -> Listing:
    """Read the lists of the given splits; every line that names nothing becomes a finding when its files are read."""
    listing = open_listing(root, findings, **options)
    masks = voc_masks(root)
    if listing.classes is None and _ORIGINAL.fullmatch(root.resolve().name):
        listing.set_classes(CLASSES)
    sets = {split: path for split in SPLITS if (path := voc_set(root, split)) is not None}
    whole = voc_whole_set(root)
    if not sets and whole is not None:
        if UNSPLIT not in splits:
            findings.add("not-split", "there is one list for everything", file=whole.relative_to(root).as_posix(),
                         fix=f"divide it with: pdx split {root} --train 90 --val 10")  # fmt: skip
        sets, splits = {UNSPLIT: whole}, (UNSPLIT,)
    for split in splits:
        if split not in sets or masks is None:
            findings.add("split-missing", f"there is no list for {split}", file=f"ImageSets/Segmentation/{split}.txt",
                         fix="write it with a name per line, or divide the other list with `pdx split`")  # fmt: skip
            continue
        source = sets[split].relative_to(root).as_posix()
        listing.splits[split] = SplitListing(source=source, pairs=_read(sets[split], source, root, masks, findings))
    return listing


def _read(path: Path, source: str, root: Path, masks: Path, findings: Findings) -> list[Pair]:
    try:
        lines = read_lines(path)
    except DataError as error:
        findings.add("list-unreadable", str(error), file=source, fix="save it as UTF-8 text")
        return []
    pairs, first = [], {}
    for number, name in lines:
        place = {"file": source, "location": f"line {number}", "value": name}
        problem = path_problem(name)
        if problem:
            findings.add("path-outside-dataset", problem, fix="write the name of an image, without suffix", **place)
            continue
        if name in first:
            findings.add("image-listed-twice", f"{name} stands in line {first[name]} too", fix="list it once", **place)
            continue
        first[name] = number
        image = by_stem(root / "JPEGImages", name)
        mask = f"{name}.png" if (masks / f"{name}.png").is_file() else by_stem(masks, name)
        if not (masks / mask).is_file():
            mask = f"{name}.png"
        pairs.append(Pair(f"JPEGImages/{image}", f"{masks.name}/{mask}", number))
    return pairs
