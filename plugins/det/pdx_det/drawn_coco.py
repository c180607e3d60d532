"""Writes a COCO dataset of drawn shapes, for demos."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from pdx_core.demo_scenes import DISTINCT_SHAPES, SHAPES, SceneObject, scene_rng
from pdx_core.files import write_json
from pdx_core.images import write_image

Draw = Callable[[np.random.Generator], tuple[np.ndarray, list[SceneObject]]]


def write_drawn_coco(
    folder: Path, draw: Draw, *, train: int, val: int, segmentation: Callable[[np.ndarray], Any] | None = None
) -> None:
    """Write pictures to `folder`/train and `folder`/val, and the annotations of their DISTINCT_SHAPES.

    draw:         makes a picture, uint8 [H, W, 3] RGB, and says what is on it
    train, val:   how many pictures
    segmentation: what stands in the file for a mask, bool [H, W]; without it the objects have boxes only
    """
    for split, count in (("train", train), ("val", val)):
        # a folder for each split: there `pdx demo` looks for pictures it did not train on
        images: list[dict[str, Any]] = []
        annotations: list[dict[str, Any]] = []
        for index in range(count):
            image, objects = draw(scene_rng(split, index))
            name = f"{split}_{index:03d}.png"
            write_image(folder / split / name, image)
            height, width = image.shape[:2]
            images.append({"id": index + 1, "file_name": name, "width": width, "height": height})
            for item in objects:
                known = {"id": len(annotations) + 1, "image_id": index + 1, **_annotation(item)}
                if segmentation is not None:
                    known["segmentation"] = segmentation(item.mask)
                annotations.append(known)
        categories = [{"id": number, "name": name} for number, name in enumerate(DISTINCT_SHAPES, 1)]
        content = {"images": images, "annotations": annotations, "categories": categories}
        write_json(folder / "annotations" / f"instance_{split}.json", content, indent=None)


def _annotation(item: SceneObject) -> dict[str, Any]:
    x1, y1, x2, y2 = item.xyxy.tolist()
    return {
        "category_id": DISTINCT_SHAPES.index(SHAPES[item.label]) + 1,
        "bbox": [x1, y1, x2 - x1, y2 - y1],
        "area": int(item.mask.sum()),
        "iscrowd": 0,
    }
