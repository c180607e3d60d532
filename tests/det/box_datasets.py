"""Small detection datasets for tests, drawn here and written in every format through pdx's own converters; and what
damages and checks them.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from pdx_core.data.check import CheckReport, check_dataset
from pdx_core.data.convert import convert_dataset
from pdx_core.data.findings import Finding
from pdx_core.data.reading import recognise
from pdx_core.images import write_image
from pdx_core.plugins import get_registry

CLASSES = ("cat", "dog", "cow")
SIZE = (48, 32)  # width, height
TRAIN = "annotations/instance_train.json"


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


def converted(coco: Path, name: str) -> Path:
    """The dataset in another format, beside the given one."""
    target = get_registry().find("dataset_readers", name, task="det")
    convert_dataset(recognise(coco, task="det"), target, coco.parent / name)
    return coco.parent / name


def check(root: Path) -> CheckReport:
    """What `pdx check` finds."""
    return check_dataset(root, root.parent / "output", task="det")


def edit(root: Path, change: Callable[[dict], Any], name: str = TRAIN) -> None:
    """Change the content of a json file in place."""
    path = root / name
    content = json.loads(path.read_text(encoding="utf-8"))
    change(content)
    path.write_text(json.dumps(content), encoding="utf-8")


def put(kind: str, index: int, **values: Any) -> Callable[[dict], Any]:
    """An edit: values of one entry of `images`, `annotations` or `categories`."""
    return lambda content: content[kind][index].update(values)


def drop(kind: str, index: int, key: str) -> Callable[[dict], Any]:
    """An edit: without a key of one entry."""
    return lambda content: content[kind][index].pop(key)


def find(report: CheckReport, code: str) -> Finding:
    """The first finding with a code, which must be there."""
    found = [finding for finding in report.findings if finding.code == code]
    assert found, f"no {code} among: {report.findings.table()}"
    return found[0]
