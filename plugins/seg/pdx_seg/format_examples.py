"""Tiny datasets in the formats that no converter writes: `pdx plugin check` tries their readers on them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

    from pdx_core.demo_scenes import SceneObject

_SIZE = (32, 64)  # height, width
_ROAD, _CAR, _PERSON, _BORDER = 7, 26, 24, 4  # ids of the published label table of Cityscapes; a border is ignored


def write_cityscapes(folder: Path, train: int = 4, val: int = 2) -> None:
    """leftImg8bit/ and gtFine/ of one city each: a car and a person on a road, with a border that is not judged."""
    import numpy as np

    from pdx_core.images import write_image

    for split, city, count in (("train", "aachen", train), ("val", "ulm", val)):
        for number, (image, objects) in enumerate(_scenes(split, count)):
            ids = np.full(_SIZE, _ROAD, np.uint8)
            for value, item in zip((_CAR, _PERSON), objects, strict=False):  # one may hide the other
                ids[item.mask] = value
            ids[-2:] = _BORDER
            stem = f"{city}/{city}_{number:06d}_000019"
            write_image(folder / "leftImg8bit" / split / f"{stem}_leftImg8bit.png", image)
            write_image(folder / "gtFine" / split / f"{stem}_gtFine_labelIds.png", ids)


def write_labelme(folder: Path, train: int = 4, val: int = 2) -> None:
    """images/, annotations/ with a json per image, and lists of these: each shape is outlined by its box."""
    from pdx_core.demo_scenes import SHAPES
    from pdx_core.files import write_json, write_text
    from pdx_core.images import write_image

    for split, count in (("train", train), ("val", val)):
        names = [f"{split}_{number}" for number in range(count)]
        for name, (image, objects) in zip(names, _scenes(split, count), strict=True):
            shapes = []
            for item in objects:
                x1, y1, x2, y2 = item.xyxy.tolist()
                corners = [[x1, y1], [x2, y1], [x2, y2], [x1, y2]]
                shapes.append({"label": SHAPES[item.label], "points": corners, "shape_type": "polygon"})
            content = {
                "version": "5.4.1",
                "flags": {},
                "shapes": shapes,
                "imagePath": f"../images/{name}.png",
                "imageData": None,
                "imageHeight": _SIZE[0],
                "imageWidth": _SIZE[1],
            }
            write_image(folder / "images" / f"{name}.png", image)
            write_json(folder / "annotations" / f"{name}.json", content)
        write_text(folder / f"{split}_anno_list.txt", "".join(f"annotations/{name}.json\n" for name in names))


def _scenes(split: str, count: int) -> Iterator[tuple[np.ndarray, list[SceneObject]]]:
    """Pictures with a circle and a square, uint8 [H, W, 3], and where these are."""
    import numpy as np

    from pdx_core.demo_scenes import draw_scene

    for number in range(count):
        yield draw_scene(np.random.default_rng((split == "val", number)), *_SIZE, [0, 1])
