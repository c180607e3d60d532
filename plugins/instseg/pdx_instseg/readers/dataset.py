"""Readers of datasets with masks: those of detection, with a mask beside each box."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pdx_core.data.sample import Sample
from pdx_core.errors import DataError
from pdx_det.api import BoxDataset
from pdx_instseg.readers.coco import scan_coco_masks
from pdx_instseg.readers.labelme import scan_labelme_masks
from pdx_instseg.readers.mask_folders import scan_mask_folders
from pdx_instseg.readers.masks import Mask, to_run_lengths, to_sample
from pdx_instseg.run_lengths import RunLengths


class MaskDataset(BoxDataset):
    """Images with a box and a mask for each object; the options are those of `BoxDataset`.

    A sample for evaluation has its masks in `extra["run_lengths"]` too, as they were annotated: what a metric compares
    with costs little memory and suffers from no rounding. Training never looks at the masks of crowds: they are empty.
    """

    def __getitem__(self, index: int) -> Sample:
        sample = super().__getitem__(index)
        table = self.listing.table
        masks: list[Mask] = []
        if table.masks is not None:
            masks = table.masks[table.rows(self.picture_of(index))].tolist()
        for mask in masks:
            if isinstance(mask, RunLengths) and mask.size != sample.size:
                raise DataError(
                    f"{sample.path}: the image is {sample.size[1]} x {sample.size[0]} pixels, a mask of it "
                    f"{mask.size[1]} x {mask.size[0]}; `pdx check` lists all of them"
                )
        if self.split == "train":
            crowds = sample.boxes.crowd.tolist()
            sample.masks = [[] if crowd else to_sample(mask) for mask, crowd in zip(masks, crowds, strict=True)]
        else:
            sample.masks = [to_sample(mask) for mask in masks]
            sample.extra["run_lengths"] = [to_run_lengths(mask, sample.size) for mask in masks]
        return sample


class CocoInstances(MaskDataset):
    """COCO json with segmentation."""

    def __init__(self, root: Path, split: str = "train", **options: Any) -> None:
        super().__init__(scan_coco_masks, root, split, **options)


class LabelMeInstances(MaskDataset):
    """LabelMe json with polygons."""

    def __init__(self, root: Path, split: str = "train", **options: Any) -> None:
        super().__init__(scan_labelme_masks, root, split, **options)


class MaskFolders(MaskDataset):
    """An image file for each object's mask."""

    def __init__(self, root: Path, split: str = "train", **options: Any) -> None:
        super().__init__(scan_mask_folders, root, split, **options)
