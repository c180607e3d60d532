"""Moves an image together with everything that has coordinates on it.

Coordinates are those of pixel edges: a picture of width W spans 0..W, so a scale s takes x to x * s and a mirror takes
x to W - x. Boxes that leave the picture are clipped; one that keeps less than a pixel in either direction, or less than
`min_visible` of its area, is dropped with its mask. Polygons are moved but not clipped (rasterising them clips them).
What else has places in the image stands in `Sample.extra` and moves itself (`contracts.Movable`).
Every function returns a new Sample and leaves the given one as it was.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs
import numpy as np

from pdx_core.data.sample import Boxes, Sample
from pdx_core.opencv import require_cv2
from pdx_core.transforms.interpolation import resize_image

IGNORE_INDEX = 255  # of label maps, where a transform has nothing to put


def resize_sample(
    sample: Sample, height: int, width: int, interpolation: str = "bilinear", backend: str = "cv2"
) -> Sample:
    """Stretch to `height` x `width`; masks and label map by nearest neighbour."""
    old_height, old_width = sample.image.shape[:2]
    if (old_height, old_width) == (height, width):
        return attrs.evolve(sample, im_shape=(height, width))
    factor = np.array([width / old_width, height / old_height], np.float32)
    moved = _move(
        sample,
        resize_image(sample.image, height, width, interpolation, backend),
        lambda points: points * factor,
        lambda raster, _: resize_image(raster, height, width, "nearest"),
    )
    if moved.boxes is not None and moved.boxes.area is not None:
        moved.boxes.area = moved.boxes.area * np.float32(factor[0] * factor[1])
    y, x = sample.scale_factor
    moved.scale_factor = (y * height / old_height, x * width / old_width)
    moved.im_shape = (height, width)
    return moved


def crop_sample(sample: Sample, x: int, y: int, width: int, height: int, min_visible: float = 0.0) -> Sample:
    """Cut out the window whose top left corner is (x, y); it must lie within the image."""
    corner = np.array([x, y], np.float32)
    window = (slice(y, y + height), slice(x, x + width))
    moved = _move(
        sample,
        np.ascontiguousarray(sample.image[window]),
        lambda points: points - corner,
        lambda raster, _: np.ascontiguousarray(raster[window]),
    )
    factor_y, factor_x = sample.scale_factor
    moved.origin = (sample.origin[0] + round(x / factor_x), sample.origin[1] + round(y / factor_y))
    moved.im_shape = (height, width)
    return _clip(moved, min_visible)


def flip_sample(sample: Sample, horizontal: bool = True) -> Sample:
    """Mirror left and right, or top and bottom."""
    height, width = sample.image.shape[:2]
    end = np.array([width, 0] if horizontal else [0, height], np.float32)
    sign = np.array([-1, 1] if horizontal else [1, -1], np.float32)
    code = 1 if horizontal else 0
    cv2 = require_cv2()
    return _move(
        sample,
        cv2.flip(sample.image, code),
        lambda points: end + sign * points,
        lambda raster, _: cv2.flip(raster, code),
    )


def pad_sample(
    sample: Sample,
    left: int,
    top: int,
    right: int,
    bottom: int,
    fill: tuple[float, ...] = (0, 0, 0),
    ignore_index: int = IGNORE_INDEX,
) -> Sample:
    """Add a border: `fill` (RGB) round the image, nothing round masks, `ignore_index` round the label map."""
    if not (left or top or right or bottom):
        return sample
    cv2 = require_cv2()
    corner = np.array([left, top], np.float32)

    def pad(raster: np.ndarray, value: Any) -> np.ndarray:
        return cv2.copyMakeBorder(raster, top, bottom, left, right, cv2.BORDER_CONSTANT, value=value)

    moved = _move(sample, pad(sample.image, fill), lambda points: points + corner, pad, ignore_index)
    if moved.im_shape is None:
        moved.im_shape = sample.image.shape[:2]
    return moved


def warp_sample(
    sample: Sample,
    matrix: np.ndarray,
    fill: tuple[float, ...] = (0, 0, 0),
    interpolation: str = "bilinear",
    ignore_index: int = IGNORE_INDEX,
    min_visible: float = 0.0,
) -> Sample:
    """Rotate, shear or shift within the frame.

    matrix: float [2, 3], takes old (x, y, 1) to new (x, y)
    A box becomes the smallest upright one round its warped corners.
    """
    cv2 = require_cv2()
    height, width = sample.image.shape[:2]
    linear, shift = np.asarray(matrix, np.float64)[:, :2], np.asarray(matrix, np.float64)[:, 2]
    # OpenCV counts from pixel centres: with p = index + 0.5, index' = linear (index + 0.5) + shift - 0.5
    centres = np.column_stack([linear, shift + linear @ [0.5, 0.5] - 0.5])
    flags = {"nearest": cv2.INTER_NEAREST, "bilinear": cv2.INTER_LINEAR, "bicubic": cv2.INTER_CUBIC}[interpolation]

    def warp(raster: np.ndarray, value: Any, how: int = cv2.INTER_NEAREST) -> np.ndarray:
        if raster.dtype == np.int32:  # which OpenCV cannot warp; class indices are exact in float32
            return warp(raster.astype(np.float32), value, how).astype(np.int32)
        return cv2.warpAffine(
            raster, centres, (width, height), flags=how, borderMode=cv2.BORDER_CONSTANT, borderValue=value
        )

    moved = _move(
        sample,
        warp(sample.image, fill, flags),
        lambda points: (points @ linear.T + shift).astype(np.float32),
        warp,
        ignore_index,
    )
    return _clip(moved, min_visible)


def _move(
    sample: Sample,
    image: np.ndarray,
    move_points: Callable[[np.ndarray], np.ndarray],
    move_raster: Callable[[np.ndarray, Any], np.ndarray],
    ignore_index: int = IGNORE_INDEX,
) -> Sample:
    """A sample with `image`, its points moved by one function and its rasters by the other.

    move_points: float32 [n, 2] (x, y) -> the same
    move_raster: ([H, W] uint8 or int32, value for new pixels) -> [H', W']
    """
    boxes, masks, label_map = sample.boxes, sample.masks, sample.label_map
    if boxes is not None:
        corners = boxes.xyxy[:, [0, 1, 2, 1, 2, 3, 0, 3]].reshape(-1, 2)  # [n*4, 2]
        corners = move_points(corners).reshape(-1, 4, 2)
        xyxy = np.concatenate([corners.min(axis=1), corners.max(axis=1)], axis=1).astype(np.float32)  # [n, 4]
        boxes = attrs.evolve(boxes, xyxy=xyxy)
    if masks is not None:
        moved = [
            move_raster(mask.view(np.uint8), 0).astype(bool)
            if isinstance(mask, np.ndarray)
            else [move_points(polygon) for polygon in mask]
            for mask in masks
        ]
        if isinstance(masks, np.ndarray):
            moved = np.stack(moved) if moved else np.zeros((0, *image.shape[:2]), bool)
        masks = moved
    if label_map is not None:
        label_map = move_raster(label_map, ignore_index)
    extra = {
        name: value.moved(move_points, move_raster) if hasattr(value, "moved") else value
        for name, value in sample.extra.items()
    }
    return attrs.evolve(sample, image=image, boxes=boxes, masks=masks, label_map=label_map, extra=extra)


def _clip(sample: Sample, min_visible: float) -> Sample:
    """Clip boxes to the picture and drop those of which too little is left."""
    boxes = sample.boxes
    if boxes is None or not len(boxes):
        return sample
    height, width = sample.image.shape[:2]
    limits = np.array([width, height, width, height], np.float32)
    clipped = np.clip(boxes.xyxy, 0, limits)
    sides = clipped[:, 2:] - clipped[:, :2]
    area_before = np.prod(boxes.xyxy[:, 2:] - boxes.xyxy[:, :2], axis=1)
    keep = (sides >= 1).all(axis=1) & (np.prod(sides, axis=1) >= min_visible * area_before)
    return keep_boxes(attrs.evolve(sample, boxes=attrs.evolve(boxes, xyxy=clipped)), keep)


def keep_boxes(sample: Sample, keep: np.ndarray) -> Sample:
    """Only the boxes, and their masks, that `keep` (bool [n]) marks."""
    if keep.all():
        return sample
    boxes: Boxes = sample.boxes.select(keep)
    masks = sample.masks
    if isinstance(masks, np.ndarray):
        masks = masks[keep]
    elif masks is not None:
        masks = [mask for mask, kept in zip(masks, keep, strict=True) if kept]
    return attrs.evolve(sample, boxes=boxes, masks=masks)
