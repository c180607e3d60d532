"""Small detection datasets for tests, drawn here and written in every format through pdx's own converters."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from pdx_core.images import write_image

CLASSES = ("cat", "dog", "cow")
SIZE = (48, 32)  # width, height


def coco_content(split: str, count: int) -> dict[str, Any]:
    """Every image has two boxes; each class occurs."""
    first = 1 if split == "train" else 101
    images, annotations = [], []
    for at in range(count):
        images.append({"id": first + at, "file_name": f"{split}_{at}.png", "width": SIZE[0], "height": SIZE[1]})
        for number, box in enumerate(([2, 3, 10, 12], [20.5, 8, 16, 20])):
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": first + at,
                    "category_id": (at + number) % 3 + 1,
                    "bbox": list(box),
                    "area": float(box[2] * box[3]),
                    "iscrowd": 0,
                }
            )
    categories = [{"id": number, "name": name} for number, name in enumerate(CLASSES, 1)]
    return {"images": images, "annotations": annotations, "categories": categories}


def write_coco(root: Path, train: int = 6, val: int = 3) -> Path:
    """PaddleX's COCODetDataset."""
    for split, count in (("train", train), ("val", val)):
        for at in range(count):
            rng = np.random.default_rng((split == "val", at))
            image = rng.integers(0, 256, (SIZE[1], SIZE[0], 3), dtype=np.uint8)
            write_image(root / "images" / f"{split}_{at}.png", image)
        path = root / "annotations" / f"instance_{split}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(coco_content(split, count)), encoding="utf-8")
    return root
