"""Writes the lists of a new division of a dataset whose masks are files in folders; images and masks stay."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from pdx_core.data.image_root import IMAGE_ROOT_NAME
from pdx_core.data.list_files import list_file, quoted
from pdx_core.data.split import set_aside
from pdx_core.files import write_text
from pdx_det.api import Listing, SplitListing, class_file
from pdx_instseg.readers_light import SUFFIXES


def write_image_lists(output: Path, listing: Listing, parts: Mapping[str, Sequence[tuple[SplitListing, int]]]) -> None:
    """train.txt and val.txt with an image per line, and labels.txt; in the dataset's own folder the old ones become
    `.bak`."""
    in_place = output.resolve() == listing.root.resolve()
    for name, items in parts.items():
        path = output / f"{name}.txt"
        if in_place:
            path = list_file(output, name, SUFFIXES) or path
            set_aside(path)
        write_text(path, "".join(f"{quoted(split.pictures[at].path)}\n" for split, at in items))
    if not (in_place and class_file(output) is not None):
        write_text(output / "labels.txt", "".join(f"{name}\n" for name in listing.classes))
    if not in_place:
        base = next(iter(listing.splits.values())).image_root
        write_text(output / IMAGE_ROOT_NAME, f"{base.resolve()}\n")
