"""What a network with masks puts out, from pdx or from PaddleX: boxes of all images, and a mask for each box.

bbox      float32 [n, 6]      label, score, x1, y1, x2, y2 in original pixels
bbox_num  int32 [N]           how many belong to each image
mask      float32 [n, M, M]   probabilities over the area of the box, or
          integers [n, H, W]  0 and 1 for all pixels of the original image, as PaddleX exports it
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from pdx_core.errors import PdxError
from pdx_instseg.mask_pasting import paste_masks
from pdx_instseg.run_lengths import RunLengths

Arrays = Mapping[str, np.ndarray]

_LARGEST_GRID = 128  # side of masks over a box; networks have 14 or 28


def named_outputs(outputs: Arrays) -> Arrays:
    """Models that PaddleX exported call their outputs anything; masks have three dimensions, rows six columns."""
    if {"bbox", "bbox_num", "mask"} <= set(outputs):
        return outputs
    rows = next((value for value in outputs.values() if value.ndim == 2 and value.shape[1] == 6), None)
    counts = next((value for value in outputs.values() if value.ndim == 1), None)
    masks = next((value for value in outputs.values() if value.ndim == 3), None)
    if rows is None or counts is None or masks is None:
        shapes = ", ".join(f"{name} {list(value.shape)}" for name, value in outputs.items())
        raise PdxError(f"the model's outputs are not those of an instance segmentation: {shapes}")
    return {"bbox": rows, "bbox_num": counts, "mask": masks}


def per_image(outputs: Arrays) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Rows and masks of each image; rows that a graph of fixed size filled up (label -1) are left out."""
    start = 0
    for count in np.asarray(outputs["bbox_num"]).reshape(-1).tolist():
        own = slice(start, start + count)
        start += count
        rows, masks = outputs["bbox"][own].reshape(-1, 6), outputs["mask"][own]
        real = rows[:, 0] >= 0
        yield (rows, masks) if real.all() else (rows[real], masks[real])


def run_lengths(masks: np.ndarray, rows: np.ndarray, size: tuple[int, int]) -> Sequence[RunLengths]:
    """The masks of an image in its pixels, one at a time in memory.

    masks: see above; rows: of the same objects; size: height and width of the image
    """
    small = masks.shape[1] == masks.shape[2] <= _LARGEST_GRID
    if small and np.issubdtype(masks.dtype, np.floating):
        return [RunLengths.of_coco(mask.rle()) for mask in paste_masks(masks, rows[:, 2:], size)]
    height, width = size
    if masks.shape[1] < height or masks.shape[2] < width:
        raise PdxError(f"the model gave masks of {masks.shape[2]} x {masks.shape[1]} pixels for {width} x {height}")
    return [RunLengths.of_bitmap(mask[:height, :width] > 0.5) for mask in masks]
