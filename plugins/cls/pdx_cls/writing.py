"""Writes list files and label files of classification."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from pdx_cls.listing import Entry, Listing
from pdx_cls.readers_light import LIST_NAMES, has_lists, label_file, list_file
from pdx_core.data.image_root import IMAGE_ROOT_NAME
from pdx_core.data.split import set_aside
from pdx_core.errors import ConfigError
from pdx_core.files import write_text


def write_lists(output: Path, listing: Listing, splits: Mapping[str, Sequence[Entry]]) -> None:
    """Write train.txt, val.txt and label.txt.

    Outside the dataset's own folder `image_root.txt` names the folder the paths are relative to; inside it the lists
    keep their names, the old ones become `.bak`, and a label file that is there stays.
    """
    in_place = output.resolve() == listing.root.resolve()
    if not in_place and not (output / IMAGE_ROOT_NAME).is_file() and has_lists(output):
        raise ConfigError(f"{output} already holds a dataset; choose another output folder")
    for split, entries in splits.items():
        path = (list_file(output, split) if in_place else None) or output / LIST_NAMES[split][0]
        if in_place:
            set_aside(path)
        write_text(path, "".join(f"{entry.path} {entry.label}\n" for entry in entries))
    if not (in_place and label_file(output) is not None):
        write_text(output / "label.txt", "".join(f"{index} {name}\n" for index, name in enumerate(listing.classes)))
    if not in_place:
        write_text(output / IMAGE_ROOT_NAME, f"{listing.image_root.resolve()}\n")
