"""Readers of detection datasets."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pdx_core.data.findings import Findings
from pdx_core.data.sample import Sample
from pdx_core.data.split import UNSPLIT
from pdx_core.errors import ConfigError, DataError
from pdx_core.images import DEFAULT_MAX_MEGAPIXELS, read_image
from pdx_det.readers.coco import scan_coco
from pdx_det.readers.labelme import scan_labelme
from pdx_det.readers.listing import Listing
from pdx_det.readers.voc import scan_voc
from pdx_det.readers.yolo_txt import scan_yolo

logger = logging.getLogger(__name__)


class BoxDataset:
    """Images with boxes of one split. `classes` are those of the whole dataset.

    bad_boxes: "stop" refuses a dataset with boxes that cannot be used, "skip" leaves those boxes out
    empty:     whether training images without boxes are used

    Raises DataError naming file and place of what is wrong with the annotations.
    """

    def __init__(
        self,
        scan: Callable[..., Listing],
        root: Path,
        split: str,
        max_megapixels: float = DEFAULT_MAX_MEGAPIXELS,
        bad_boxes: str = "stop",
        empty: bool = True,
        **options: Any,
    ) -> None:
        if bad_boxes not in ("stop", "skip"):
            raise ConfigError(f"bad_boxes must be stop or skip, got {bad_boxes!r}")
        root, findings = Path(root), Findings()
        severity = "error" if bad_boxes == "stop" else "warning"
        listing = scan(root, findings, (split,), bad_boxes=severity, **options)
        if UNSPLIT in listing.splits:
            raise DataError(f"{root} is not split; use: pdx split {root} --train 90 --val 10")
        findings.raise_errors(f"the dataset {root} cannot be used")
        if findings.warning_count:
            logger.warning("%s: %s; `pdx check` lists them", root, findings.summary())
        self.classes, self.category_ids = listing.classes, listing.category_ids
        self.root, self.split, self.max_megapixels = root, split, max_megapixels
        self.listing = listing.splits[split]
        counts = self.listing.table.starts[1:] - self.listing.table.starts[:-1]
        kept = range(len(counts)) if empty or split != "train" else [at for at, n in enumerate(counts) if n]
        self._kept = list(kept)
        if not self._kept:
            raise DataError(f"{root / self.listing.source}: there are no {split} images")

    def __len__(self) -> int:
        return len(self._kept)

    def __getitem__(self, index: int) -> Sample:
        """`sample.extra["category_ids"]` are the ids of the classes in COCO results."""
        at = self._kept[index]
        picture = self.listing.pictures[at]
        path = self.listing.image_path(picture)
        image = read_image(path, max_megapixels=self.max_megapixels)
        return Sample(
            image=image,
            boxes=self.listing.table.boxes(at),
            path=str(path),
            id=picture.id,
            size=image.shape[:2],
            extra={"category_ids": self.category_ids},
        )

    def picture_of(self, index: int) -> int:
        """Which picture of the listing a sample is."""
        return self._kept[index]

    def describe(self, index: int) -> str:
        """The file of a sample."""
        return str(self.listing.image_path(self.listing.pictures[self._kept[index]]))


class CocoDetection(BoxDataset):
    """COCO json; see `readers_specs` for the layouts."""

    def __init__(self, root: Path, split: str = "train", **options: Any) -> None:
        super().__init__(scan_coco, root, split, **options)


class VocDetection(BoxDataset):
    """Pascal VOC xml. `one_based` counts pixels from 1, as the original VOC data do."""

    def __init__(self, root: Path, split: str = "train", one_based: bool = False, **options: Any) -> None:
        super().__init__(scan_voc, root, split, one_based=one_based, **options)


class YoloDetection(BoxDataset):
    """YOLO text files."""

    def __init__(self, root: Path, split: str = "train", **options: Any) -> None:
        super().__init__(scan_yolo, root, split, **options)


class LabelMeDetection(BoxDataset):
    """LabelMe json with rectangles."""

    def __init__(self, root: Path, split: str = "train", **options: Any) -> None:
        super().__init__(scan_labelme, root, split, **options)
