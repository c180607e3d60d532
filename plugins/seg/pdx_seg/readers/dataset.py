"""Readers of segmentation datasets."""

from __future__ import annotations

import logging
from collections import Counter
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from pdx_core.data.findings import Findings
from pdx_core.data.sample import Sample
from pdx_core.data.split import UNSPLIT
from pdx_core.errors import DataError
from pdx_core.images import DEFAULT_MAX_MEGAPIXELS, read_image
from pdx_seg.readers.formats import SCANS, scan_all
from pdx_seg.readers.label_maps import count_pixels, read_label_map, settle_classes
from pdx_seg.readers.listing import Listing

logger = logging.getLogger(__name__)

# The classes counted last: train and val of one dataset are opened one after the other
_counted: dict[tuple, tuple[str, ...]] = {}


class LabelMapDataset:
    """Images with a class for every pixel, of one split. `classes` are those of the whole dataset.

    options: `ignore` and `remap`, see `pdx_seg.readers_options.MaskOptions`

    Where no file names the classes all masks are read once to count them. Raises DataError naming file and place of
    what is wrong with lists and names; a mask is judged when its sample is read.
    """

    format: ClassVar[str]

    def __init__(
        self, root: Path, split: str = "train", max_megapixels: float | None = DEFAULT_MAX_MEGAPIXELS, **options: Any
    ) -> None:
        root, findings = Path(root), Findings()
        listing = SCANS[self.format](root, findings, (split,), **options)
        if UNSPLIT in listing.splits:
            raise DataError(f"{root} is not split; use: pdx split {root} --train 90 --val 10")
        findings.raise_errors(f"the dataset {root} cannot be used")
        if findings.warning_count:
            logger.warning("%s: %s; `pdx check` lists them", root, findings.summary())
        if not listing.splits[split].pairs:
            raise DataError(f"{root / listing.splits[split].source}: there are no {split} images")
        if listing.classes is None:
            _count_classes(listing, scan_all(self.format, root, Findings(), **options), max_megapixels)
        assert listing.classes is not None, "either named or counted"
        self.classes: tuple[str, ...] = listing.classes
        self.listing, self.root, self.split, self.max_megapixels = listing, root, split, max_megapixels
        self.pairs = listing.splits[split].pairs

    def __len__(self) -> int:
        return len(self.pairs)

    def __getitem__(self, index: int) -> Sample:
        """`label_map` is uint8 [H, W], class indices and IGNORE; `extra["mask_path"]` is the file it comes from."""
        pair = self.pairs[index]
        path = self.listing.image_path(pair)
        image = read_image(path, max_megapixels=self.max_megapixels)
        height, width = image.shape[:2]
        return Sample(
            image=image,
            label_map=read_label_map(self.listing, pair, (width, height), self.max_megapixels),
            path=str(path),
            id=pair.image,
            size=(height, width),
            extra={"mask_path": str(self.listing.mask_path(pair))},
        )

    def describe(self, index: int) -> str:
        """The file of a sample."""
        return str(self.listing.image_path(self.pairs[index]))


def _count_classes(listing: Listing, whole: Listing, max_megapixels: float | None) -> None:
    """Give `listing` the classes that the masks of the `whole` dataset show."""
    pairs = [pair for split in whole.splits.values() for pair in split.pairs]
    key = (repr(whole.coding), *(_stamp(whole.mask_path(pair)) for pair in pairs))
    if key not in _counted:
        logger.info("no file names the classes: counting them in %d masks (labels.txt would save that)", len(pairs))
        counts, raw, findings = np.zeros(256, np.int64), Counter(), Findings()
        for found, values in count_pixels(whole, pairs, max_megapixels):
            counts += found
            raw.update(values)
        settle_classes(whole, counts, raw, findings)
        findings.raise_errors(f"the dataset {listing.root} cannot be used")
        if whole.classes is None or len(whole.classes) < 2:
            shown = len(whole.classes or ())
            raise DataError(f"{listing.root}: the masks show {shown} class(es); `pdx check` says more")
        _counted.clear()
        _counted[key] = whole.classes
    listing.set_classes(_counted[key])


def _stamp(path: Path) -> tuple[str, int]:
    try:
        return str(path), path.stat().st_mtime_ns
    except OSError:
        return str(path), 0


class SegDataset(LabelMapDataset):
    """Lists with an image and its mask per line."""

    format = "SegDataset"


class MaskFolders(LabelMapDataset):
    """Images and masks of the same names in two folders."""

    format = "MaskFolders"


class VocSegmentation(LabelMapDataset):
    """Pascal VOC's layout."""

    format = "VOCSegDataset"


class Cityscapes(LabelMapDataset):
    """Cityscapes, 19 classes."""

    format = "Cityscapes"


class LabelMeSegmentation(LabelMapDataset):
    """LabelMe files with polygons, drawn when a sample is read."""

    format = "LabelMeSegDataset"
