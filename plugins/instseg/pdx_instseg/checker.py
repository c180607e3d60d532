"""Checks and splits datasets of instance segmentation."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from pdx_core.data.findings import Findings
from pdx_core.data.image_check import ImageFacts
from pdx_core.image_size import displayed_size
from pdx_det.api import (
    COCO_BORDERS,
    BoxDatasetChecker,
    Listing,
    Panel,
    SplitListing,
    draw_histograms,
    write_coco_split,
    write_lists_split,
)
from pdx_instseg.mask_drawing import draw_instances
from pdx_instseg.readers.formats import SCANS, scan_all
from pdx_instseg.readers.mask_checks import check_sizes
from pdx_instseg.readers.masks import area_of, to_run_lengths
from pdx_instseg.run_lengths import RunLengths
from pdx_instseg.writing import write_image_lists


class _Checker(BoxDatasetChecker):
    """Beside the boxes, the masks: each against its box, its image and the area that was annotated."""

    dataset_type: ClassVar[str] = "COCOInstSegDataset"
    format: ClassVar[str] = "COCOInstSegDataset"
    unit: ClassVar[str] = "objects"

    def scan(self, findings: Findings) -> Listing:
        return SCANS[self.format](self.root, findings, self.settings.splits, thorough=True)

    def scan_everything(self, findings: Findings) -> Listing:
        return scan_all(self.format, self.root, findings)

    def look_closer(self, listing: Listing, facts: Mapping[str, ImageFacts], findings: Findings) -> None:
        """Masks of images whose size no annotation says, against the files."""
        for split in listing.splits.values():
            if split.table.masks is None:
                continue
            for at, picture in enumerate(split.pictures):
                if not (picture.width and picture.height) and self.shown(split, picture) in facts:
                    rows = split.table.rows(at)
                    places = [split.box_place.format(number) for number in split.table.numbers[rows].tolist()]
                    size = displayed_size(split.image_path(picture))
                    check_sizes(split.table.masks[rows], size, places, picture.annotation, findings)

    def drawn(self, listing: Listing, split: SplitListing, at: int) -> np.ndarray:
        image, rows = self.image(split, at), split.table.rows(at)
        masks = [] if split.table.masks is None else split.table.masks[rows]
        coded = [to_run_lengths(mask, image.shape[:2]) for mask in masks]
        labels = split.table.labels[rows]
        texts = [listing.classes[label] for label in labels.tolist()]
        return draw_instances(image, (_window(mask) for mask in coded), split.table.xyxy[rows], texts, labels)

    def draw_statistics(self, output: Path, listing: Listing) -> None:
        """Sizes of the masks, how much of their boxes they fill, and how many objects an image has."""
        areas, shares, counts = {}, {}, {}
        for name, split in listing.splits.items():
            table = split.table
            boxes = np.prod(table.xyxy[:, 2:] - table.xyxy[:, :2], axis=1).astype(np.float64)
            own = np.array([_area(split, row) for row in range(len(table))], np.float64)
            seen = own > 0
            areas[name] = np.sqrt(own[seen])
            shares[name] = np.minimum(own[seen] / boxes[seen], 1.0)
            counts[name] = np.diff(table.starts).astype(np.float64)
        draw_histograms(
            output,
            "mask_sizes.png",
            [
                Panel("Size of the masks", "square root of the area in pixels (lines: 32 and 96)", "objects", areas,
                      lines=COCO_BORDERS),
                Panel("How much of its box a mask fills", "share of the box", "objects", shares, linear=True),
                Panel("Objects of an image", "objects", "images", counts, linear=True),
            ],
        )  # fmt: skip


class CocoChecker(_Checker):
    """For COCO json."""

    def write(self, output: Path, listing: Listing, parts: Any) -> None:
        write_coco_split(output, listing, parts)


class LabelMeChecker(_Checker):
    """For LabelMe json."""

    format = "LabelMeInstSegDataset"
    dataset_type = "LabelMeInstSegDataset"

    def write(self, output: Path, listing: Listing, parts: Any) -> None:
        write_lists_split(output, listing, parts, "{}_anno_list.txt", ".json")


class MaskFolderChecker(_Checker):
    """For folders of masks."""

    format = "MaskFolderDataset"
    dataset_type = "MaskFolderDataset"

    def write(self, output: Path, listing: Listing, parts: Any) -> None:
        write_image_lists(output, listing, parts)


def _area(split: SplitListing, row: int) -> float:
    """Pixels of a mask, without rasterising it at the size of its image."""
    return area_of(split.table.masks[row], (0, 0)) if split.table.masks is not None else 0.0


def _window(mask: RunLengths) -> tuple[np.ndarray, tuple[int, int]]:
    left, top, right, bottom = mask.frame
    return mask.bitmap()[top:bottom, left:right], (left, top)
