"""Reads the label map that belongs to an image, from a mask or from polygons."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from pdx_core.data.findings import Findings
from pdx_core.errors import DataError
from pdx_core.image_headers import ImageError
from pdx_core.image_size import displayed_size
from pdx_core.images import read_file_bytes
from pdx_core.opencv import require_cv2
from pdx_core.progress import progress
from pdx_seg.advice import advise_remap
from pdx_seg.labels import IGNORE
from pdx_seg.readers.coding import Coded, show_values
from pdx_seg.readers.listing import Listing, Pair
from pdx_seg.readers.mask_files import decode_mask
from pdx_seg.remap import Colour

THREADS = 4  # decoding uses the cores, reading waits for the disk


def code_mask(listing: Listing, pair: Pair, max_megapixels: float | None) -> tuple[Coded, tuple[int, int]]:
    """The mask file of a pair in class indices, and its width and height. Raises ImageError without the file's name."""
    raw = decode_mask(read_file_bytes(listing.mask_path(pair)), max_megapixels)
    height, width = raw.values.shape[:2]
    return listing.coding.apply(raw), (width, height)


def read_label_map(
    listing: Listing, pair: Pair, size: tuple[int, int], max_megapixels: float | None = None
) -> np.ndarray:
    """What the pixels of an image are.

    size:    width and height of the image, after its EXIF rotation
    returns: uint8 [H, W], class indices and IGNORE

    Raises DataError naming the mask and what is wrong with it.
    """
    if pair.polygons is not None:
        from pdx_seg.readers.labelme import draw_polygons

        return draw_polygons(pair.polygons, *size)
    path = listing.mask_path(pair)
    try:
        coded, found = code_mask(listing, pair, max_megapixels)
    except ImageError as error:
        text = str(error)
        raise ImageError(text if str(path) in text else f"{path}: {text}", error.code) from error
    for defect in coded.defects:
        if defect.severity == "error":
            fix = defect.fix or "`pdx check` says what to do"
            raise DataError(f"{path}: {defect.message}; {fix}")
    if found != size:
        raise DataError(
            f"{path}: has {found[0]} x {found[1]} pixels, its image {listing.image_path(pair)} has {size[0]} x "
            f"{size[1]}; `pdx check` says more"
        )
    assert coded.label_map is not None, "no error, so there is a map"
    return coded.label_map


def count_pixels(
    listing: Listing, pairs: Sequence[Pair], max_megapixels: float | None
) -> Iterator[tuple[np.ndarray, dict[int | Colour, int]]]:
    """Of every mask that can be read, its pixels by class index and by what stands in the file."""
    require_cv2().setNumThreads(1)

    def look(pair: Pair) -> tuple[np.ndarray, dict[int | Colour, int]] | None:
        try:
            if pair.polygons is not None:
                size = displayed_size(listing.image_path(pair))
                label_map = read_label_map(listing, pair, size)
                return np.bincount(label_map.ravel(), minlength=256), {}
            coded, _ = code_mask(listing, pair, max_megapixels)
        except DataError:
            return None
        return coded.counts, coded.raw

    with ThreadPoolExecutor(THREADS) as pool, progress(total=len(pairs), label="masks", unit="img") as bar:
        for found in pool.map(look, pairs):
            bar.update(1)
            if found is not None:
                yield found


def settle_classes(
    listing: Listing,
    counts: np.ndarray,
    raw: dict[int | Colour, int],
    findings: Findings,
) -> None:
    """Give a dataset that no file of names belongs to the classes that its masks show.

    counts: int64 [256], pixels of the whole dataset by class index
    raw:    the same by what stands in the files
    """
    used = np.flatnonzero(counts[:IGNORE])
    if not len(used):
        return
    highest = int(used.max())
    if len(used) * 2 < highest + 1:  # most classes would be empty: these values do not count classes
        findings.add(
            "mask-values",
            f"the masks hold {len(used)} different values up to {highest} ({show_values(raw)}), and no file names the "
            "classes",
            file=next(iter(listing.splits.values())).source,
            value=", ".join(map(str, used[:8].tolist())),
            fix=advise_remap(listing.coding, raw) or "write labels.txt with a class name per line",
        )
    listing.set_classes(tuple(f"class_{number}" for number in range(highest + 1)))
