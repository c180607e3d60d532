"""The formats by the names of their records: how each is scanned, and which splits a folder has."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from pdx_core.data.findings import Findings
from pdx_core.data.list_files import SPLITS, list_file
from pdx_core.data.split import UNSPLIT
from pdx_seg.readers.cityscapes import scan_cityscapes
from pdx_seg.readers.folders import scan_folders
from pdx_seg.readers.labelme import scan_labelme
from pdx_seg.readers.listing import Listing
from pdx_seg.readers.lists import scan_lists
from pdx_seg.readers.voc import scan_voc
from pdx_seg.readers_light import cityscapes_folders, mask_folders, pair_list, voc_set

SCANS: dict[str, Callable[..., Listing]] = {
    "SegDataset": scan_lists,
    "MaskFolders": scan_folders,
    "VOCSegDataset": scan_voc,
    "Cityscapes": scan_cityscapes,
    "LabelMeSegDataset": scan_labelme,
}


def splits_there(name: str, root: Path) -> list[str]:
    """The splits that a dataset in the format `name` has; [UNSPLIT] where nobody has divided it."""
    there: Callable[[str], object] = {
        "SegDataset": lambda split: pair_list(root, split),
        "MaskFolders": lambda split: mask_folders(root, split),
        "VOCSegDataset": lambda split: voc_set(root, split),
        "Cityscapes": lambda split: cityscapes_folders(root, split),
        "LabelMeSegDataset": lambda split: list_file(root, split, ".json"),
    }[name]
    return [split for split in SPLITS if there(split)] or [UNSPLIT]


def scan_all(name: str, root: Path, findings: Findings, **options: Any) -> Listing:
    """Everything a dataset holds; a missing split is no finding here, nor is a folder that was never split."""
    return SCANS[name](root, findings, splits_there(name, root), **options)
