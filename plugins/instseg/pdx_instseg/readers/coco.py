"""Reads COCO instances: boxes as detection reads them, and the mask of each."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pdx_core.data.findings import Findings, Severity
from pdx_core.data.list_files import SPLITS
from pdx_det.api import Listing, scan_coco
from pdx_instseg.readers.mask_checks import MaskChecker


def scan_coco_masks(
    root: Path,
    findings: Findings,
    splits: Sequence[str] = SPLITS,
    bad_boxes: Severity = "error",
    thorough: bool = False,
) -> Listing:
    """See `scan_coco`; `BoxTable.masks` are `masks.Mask`. thorough: see `MaskChecker`."""
    checker = MaskChecker(findings, bad_boxes, thorough)
    return scan_coco(root, findings, splits, bad_boxes, checker.read_annotation)
