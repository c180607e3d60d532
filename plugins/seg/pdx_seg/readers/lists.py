"""Reads lists with an image and its mask per line: PaddleX's SegDataset."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pdx_core.data.findings import Findings
from pdx_core.data.list_files import SPLITS, list_problem, read_list
from pdx_seg.readers.listing import Listing, Pair, SplitListing
from pdx_seg.readers.opening import open_listing
from pdx_seg.readers_light import pair_list


def scan_lists(root: Path, findings: Findings, splits: Sequence[str] = SPLITS, **options: Any) -> Listing:
    """Read the lists of the given splits; wrong lines become findings and are left out."""
    listing = open_listing(root, findings, **options)
    for split in splits:
        path = pair_list(root, split)
        if path is None:
            file, problem = list_problem(root, split)
            findings.add(
                "split-missing",
                problem,
                file=file,
                fix=f"write {file} as UTF-8 with `image mask` per line, or divide the other list with `pdx split`",
            )
            continue
        lines = read_list(path, root, listing.base, findings, pairs=True)
        pairs = [Pair(line.image, line.annotation, line.number) for line in lines]
        listing.splits[split] = SplitListing(source=path.name, pairs=pairs)
        _check_images(path.name, pairs, findings)
    return listing


def _check_images(source: str, pairs: list[Pair], findings: Findings) -> None:
    """An image with two masks, and an image that is its own mask."""
    first: dict[str, Pair] = {}
    for pair in pairs:
        place = {"file": source, "location": f"line {pair.number}", "value": pair.image}
        other = first.setdefault(pair.image, pair)
        if other is not pair:
            findings.add("two-masks", f"has the mask {pair.mask} here and {other.mask} in line {other.number}",
                         fix="keep the right line", **place)  # fmt: skip
        if pair.image == pair.mask:
            findings.add("mask-is-image", "is named as the mask of itself", fix="name the mask", **place)
