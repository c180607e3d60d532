"""Every defect of YOLO texts and folders is found, with file and line."""

from __future__ import annotations

import pytest
from box_datasets import check, find

BAD_LINES: dict[str, tuple[str, str]] = {
    "1 0.5 0.5 0.1": ("bbox-length", "error"),
    "1 0.5 0.5 0.1 x": ("bbox-not-a-number", "error"),
    "1 0.5 0.5 nan 0.1": ("bbox-not-finite", "error"),
    "1 24 16 10 12": ("bbox-not-normalised", "error"),
    "1 0.5 0.5 0 0.1": ("bbox-zero-size", "error"),
    "1 0.5 0.5 -0.1 0.1": ("bbox-negative-size", "error"),
    "3 0.5 0.5 0.1 0.1": ("class-out-of-range", "error"),
    "-1 0.5 0.5 0.1 0.1": ("class-out-of-range", "error"),
    "dog 0.5 0.5 0.1 0.1": ("class-not-integer", "error"),
    "1 0.9 0.5 0.6 0.1": ("bbox-partly-outside", "warning"),
}


@pytest.mark.parametrize("line", BAD_LINES)
def test_defects_of_yolo_files_are_named(convert, line):
    root = convert("YOLO")
    path = root / "labels" / "train" / "train_1.txt"
    path.write_text(path.read_text() + line + "\n")
    code, severity = BAD_LINES[line]
    finding = find(check(root), code)
    assert (finding.file, finding.location, finding.severity) == ("labels/train/train_1.txt", "line 3", severity)


def test_other_defects_of_yolo_folders(convert):
    root = convert("YOLO")
    (root / "labels" / "train" / "ghost.txt").write_text("0 0.5 0.5 0.1 0.1\n")
    (root / "labels" / "val" / "val_0.txt").unlink()
    report = check(root)
    assert find(report, "image-missing").file == "labels/train/ghost.txt"
    assert find(report, "image-without-boxes").file == "labels/val/val_0.txt"
    (root / "data.yaml").write_text("train: [images/train\n")
    assert find(check(root), "yaml-syntax").location
    (root / "data.yaml").write_text("train: images/train\nval: images/nowhere\nnames: [cat, dog, cow]\nnc: 4\n")
    report = check(root)
    assert find(report, "class-count").field == "nc" and find(report, "split-missing").field == "val"
