"""The formats by the names of their records: how each is scanned, and all of it at once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from pdx_core.data.findings import Findings
from pdx_core.data.list_files import SPLITS, list_file
from pdx_core.data.split import UNSPLIT
from pdx_det.api import Listing, coco_file
from pdx_instseg.readers.coco import scan_coco_masks
from pdx_instseg.readers.labelme import scan_labelme_masks
from pdx_instseg.readers.mask_folders import scan_mask_folders, splits_of_folders

SCANS: dict[str, Callable[..., Listing]] = {
    "COCOInstSegDataset": scan_coco_masks,
    "LabelMeInstSegDataset": scan_labelme_masks,
    "MaskFolderDataset": scan_mask_folders,
}


def scan_all(name: str, root: Path, findings: Findings, thorough: bool = False) -> Listing:
    """Everything a dataset holds; a missing split is no finding here, nor is a folder that was never split."""
    there: dict[str, Callable[[], list[str]]] = {
        "COCOInstSegDataset": lambda: [split for split in SPLITS if coco_file(root, split)],
        "LabelMeInstSegDataset": lambda: [split for split in SPLITS if list_file(root, split, ".json")] or [UNSPLIT],
        "MaskFolderDataset": lambda: splits_of_folders(root),
    }
    return SCANS[name](root, findings, there[name](), thorough=thorough)
