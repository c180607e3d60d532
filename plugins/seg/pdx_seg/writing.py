"""Writes lists, class files and masks; images stay where they are, or are copied by the converters."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from pdx_core.data.image_root import IMAGE_ROOT_NAME
from pdx_core.data.list_files import list_file, quoted
from pdx_core.data.split import set_aside
from pdx_core.files import atomic_write, write_json, write_text
from pdx_seg.labels import IGNORE
from pdx_seg.palette import mask_palette
from pdx_seg.readers.listing import Listing, Pair
from pdx_seg.readers.opening import coding_json
from pdx_seg.readers_light import BACKGROUND, CODING_NAME, IGNORED, pair_list, voc_set

Parts = Mapping[str, Sequence[Pair]]


def write_pair_lists(output: Path, listing: Listing, parts: Parts) -> None:
    """train.txt and val.txt with `image mask` per line, and what reading them elsewhere needs.

    That is labels.txt, image_root.txt, and masks.json where the masks are read in a special way. In the dataset's own
    folder the lists keep their names, the old ones become `.bak`, and nothing else is written.
    """
    in_place = output.resolve() == listing.root.resolve()
    for name, pairs in parts.items():
        path = (pair_list(output, name) if in_place else None) or output / f"{name}.txt"
        if in_place:
            set_aside(path)
        write_text(path, "".join(f"{quoted(pair.image)} {quoted(pair.mask)}\n" for pair in pairs))
    if in_place:
        return
    _write_place(output, listing)
    coding = coding_json(listing.coding)
    if coding:
        write_json(output / CODING_NAME, coding)


def write_json_lists(output: Path, listing: Listing, parts: Parts) -> None:
    """train_anno_list.txt and val_anno_list.txt with `image json` per line, and the classes in their order.

    The order has to be kept, because without a file it is that in which the lists show the classes.
    """
    in_place = output.resolve() == listing.root.resolve()
    for name, pairs in parts.items():
        path = (list_file(output, name, ".json") if in_place else None) or output / f"{name}_anno_list.txt"
        if in_place:
            set_aside(path)
        write_text(path, "".join(f"{quoted(pair.image)} {quoted(pair.mask)}\n" for pair in pairs))
    if not in_place:
        _write_place(output, listing)
    elif not listing.class_file:
        write_text(output / "labels.txt", "".join(f"{name}\n" for name in listing.classes or ()))


def write_voc_lists(output: Path, parts: Parts, *, in_place: bool = False) -> None:
    """ImageSets/Segmentation/train.txt and val.txt with a name per line."""
    for name, pairs in parts.items():
        path = (voc_set(output, name) if in_place else None) or output / "ImageSets" / "Segmentation" / f"{name}.txt"
        if in_place:
            set_aside(path)
        stems = (Path(pair.image).relative_to("JPEGImages").with_suffix("").as_posix() for pair in pairs)
        write_text(path, "".join(f"{stem}\n" for stem in stems))


def write_class_names(output: Path, classes: Sequence[str]) -> None:
    """class_name.txt and class_name_to_id.txt, as PaddleX writes them: the first leaves `_background_` out."""
    names = [name for name in classes if name != BACKGROUND]
    write_text(output / "class_name.txt", "".join(f"{name}\n" for name in names))
    lines = [f"{IGNORE}: {IGNORED}", *(f"{number}: {name}" for number, name in enumerate(classes))]
    write_text(output / "class_name_to_id.txt", "".join(f"{line}\n" for line in lines))


def write_mask(path: Path, label_map: np.ndarray) -> None:
    """A palette PNG whose pixels are class indices. label_map: uint8 [H, W], class indices and IGNORE."""
    from PIL import Image

    picture = Image.fromarray(label_map)
    picture.putpalette(mask_palette().ravel().tolist())
    stream = io.BytesIO()
    picture.save(stream, "PNG")
    with atomic_write(path) as file:
        file.write(stream.getvalue())


def _write_place(output: Path, listing: Listing) -> None:
    if listing.classes is not None:
        write_text(output / "labels.txt", "".join(f"{name}\n" for name in listing.classes))
    write_text(output / IMAGE_ROOT_NAME, f"{listing.base.resolve()}\n")
