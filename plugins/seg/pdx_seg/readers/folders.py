"""Reads images and masks that lie in two folders and belong together by their names."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pdx_core.data.findings import Findings
from pdx_core.data.list_files import SPLITS
from pdx_core.data.split import UNSPLIT
from pdx_core.image_files import walk_images
from pdx_seg.readers.listing import Listing, Pair, SplitListing
from pdx_seg.readers.opening import open_listing
from pdx_seg.readers_light import mask_folders

# What the name of a mask may have that the name of its image has not: (image end, mask end)
_ENDS = (
    *(("", end) for end in ("", "_mask", "_label", "_labels", "_gt", "_L", "_seg", "_segmentation", "_annotation")),
    *(("", end) for end in ("-mask", ".mask", "_matte", "_labelIds", "_labelTrainIds", "_lab")),
    *(("_image", end) for end in ("_mask", "_label", "_labels", "_gt", "")),
    *(("_img", end) for end in ("_mask", "_label", "_gt", "")),
    ("_sat", "_mask"),
    ("_rgb", "_label"),
)


def scan_folders(root: Path, findings: Findings, splits: Sequence[str] = SPLITS, **options: Any) -> Listing:
    """Pair the files of the given splits; what has no partner becomes a finding.

    Folders without train and val are one split called `all`, which `pdx split` divides.
    """
    listing = open_listing(root, findings, **options)
    listing.base = root
    folders: dict[str, tuple[Path, Path]] = {}
    for split in SPLITS:
        found = mask_folders(root, split)
        if found is not None:
            folders[split] = found
    whole = mask_folders(root, None) if not folders else None
    if whole is not None:
        if UNSPLIT not in splits:
            findings.add(
                "not-split",
                "images and masks without train and val",
                file=".",
                fix=f"divide them with: pdx split {root} --train 90 --val 10",
            )
        folders, splits = {UNSPLIT: whole}, (UNSPLIT,)
    for split in splits:
        if split not in folders:
            findings.add(
                "split-missing",
                f"there are no folders for {split}",
                file=".",
                fix=f"put its files into images/{split} and masks/{split}, or divide the others with `pdx split`",
            )
            continue
        images, masks = folders[split]
        listing.splits[split] = SplitListing(
            source=images.relative_to(root).as_posix(), pairs=pair_files(root, images, masks, findings)
        )
    return listing


def pair_files(root: Path, images: Path, masks: Path, findings: Findings) -> list[Pair]:
    """Images and masks with the same path below their folders, but for suffixes and a usual end of the names."""
    by_name = _by_name(images, root, findings)
    masks_by_name = _by_name(masks, root, findings)
    best = max(_ENDS, key=lambda ends: len(_partners(by_name, masks_by_name, ends)))
    partners = _partners(by_name, masks_by_name, best)
    folded = {name.lower(): name for name in masks_by_name}
    pairs = []
    for name, image in by_name.items():
        if name in partners:
            pairs.append(Pair(image, masks_by_name[partners[name]]))
            continue
        near = folded.get(_partner(name, best).lower())
        hint = f"; there is {masks_by_name[near]}: names must agree in upper and lower case" if near else ""
        findings.add("mask-missing", f"there is no mask for it in {masks.relative_to(root).as_posix()}/{hint}",
                     file=image, value=image, fix="add the mask, or remove the image")  # fmt: skip
    for name in sorted(set(masks_by_name) - set(partners.values())):
        findings.warn("mask-without-image", f"there is no image for it in {images.relative_to(root).as_posix()}/",
                      file=masks_by_name[name], value=masks_by_name[name],
                      fix="add the image, or remove the mask")  # fmt: skip
    return pairs


def _by_name(folder: Path, root: Path, findings: Findings) -> dict[str, str]:
    """Path from `root` by path from `folder` without suffix; two files that differ in the suffix only are reported."""
    found: dict[str, str] = {}
    for path in walk_images(folder):
        shown = path.relative_to(root).as_posix()
        name = path.relative_to(folder).with_suffix("").as_posix()
        if name in found:
            findings.add("name-twice", f"differs from {found[name]} in the suffix only", file=shown, value=shown,
                         fix="remove or rename one of them")  # fmt: skip
            continue
        found[name] = shown
    return found


def _partners(images: dict[str, str], masks: dict[str, str], ends: tuple[str, str]) -> dict[str, str]:
    return {name: partner for name in images if (partner := _partner(name, ends)) in masks and name.endswith(ends[0])}


def _partner(name: str, ends: tuple[str, str]) -> str:
    return name.removesuffix(ends[0]) + ends[1]
