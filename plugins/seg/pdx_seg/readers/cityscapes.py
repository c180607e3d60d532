"""Reads Cityscapes: photos by city, and masks of 34 ids of which 19 are trained on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pdx_core.data.findings import Findings
from pdx_core.data.list_files import SPLITS
from pdx_core.image_files import walk_images
from pdx_seg.cityscapes import CITYSCAPES_NAMES
from pdx_seg.labels import IGNORE
from pdx_seg.readers.listing import Listing, Pair, SplitListing
from pdx_seg.readers.opening import open_listing
from pdx_seg.readers_light import cityscapes_folders
from pdx_seg.remap import Remap

# Ids of the published label table that are trained on, in the order of their classes; all others are ignored
TRAINED_IDS = (7, 8, 11, 12, 13, 17, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 31, 32, 33)
_ID_COUNT = 34
_PHOTO_END, _IDS_END, _TRAIN_END = "_leftImg8bit", "_gtFine_labelIds.png", "_gtFine_labelTrainIds.png"


def scan_cityscapes(root: Path, findings: Findings, splits: Sequence[str] = SPLITS, **options: Any) -> Listing:
    """Pair photos and masks of the given splits. Masks of ids are preferred to masks of training ids."""
    kinds = {split: _ends(root, split) for split in splits}
    by_ids = _TRAIN_END not in kinds.values()
    listing = open_listing(root, findings, preset=_preset() if by_ids else None, **options)
    listing.base = root
    if listing.classes is None:
        listing.set_classes(CITYSCAPES_NAMES)
    for split in splits:
        folders = cityscapes_folders(root, split)
        if folders is None:
            findings.add("split-missing", f"leftImg8bit/{split} or gtFine/{split} is missing", file=".",
                         fix=f"unpack the {split} files of both archives")  # fmt: skip
            continue
        listing.splits[split] = SplitListing(
            source=f"leftImg8bit/{split}", pairs=_pairs(root, *folders, _IDS_END if by_ids else _TRAIN_END, findings)
        )
    return listing


def _preset() -> Remap:
    values = dict.fromkeys(range(_ID_COUNT), IGNORE)
    values.update({value: label for label, value in enumerate(TRAINED_IDS)})
    return Remap(values)


def _ends(root: Path, split: str) -> str:
    """How the masks of a split end: ids wherever there are any."""
    folders = cityscapes_folders(root, split)
    names = [path.name for path in walk_images(folders[1])] if folders else []
    if not any(name.endswith(_IDS_END) for name in names) and any(name.endswith(_TRAIN_END) for name in names):
        return _TRAIN_END
    return _IDS_END


def _pairs(root: Path, images: Path, masks: Path, end: str, findings: Findings) -> list[Pair]:
    pairs, known = [], set()
    for path in walk_images(images):
        stem = path.relative_to(images).with_suffix("").as_posix()
        mask = masks / (stem.removesuffix(_PHOTO_END) + end)
        known.add(mask)
        shown = path.relative_to(root).as_posix()
        if not mask.is_file():
            findings.add("mask-missing", f"there is no {mask.relative_to(root).as_posix()}", file=shown, value=shown,
                         fix="unpack gtFine completely, or remove the photo")  # fmt: skip
            continue
        pairs.append(Pair(shown, mask.relative_to(root).as_posix()))
    for path in walk_images(masks):
        if path.name.endswith(end) and path not in known:
            shown = path.relative_to(root).as_posix()
            findings.warn("mask-without-image", "there is no photo for it", file=shown, value=shown,
                          fix="unpack leftImg8bit completely, or remove the mask")  # fmt: skip
    return pairs
