"""What a sample owes the transforms and the metrics: an image, its size and a truth that fit each other."""

from __future__ import annotations

from typing import Any

import numpy as np

from pdx_core.data.sample import Boxes, Sample
from pdx_core.testing.checks import fail

_TRUTH = ("label", "boxes", "masks", "label_map", "extra")


def require_complete(sample: Any, classes: int, index: int) -> None:
    """An RGB image with its file, its size and a truth in its pixels. classes: of the reader; index: for messages."""
    if not isinstance(sample, Sample):
        fail(f"reader[{index}] is a {type(sample).__name__}", "return pdx_core.data.sample.Sample")
    image = sample.image
    shape = getattr(image, "shape", None)
    if not isinstance(image, np.ndarray) or image.dtype != np.uint8 or image.ndim != 3 or shape[2] != 3:
        fail(
            f"the image of sample {index} is {getattr(image, 'dtype', type(image).__name__)} {shape}",
            "give uint8 [H, W, 3] in RGB: pdx_core.images.read_image does",
        )
    if tuple(sample.size) != shape[:2]:
        fail(f"size of sample {index} is {sample.size}, its image {shape[:2]}", "set size=image.shape[:2]")
    if not sample.path and sample.id == "":
        fail(f"sample {index} has neither path nor id", "set path to the file, as the user would name it")
    known = (getattr(sample, name) for name in _TRUTH)
    if not any(isinstance(value, np.ndarray) or value not in (None, {}) for value in known):
        fail(f"sample {index} has no truth", "set label, boxes, masks, label_map or extra")
    if isinstance(sample.label, (int, np.integer)) and not 0 <= sample.label < classes:
        fail(f"label {sample.label} of sample {index} is outside 0..{classes - 1}", "give the index into classes")
    if sample.boxes is not None:
        _require_boxes(sample.boxes, shape[:2], classes, index)
    if sample.masks is not None:
        _require_masks(sample.masks, sample.boxes, shape[:2], index)
    if sample.label_map is not None:
        _require_label_map(sample.label_map, shape[:2], classes, index)


def _require_boxes(boxes: Boxes, size: tuple[int, int], classes: int, index: int) -> None:
    if not len(boxes):
        return
    labels, xyxy = boxes.labels, boxes.xyxy
    if labels.min() < 0 or labels.max() >= classes:
        fail(f"a box of sample {index} has a label outside 0..{classes - 1}", "give the index into classes")
    if (xyxy[:, 2:] < xyxy[:, :2]).any():
        fail(f"a box of sample {index} has x2 < x1 or y2 < y1", "give x1 y1 x2 y2 in pixels, not width and height")
    height, width = size
    if (xyxy[:, :2] >= (width, height)).any() or (xyxy[:, 2:] <= 0).any():
        fail(
            f"a box of sample {index} lies outside its image of {height} x {width}",
            "give x1 y1 x2 y2 in pixels of the image, after its EXIF orientation was applied",
        )
    if xyxy.max() <= 1 < min(size):
        fail(f"no box of sample {index} reaches beyond the first pixel", "give pixels, not shares of the image")


def _require_masks(masks: Any, boxes: Boxes | None, size: tuple[int, int], index: int) -> None:
    if boxes is None or len(masks) != len(boxes):
        count = "no boxes" if boxes is None else f"{len(boxes)} boxes"
        fail(f"sample {index} has {len(masks)} masks and {count}", "give one mask for each box, in the same order")
    for mask in masks:
        if isinstance(mask, np.ndarray) and (mask.dtype != bool or mask.shape != size):
            fail(
                f"a mask of sample {index} is {mask.dtype} {mask.shape}, its image {size}",
                "give bool [H, W] in the size of the image, or a list of polygons",
            )


def _require_label_map(label_map: np.ndarray, size: tuple[int, int], classes: int, index: int) -> None:
    if label_map.shape != size:
        fail(f"the label map of sample {index} is {label_map.shape}, its image {size}", "give one size")
    if label_map.dtype not in (np.uint8, np.int32):
        fail(f"the label map of sample {index} is {label_map.dtype}", "give uint8 or int32")
    values = np.unique(label_map)
    others = values[(values < 0) | (values >= classes)].tolist()
    if len(others) > 1:  # a single one is that of pixels which are not judged
        fail(
            f"the label map of sample {index} has the values {others[:5]}, and there are {classes} classes",
            "give indices into classes, and one value such as 255 for pixels that are not judged",
        )
