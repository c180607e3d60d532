"""Reads datasets with an image file for each object's mask and finds what is wrong with them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import attrs
import numpy as np

from pdx_core.data.class_names import read_class_names
from pdx_core.data.findings import Findings, Severity
from pdx_core.data.image_root import image_root
from pdx_core.data.list_files import SPLITS, list_file, read_list
from pdx_core.data.split import UNSPLIT
from pdx_core.errors import DataError
from pdx_core.image_size import displayed_size
from pdx_core.images import read_image
from pdx_core.progress import progress
from pdx_det.api import BoxCollector, Listing, Picture, SplitListing, class_file
from pdx_instseg.outlines import outlines
from pdx_instseg.readers.masks import Mask, box_of
from pdx_instseg.readers_light import SUFFIXES, image_paths, masks_of, split_folders
from pdx_instseg.run_lengths import RunLengths

ONLY_CLASS = "object"  # where nothing names a class
_THREADS = 4  # decoding uses the cores, reading waits for the disk


@attrs.frozen
class _MaskFile:
    """name: relative to the dataset; label: of the folder it lies in, "" where it lies with the others."""

    path: Path
    name: str
    label: str


def scan_mask_folders(
    root: Path,
    findings: Findings,
    splits: Sequence[str] = SPLITS,
    bad_boxes: Severity = "error",
    thorough: bool = False,
) -> Listing:
    """Read all masks of the given splits; everything wrong becomes a finding and is left out.

    A folder without lists and without folders for train and val is one split called `all`, which `pdx split` divides.
    thorough: nothing is left to compare here
    """
    listing = Listing(root=root)
    base, sources = _sources(root, findings, splits)
    files = {split: [_mask_files(base, image) for image in images] for split, (_, images) in sources.items()}
    listing.classes = _classes(root, base, files, splits, findings)
    listing.category_ids = tuple(range(1, len(listing.classes) + 1))
    for split, (source, images) in sources.items():
        listing.splits[split] = _read(listing, base, source, images, files[split], findings, bad_boxes)
    return listing


def splits_of_folders(root: Path) -> list[str]:
    """The splits there are."""
    _, sources = _sources(root, Findings(), (*SPLITS, UNSPLIT))
    return [split for split in (*SPLITS, UNSPLIT) if split in sources]


def _sources(root: Path, findings: Findings, splits: Sequence[str]) -> tuple[Path, dict[str, tuple[str, list[str]]]]:
    """The folder that images are relative to, and by split what lists them and their paths."""
    base = image_root(root, findings)
    lists = {split: path for split in SPLITS if (path := list_file(root, split, SUFFIXES)) is not None}
    if lists:
        found = {
            split: (path.name, [line.annotation for line in read_list(path, root, base, findings)])
            for split, path in lists.items()
            if split in splits
        }
    else:
        base = root
        folders = dict(split_folders(root))
        found = {
            split: (_relative(folder, root), [_relative(folder / name, root) for name in image_paths(folder)])
            for split, folder in folders.items()
            if split in splits or split == UNSPLIT
        }
    if UNSPLIT in found and UNSPLIT not in splits:
        findings.add(
            "not-split",
            "masks in folders without a division into train and val",
            file=".",
            fix=f"divide them with: pdx split {root} --task instseg --train 90 --val 10",
        )
    for split in splits:
        if split != UNSPLIT and split not in found and UNSPLIT not in found:
            findings.add(
                "split-missing",
                f"there is nothing for {split}",
                file=f"{split}.txt",
                fix=f"write {split}.txt with an image per line, or divide the images with `pdx split`",
            )
    return base, found


def _relative(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix()


def _mask_files(base: Path, image: str) -> list[_MaskFile]:
    """The masks of an image, in the order of their names; those of a class may lie in a folder of its name."""
    folder = base / masks_of(base, image)
    found = []
    for child in sorted(folder.iterdir()) if folder.is_dir() else ():
        if child.is_dir():
            found += [
                _MaskFile(path, _relative(path, base), child.name)
                for path in sorted(child.iterdir())
                if path.suffix.lower() in SUFFIXES
            ]
        elif child.suffix.lower() in SUFFIXES:
            found.append(_MaskFile(child, _relative(child, base), ""))
    return found


def _classes(
    root: Path, base: Path, files: dict[str, list[list[_MaskFile]]], splits: Sequence[str], findings: Findings
) -> tuple[str, ...]:
    """Those of labels.txt, else the names of folders in train, else one."""
    names = read_class_names(class_file(root), findings)
    if names is not None:
        return names
    deciding = files.get("train") or files.get(UNSPLIT)
    if deciding is None:  # only val is read: train still decides
        _, sources = _sources(root, Findings(), ("train",))
        deciding = [_mask_files(base, image) for image in sources.get("train", ("", []))[1]]
    labels = sorted({file.label for own in deciding for file in own if file.label})
    return tuple(labels) or (ONLY_CLASS,)


def _read(
    listing: Listing,
    base: Path,
    source: str,
    images: list[str],
    files: list[list[_MaskFile]],
    findings: Findings,
    severity: Severity,
) -> SplitListing:
    pictures, boxes = [], BoxCollector()
    labels = {name: label for label, name in enumerate(listing.classes)}
    only = 0 if len(labels) == 1 else None
    for number, image in enumerate(images, 1):
        pictures.append(Picture(image, image, *_size(base / image), number, masks_of(base, image)))
        if not files[number - 1]:
            findings.warn(
                "image-without-boxes",
                f"{image} has no mask",
                file=masks_of(base, image),
                value=image,
                fix="add them; leave it when nothing is on it",
            )
    flat = [(at, file) for at, own in enumerate(files) for file in own]
    counts: dict[int, int] = {}
    for (at, file), found in zip(flat, _masks([file for _, file in flat]), strict=True):
        number = counts[at] = counts.get(at, -1) + 1
        label = labels.get(file.label) if file.label else only
        if label is None:
            findings.add(
                "class-unknown",
                _unknown(file, listing.classes),
                file=file.name,
                value=file.label,
                fix="put it into a folder with the name of its class, or correct labels.txt",
            )
        elif isinstance(found, DataError):
            findings.add("mask-unreadable", str(found), severity=severity, file=file.name, fix="replace the file")
        else:
            mask = _checked(found, file, pictures[at], findings, severity)
            if mask is not None:
                boxes.add(at, box_of(mask), label, number=number, area=float(np.count_nonzero(found)), mask=mask)
    return SplitListing(
        source=source,
        image_root=base,
        pictures=pictures,
        table=boxes.table(len(pictures)),
        picture_place="line {}",
        box_place="mask {}",
    )


def _masks(files: list[_MaskFile]) -> Iterator[np.ndarray | DataError]:
    """bool [H, W] of each file, or why it cannot be read."""

    def load(file: _MaskFile) -> np.ndarray | DataError:
        try:
            return read_image(file.path, max_megapixels=None).max(axis=2)
        except DataError as error:
            return error

    with ThreadPoolExecutor(_THREADS) as pool, progress(total=len(files), label="masks", unit="mask") as bar:
        for start in range(0, len(files), 256):  # so that few of them wait in memory
            for grey in pool.map(load, files[start : start + 256]):
                bar.update(1)
                yield grey if isinstance(grey, DataError) else grey > (127 if grey.max() > 1 else 0)


def _checked(
    bitmap: np.ndarray, file: _MaskFile, picture: Picture, findings: Findings, severity: Severity
) -> Mask | None:
    height, width = bitmap.shape
    if picture.width and (width, height) != (picture.width, picture.height):
        findings.add(
            "mask-size-differs",
            f"the mask is {width} x {height} pixels, the image is {picture.width} x {picture.height}",
            file=file.name,
            value=f"{width} x {height}",
            fix="make it as large as the image",
        )
        return None
    if not bitmap.any():
        findings.add(
            "mask-empty", "no pixel of the mask is white", severity=severity, file=file.name, fix="remove the file"
        )
        return None
    rows, columns = np.flatnonzero(bitmap.any(axis=1)), np.flatnonzero(bitmap.any(axis=0))
    top, left = int(rows[0]), int(columns[0])
    found = outlines(bitmap[top : rows[-1] + 1, left : columns[-1] + 1], (left, top))
    return RunLengths.of_bitmap(bitmap) if found is None else tuple(part.astype(np.float64) for part in found)


def _size(path: Path) -> tuple[int, int]:
    """Width and height; 0 for an image that cannot be read, which the check of images tells."""
    try:
        return displayed_size(path)
    except DataError:
        return 0, 0


def _unknown(file: _MaskFile, classes: tuple[str, ...]) -> str:
    if file.label:
        return f"the folder {file.label!r} is not one of the {len(classes)} classes"
    return f"there are {len(classes)} classes, and the mask lies in the folder of none of them"
