"""Looks at every mask of a dataset, with a few threads: can it be read, does it fit its image, what does it hold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import attrs
import numpy as np

from pdx_core.data.findings import Findings
from pdx_core.data.image_check import ImageFacts, near_name, what_is_missing
from pdx_core.data.size_check import Size, size_difference
from pdx_core.errors import DataError
from pdx_core.image_headers import ImageError
from pdx_core.image_size import displayed_size, size_and_orientation
from pdx_core.opencv import require_cv2
from pdx_core.progress import progress
from pdx_seg.advice import advise_remap
from pdx_seg.labels import IGNORE
from pdx_seg.readers.coding import Defect
from pdx_seg.readers.label_maps import THREADS, code_mask, read_label_map
from pdx_seg.readers.listing import Listing, Pair, SplitListing
from pdx_seg.remap import Colour

_REMEMBERED = 100_000  # values or colours of a dataset; with more of them they are no labels
_ADVISED = frozenset({"mask-values", "mask-colour", "mask-16-bit"})  # defects that a remap may mend


@attrs.define(eq=False)
class SplitStatistics:
    """What the masks of one split hold.

    pixels: int64 [256], pixels by class index; IGNORE counts the ignored ones
    images: int64 [256], images in which a class index occurs
    """

    pixels: np.ndarray = attrs.field(factory=lambda: np.zeros(256, np.int64))
    images: np.ndarray = attrs.field(factory=lambda: np.zeros(256, np.int64))
    masks: int = 0  # that could be read


@attrs.define(eq=False)
class _Look:
    """One mask. error: why its file cannot be read; size: its width and height."""

    split: str
    pair: Pair
    error: ImageError | None = None
    defects: list[Defect] = attrs.field(factory=list)
    size: Size = (0, 0)
    counts: np.ndarray | None = None
    raw: dict[int | Colour, int] = attrs.field(factory=dict)


def check_masks(
    listing: Listing, facts: Mapping[str, ImageFacts], findings: Findings, max_megapixels: float | None
) -> tuple[dict[str, SplitStatistics], Counter]:
    """Read every mask; each that cannot be used, or does not fit its image, becomes a finding.

    facts:   of the readable images, by `Pair.image`
    returns: statistics per split, and the pixels of the dataset by what stands in the files
    """
    require_cv2().setNumThreads(1)
    pairs = [(name, pair) for name, split in listing.splits.items() for pair in split.pairs]
    statistics = {name: SplitStatistics() for name in listing.splits}
    raw: Counter = Counter()
    kept: list[_Look] = []  # with something to say; advice needs the values of all masks first
    with ThreadPoolExecutor(THREADS) as pool, progress(total=len(pairs), label="masks", unit="img") as bar:
        for look in pool.map(lambda item: _look(listing, *item, max_megapixels), pairs):
            bar.update(1)
            if len(raw) < _REMEMBERED:
                raw.update(look.raw)
            if look.counts is not None:
                _add(statistics[look.split], look.counts)
            if look.error is not None or look.defects:
                kept.append(look)
            fact = facts.get(look.pair.image)
            if fact is not None and 0 not in look.size:
                _check_size(listing, look, fact, findings)
    advice = advise_remap(listing.coding, raw)
    for look in kept:
        _record(listing, look, advice, findings)
    return statistics, raw


def place_of(split: SplitListing, pair: Pair) -> tuple[str, str]:
    """The file that names an image, and where in it; for folders the image itself."""
    return (split.source, f"line {pair.number}") if pair.number and split.source != "." else (pair.image, "")


def _look(listing: Listing, split: str, pair: Pair, max_megapixels: float | None) -> _Look:
    look = _Look(split, pair)
    if pair.polygons is not None:
        try:
            size = displayed_size(listing.image_path(pair))
            if size[0] * size[1] <= (max_megapixels or np.inf) * 1e6:
                label_map = read_label_map(listing, pair, size)
                look.counts, look.size = np.bincount(label_map.ravel(), minlength=256), pair.size
        except DataError:
            pass  # a defect of the image, which is reported with the images
        return look
    try:
        coded, look.size = code_mask(listing, pair, max_megapixels)
    except ImageError as error:
        look.error = error
        return look
    look.defects, look.raw = coded.defects, coded.raw
    if coded.label_map is not None:
        look.counts = coded.counts
        if not coded.counts[:IGNORE].any():
            look.defects.append(
                Defect(
                    "mask-all-ignored",
                    "nothing can be learned from it: all its pixels are ignored",
                    "annotate it, or remove the image",
                    "warning",
                )
            )
    return look


def _add(statistics: SplitStatistics, counts: np.ndarray) -> None:
    statistics.pixels += counts
    statistics.images += counts > 0
    statistics.masks += 1


def _record(listing: Listing, look: _Look, advice: str, findings: Findings) -> None:
    mask, split = look.pair.mask, listing.splits[look.split]
    if look.error is not None:
        _record_unreadable(listing, look, look.error, findings)
    for defect in look.defects:
        fix = advice if defect.code in _ADVISED and advice and defect.severity == "error" else defect.fix
        findings.add(defect.code, defect.message, severity=defect.severity, file=mask, value=defect.value,
                     location=_line(split, look.pair), fix=fix)  # fmt: skip


def _record_unreadable(listing: Listing, look: _Look, error: ImageError, findings: Findings) -> None:
    path, split = listing.mask_path(look.pair), listing.splits[look.split]
    code = error.code.replace("image", "mask", 1)
    if error.code == "image-missing":
        near = near_name(path)
        hint = f"there is {near!r}, names must agree in upper and lower case; " if near else ""
        file, place = place_of(split, look.pair)
        findings.add(code, f"{look.pair.mask} {what_is_missing(path)}", file=file, location=place, value=look.pair.mask,
                     fix=f"{hint}correct the name, or add the mask")  # fmt: skip
        return
    message = str(error).removeprefix(f"{path}: ").replace("the image", "the mask")
    message, _, fix = message.partition("; ")
    findings.add(code, message, file=look.pair.mask, location=_line(split, look.pair), value=look.pair.mask, fix=fix)


def _check_size(listing: Listing, look: _Look, fact: ImageFacts, findings: Findings) -> None:
    """The size of a mask against that of its image, as the image is shown after its EXIF rotation."""
    shown, orientation = size_and_orientation(listing.image_path(look.pair))
    kind = size_difference(look.size, shown, (fact.width, fact.height))
    place = {"file": look.pair.mask, "location": _line(listing.splits[look.split], look.pair),
             "value": f"{look.size[0]} x {look.size[1]}"}  # fmt: skip
    what = "the annotation says" if look.pair.polygons is not None else "it has"
    text = f"{what} {look.size[0]} x {look.size[1]} pixels, {look.pair.image} has {shown[0]} x {shown[1]}"
    if kind == "unrotated":
        findings.add("mask-size-unrotated", f"{text} after the rotation its EXIF data ask for: the mask was drawn on "
                     "the unrotated photo", fix="rotate the mask as the photo is shown, or remove the EXIF orientation "
                     "from the photo", **place)  # fmt: skip
    elif kind == "swapped":
        findings.add("mask-size-swapped", f"{text}: width and height are exchanged",
                     fix="turn the mask by 90 degrees", **place)  # fmt: skip
    elif kind:
        findings.add("mask-size", text, fix="make them of one size; resize masks with nearest neighbour only", **place)
    elif orientation != 1 and shown in ((fact.width, fact.height), shown[::-1]):
        findings.warn("image-turned-by-exif", f"{look.pair.image} is turned by its EXIF data (orientation "
                      f"{orientation}), and the size does not tell whether the mask was drawn on it turned",
                      fix="look at its picture in check_dataset/demo_img, or turn the pixels and remove the "
                      "orientation", **place)  # fmt: skip


def _line(split: SplitListing, pair: Pair) -> str:
    return f"{split.source} line {pair.number}" if pair.number and split.source != "." else ""
