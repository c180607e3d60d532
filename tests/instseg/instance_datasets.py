"""Small datasets with masks for tests, drawn here in each layout."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from pdx_core.images import write_image
from pdx_instseg.run_lengths import RunLengths

CLASSES = ("leaf", "ring")
WIDTH, HEIGHT = 40, 30
TRIANGLE = [4.0, 3.0, 16.0, 3.0, 4.0, 15.0]
PARTS = [[22.0, 4.0, 28.0, 4.0, 28.0, 10.0, 22.0, 10.0], [30.0, 4.0, 36.0, 4.0, 36.0, 10.0, 30.0, 10.0]]


def ring() -> np.ndarray:
    """bool [H, W]: a frame of 8 x 8 pixels at (20, 16) with a hole of 4 x 4."""
    bitmap = np.zeros((HEIGHT, WIDTH), bool)
    bitmap[16:24, 20:28] = True
    bitmap[18:22, 22:26] = False
    return bitmap


def crowd() -> np.ndarray:
    """bool [H, W]: the lowest three rows of the left half."""
    bitmap = np.zeros((HEIGHT, WIDTH), bool)
    bitmap[27:, :20] = True
    return bitmap


def annotations_of(image_id: int, first: int) -> list[dict[str, Any]]:
    """A triangle, an object of two squares, a ring with a hole, and a crowd."""
    ring_mask, crowd_mask = RunLengths.of_bitmap(ring()), RunLengths.of_bitmap(crowd())
    rows = [
        (1, [4, 3, 12, 12], 72, [TRIANGLE], 0),
        (1, [22, 4, 14, 6], 72, PARTS, 0),
        (2, [20, 16, 8, 8], 48, ring_mask.json, 0),
        (1, [0, 27, 20, 3], 60, crowd_mask.json, 1),
    ]
    return [
        {
            "id": first + number,
            "image_id": image_id,
            "category_id": category,
            "bbox": box,
            "area": area,
            "segmentation": segmentation,
            "iscrowd": is_crowd,
        }
        for number, (category, box, area, segmentation, is_crowd) in enumerate(rows)
    ]


def picture(split: str, at: int) -> np.ndarray:
    rng = np.random.default_rng((split == "val", at))
    return rng.integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)


def write_coco(root: Path, train: int = 3, val: int = 2) -> Path:
    """PaddleX's COCOInstSegDataset."""
    for split, count in (("train", train), ("val", val)):
        content: dict[str, Any] = {"images": [], "annotations": [], "categories": []}
        for at in range(count):
            name = f"{split}_{at}.png"
            write_image(root / "images" / name, picture(split, at))
            content["images"].append({"id": at + 1, "file_name": name, "width": WIDTH, "height": HEIGHT})
            content["annotations"] += annotations_of(at + 1, 4 * at + 1)
        content["categories"] = [{"id": number, "name": name} for number, name in enumerate(CLASSES, 1)]
        path = root / "annotations" / f"instance_{split}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content), encoding="utf-8")
    return root


def write_labelme(root: Path, count: int = 5) -> Path:
    """A folder that nobody has divided: a triangle, a group of two squares, a rectangle and a circle."""
    for at in range(count):
        write_image(root / "images" / f"p{at}.png", picture("train", at))
        shapes = [
            {"label": "leaf", "points": pairs(TRIANGLE), "group_id": None, "shape_type": "polygon"},
            {"label": "leaf", "points": pairs(PARTS[0]), "group_id": 7, "shape_type": "polygon"},
            {"label": "leaf", "points": pairs(PARTS[1]), "group_id": 7, "shape_type": "polygon"},
            {"label": "box", "points": [[38, 28], [30, 20]], "group_id": None, "shape_type": "rectangle"},
            {"label": "disc", "points": [[10, 22], [10, 27]], "group_id": None, "shape_type": "circle"},
        ]
        content = {
            "version": "5.4.1",
            "flags": {},
            "shapes": shapes,
            "imagePath": f"../images/p{at}.png",
            "imageData": None,
            "imageHeight": HEIGHT,
            "imageWidth": WIDTH,
        }
        path = root / "annotations" / f"p{at}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content), encoding="utf-8")
    return root


def write_mask(path: Path, bitmap: np.ndarray) -> None:
    write_image(path, bitmap.astype(np.uint8) * 255)


def square(x: int, y: int, side: int = 5) -> np.ndarray:
    bitmap = np.zeros((HEIGHT, WIDTH), bool)
    bitmap[y : y + side, x : x + side] = True
    return bitmap


def write_ids(root: Path, count: int = 4) -> Path:
    """DSB2018: a folder for each image."""
    for at in range(count):
        folder = root / f"id{at}"
        write_image(folder / "images" / f"id{at}.png", picture("train", at))
        write_mask(folder / "masks" / "a.png", square(3, 4))
        write_mask(folder / "masks" / "b.png", ring())
    return root


def write_stems(root: Path) -> Path:
    """images/ and masks/<stem>/<class>/ below train/ and val/."""
    for split in ("train", "val"):
        for at in range(2):
            write_image(root / split / "images" / f"p{at}.png", picture(split, at))
            write_mask(root / split / "masks" / f"p{at}" / "leaf" / "1.png", square(3, 4))
            write_mask(root / split / "masks" / f"p{at}" / "ring" / "1.png", ring())
    return root


def pairs(flat: list[float]) -> list[list[float]]:
    return [[flat[at], flat[at + 1]] for at in range(0, len(flat), 2)]
