"""Small segmentation datasets for tests, drawn here."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from PIL import Image

from pdx_core.data.check import CheckReport, check_dataset
from pdx_core.images import write_image

CLASSES = ("ground", "tree", "car")
SIZE = (24, 16)  # width, height
COUNTS = {"train": 4, "val": 2}


def photo(seed: int) -> np.ndarray:
    """uint8 [H, W, 3] of noise, which no other seed gives."""
    return np.random.default_rng(seed).integers(0, 256, (SIZE[1], SIZE[0], 3), dtype=np.uint8)


def label_map(at: int) -> np.ndarray:
    """uint8 [H, W]: ground, a tree of 6 x 4 pixels, a car of 4 x 5, and a row of ignored pixels."""
    labels = np.zeros((SIZE[1], SIZE[0]), np.uint8)
    labels[2:8, 3 + at : 7 + at] = 1
    labels[9:13, 10:15] = 2
    labels[0] = 255
    return labels


def names(split: str) -> list[str]:
    return [f"{split}_{at}" for at in range(COUNTS[split])]


def write_lists(root: Path) -> Path:
    """PaddleX's SegDataset."""
    for offset, split in enumerate(COUNTS):
        lines = []
        for at, name in enumerate(names(split)):
            write_image(root / "images" / f"{name}.jpg", photo(100 * offset + at))
            write_image(root / "annotations" / f"{name}.png", label_map(at))
            lines.append(f"images/{name}.jpg annotations/{name}.png\n")
        (root / f"{split}.txt").write_text("".join(lines), encoding="utf-8")
    (root / "labels.txt").write_text("".join(f"{name}\n" for name in CLASSES), encoding="utf-8")
    return root


def write_folders(root: Path, images: str = "images/{}", masks: str = "masks/{}", end: str = "") -> Path:
    """Images and masks in folders; `{}` is the split."""
    for offset, split in enumerate(COUNTS):
        for at, name in enumerate(names(split)):
            write_image(root / images.format(split) / f"{name}.png", photo(100 * offset + at))
            write_image(root / masks.format(split) / f"{name}{end}.png", label_map(at))
    (root / "labels.txt").write_text("".join(f"{name}\n" for name in CLASSES), encoding="utf-8")
    return root


def write_labelme(root: Path, shapes: dict[str, list[dict]] | None = None, lists: bool = True) -> Path:
    """LabelMe files with a triangle and a square; `shapes` replaces those of single images."""
    for offset, split in enumerate(COUNTS):
        for at, name in enumerate(names(split)):
            write_image(root / "images" / f"{name}.png", photo(100 * offset + at))
            own = [shape("tree", [[2, 2], [9, 2], [2, 9]]), shape("car", [[12, 4], [18, 4], [18, 10], [12, 10]])]
            content = {
                "version": "5.0.1",
                "flags": {},
                "shapes": (shapes or {}).get(name, own),
                "imagePath": f"..\\images\\{name}.png",
                "imageData": None,
                "imageHeight": SIZE[1],
                "imageWidth": SIZE[0],
            }
            path = root / "annotations" / f"{name}.json"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(content), encoding="utf-8")
        if lists:
            text = "".join(f"annotations/{name}.json\n" for name in names(split))
            (root / f"{split}_anno_list.txt").write_text(text, encoding="utf-8")
    return root


def shape(label: str, points: list, kind: str = "polygon") -> dict:
    return {"label": label, "points": points, "group_id": None, "shape_type": kind, "flags": {}}


def check(root: Path, **options: str) -> CheckReport:
    return check_dataset(root, root.parent / "output", task="seg", options=options)


def find(report: CheckReport, code: str):
    found = [finding for finding in report.findings if finding.code == code]
    assert found, f"no {code} among: {report.findings.table()}"
    return found[0]


def codes(report: CheckReport) -> set[str]:
    return {finding.code for finding in report.findings}


def save(root: Path, name: str, values: np.ndarray, mode: str | None = None, **options) -> None:
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(values, mode).save(root / name, **options) if mode else Image.fromarray(values).save(
        root / name, **options
    )


def edit(root: Path, old: str, new: str, name: str = "train.txt") -> None:
    path = root / name
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
