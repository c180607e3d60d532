"""The formats by the names of their records: how each is scanned, and which splits a folder has."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from pdx_core.data.findings import Findings
from pdx_core.data.list_files import SPLITS, list_file
from pdx_core.data.split import UNSPLIT
from pdx_det.readers.coco import scan_coco
from pdx_det.readers.labelme import scan_labelme
from pdx_det.readers.listing import Listing
from pdx_det.readers.voc import scan_voc
from pdx_det.readers.yolo_txt import scan_yolo
from pdx_det.readers_light import coco_file, image_set, yolo_folders, yolo_splits

SCANS: dict[str, Callable[..., Listing]] = {
    "COCODetDataset": scan_coco,
    "VOCDetDataset": scan_voc,
    "YOLODetDataset": scan_yolo,
    "LabelMeDetDataset": scan_labelme,
}


def splits_there(name: str, root: Path) -> list[str]:
    """The splits that a dataset in the format `name` has."""
    there: Callable[[str], object] = {
        "COCODetDataset": lambda split: coco_file(root, split),
        "VOCDetDataset": lambda split: list_file(root, split, ".xml") or image_set(root, split),
        "YOLODetDataset": lambda split: split in yolo_splits(root) or yolo_folders(root, split),
        "LabelMeDetDataset": lambda split: list_file(root, split, ".json"),
    }[name]
    return [split for split in SPLITS if there(split)]


def scan_all(name: str, root: Path, findings: Findings) -> Listing:
    """Everything a dataset holds; a missing split is no finding here, nor is a folder that was never split."""
    splits = splits_there(name, root)
    if name == "LabelMeDetDataset" and not splits:
        splits = [UNSPLIT]
    return SCANS[name](root, findings, splits)
