"""A tiny dataset in the format that no converter writes: `pdx plugin check` tries its reader on it."""

from __future__ import annotations

from pathlib import Path

_SIZE = (32, 48)  # height, width


def write_mask_folders(folder: Path, train: int = 4, val: int = 2) -> None:
    """train/ and val/ with images/ and masks/<image>/<class>/, a picture for the mask of each shape."""
    import numpy as np

    from pdx_core.demo_scenes import SHAPES, draw_scene
    from pdx_core.images import write_image

    for split, count in (("train", train), ("val", val)):
        for number in range(count):
            rng = np.random.default_rng((split == "val", number))
            image, objects = draw_scene(rng, *_SIZE, [0, 1, 0])
            write_image(folder / split / "images" / f"{number}.png", image)
            for place, item in enumerate(objects):
                path = folder / split / "masks" / str(number) / SHAPES[item.label] / f"{place}.png"
                write_image(path, item.mask.astype(np.uint8) * 255)
