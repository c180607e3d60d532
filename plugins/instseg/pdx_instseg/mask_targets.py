"""Ground-truth masks: how a training batch carries them, and what the mask branch is trained towards.

A training batch has, beside the boxes of `DetTask.collate`, the four arrays that `pack_masks` makes. Row [n, g] of them
belongs to row [n, g] of `gt_boxes`. Each object has polygons or a bitmap (or neither: padding and crowds), both in
pixels of the network input:

    gt_polygons       float32 [N, V, 2]     corners x, y of all polygons of the image, one after the other
    gt_polygon_sizes  int32 [N, G, P]       corners of each polygon of each object, in that order; 0 for none
    gt_bitmaps        uint8 [N, B]          0 or 1: the bitmaps of all objects of the image, each cut to its frame and
                                            flattened row by row, one after the other
    gt_bitmap_frames  int32 [N, G, 4]       x1 y1 x2 y2 of each cut, x2 and y2 exclusive; all 0 for none

V, P and B are those of the fullest image of the batch and at least 1, the rest is zero. Polygons stay polygons, so that
what a region is trained towards does not depend on how large the image was when it was rasterised, and bitmaps cost as
much memory as their objects have pixels. Numpy only.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import cv2
import numpy as np
from pycocotools import mask as coco_mask

_SMALLEST_SIDE = 0.1  # pixels; regions are taken to be at least this wide and high

ARRAYS = ("gt_polygons", "gt_polygon_sizes", "gt_bitmaps", "gt_bitmap_frames")

# One object: its polygons (each float32 [corners, 2]) or a bitmap (bool or uint8 [H, W])
Mask = Any


# -- from samples to arrays ------------------------------------------------------------------------------------------
def pack_masks(masks: Sequence[Sequence[Mask]], slots: int) -> dict[str, np.ndarray]:
    """The four arrays of a batch.

    masks: per image, `Sample.masks` of the boxes that are kept: one per box, as polygons or bitmaps, also mixed
    slots: G, at least the largest number of boxes of an image
    """
    polygons = [[_polygons(mask) for mask in own] for own in masks]
    bitmaps = [[_cut(mask) for mask in own] for own in masks]
    most_polygons = max((len(parts) for own in polygons for parts in own), default=0)
    sizes = np.zeros((len(masks), slots, max(1, most_polygons)), np.int32)
    frames = np.zeros((len(masks), slots, 4), np.int32)
    for image, own in enumerate(polygons):
        for slot, parts in enumerate(own):
            sizes[image, slot, : len(parts)] = [len(part) for part in parts]
        for slot, (_, frame) in enumerate(bitmaps[image]):
            frames[image, slot] = frame
    corners = [[part for parts in own for part in parts] for own in polygons]
    pixels = [[bitmap.ravel() for bitmap, _ in own] for own in bitmaps]
    return {
        "gt_polygons": _padded([_joined(own, np.zeros((0, 2), np.float32)) for own in corners]),
        "gt_polygon_sizes": sizes,
        "gt_bitmaps": _padded([_joined(own, np.zeros(0, np.uint8)) for own in pixels]),
        "gt_bitmap_frames": frames,
    }


def _polygons(mask: Mask) -> list[np.ndarray]:
    """The polygons that enclose something; none for a bitmap."""
    return [] if _is_bitmap(mask) else [part for part in mask if len(part) >= 3]


def _cut(mask: Mask) -> tuple[np.ndarray, tuple[int, int, int, int]]:
    """The part of a bitmap that is not empty, uint8 [h, w] of 0 and 1, and its frame x1 y1 x2 y2."""
    if not _is_bitmap(mask):
        return np.zeros((0, 0), np.uint8), (0, 0, 0, 0)
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(rows):
        return np.zeros((0, 0), np.uint8), (0, 0, 0, 0)
    top, bottom, left, right = rows[0], rows[-1] + 1, columns[0], columns[-1] + 1
    return (mask[top:bottom, left:right] != 0).astype(np.uint8), (left, top, right, bottom)


def _is_bitmap(mask: Mask) -> bool:
    return isinstance(mask, np.ndarray) and mask.ndim == 2


def _joined(arrays: Sequence[np.ndarray], empty: np.ndarray) -> np.ndarray:
    """Arrays one after the other, in the shape and type of `empty`."""
    return np.concatenate([empty, *arrays]).astype(empty.dtype)


def _padded(arrays: Sequence[np.ndarray]) -> np.ndarray:
    """Arrays of different lengths in one, with zeros behind the shorter ones."""
    longest = max(1, *(len(array) for array in arrays))
    result = np.zeros((len(arrays), longest, *arrays[0].shape[1:]), arrays[0].dtype)
    for row, array in enumerate(arrays):
        result[row, : len(array)] = array
    return result


def has_mask(packed: Mapping[str, np.ndarray]) -> np.ndarray:
    """bool [N, G]: which objects have a mask."""
    return packed["gt_polygon_sizes"].any(axis=2) | packed["gt_bitmap_frames"].any(axis=2)


# -- from arrays to what regions are trained towards -----------------------------------------------------------------
def mask_targets(
    packed: Mapping[str, np.ndarray], images: np.ndarray, slots: np.ndarray, boxes: np.ndarray, resolution: int
) -> np.ndarray:
    """The masks of objects as seen through regions, float32 [r, resolution, resolution] of 0 and 1.

    packed:        what `pack_masks` made
    images, slots: int [r], which row of the batch and which object of it a region was matched with
    boxes:         float32 [r, 4], the regions in pixels of the network input
    """
    result = np.zeros((len(boxes), resolution, resolution), np.float32)
    for image in np.unique(images).tolist():
        wanted = slots[images == image]
        for slot, mask in _unpacked(packed, image, wanted):
            rows = np.flatnonzero((images == image) & (slots == slot))
            if isinstance(mask, list):
                for row in rows:
                    result[row] = crop_polygons(mask, boxes[row], resolution)
            else:
                result[rows] = crop_bitmap(*mask, boxes[rows], resolution)
    return result


def crop_polygons(polygons: Sequence[np.ndarray], box: np.ndarray, resolution: int) -> np.ndarray:
    """The union of polygons rasterised as COCO does on a grid laid over a box, uint8 [resolution, resolution].

    polygons: each float [corners, 2]; box: float [4], x1 y1 x2 y2 in the same frame
    """
    box = np.asarray(box, np.float64)
    scale = resolution / np.maximum(box[2:] - box[:2], _SMALLEST_SIDE)
    moved = [((np.asarray(part, np.float64) - box[:2]) * scale).ravel().tolist() for part in polygons]
    return coco_mask.decode(coco_mask.merge(coco_mask.frPyObjects(moved, resolution, resolution)))


def crop_bitmap(bitmap: np.ndarray, frame: np.ndarray, boxes: np.ndarray, resolution: int) -> np.ndarray:
    """A bitmap on grids laid over boxes, uint8 [r, resolution, resolution]: 1 where it fills half a cell or more.

    The filled part of a cell is exact, whether cells are larger or smaller than pixels: it is read from the bitmap's
    integral, which is bilinear between the corners of pixels.

    bitmap: uint8 [h, w] of 0 and 1, which covers frame (x1 y1 x2 y2); nothing is outside of it
    boxes:  float [r, 4], in the frame's coordinates
    """
    boxes = np.asarray(boxes, np.float64)
    integral = cv2.integral(np.ascontiguousarray(bitmap)).astype(np.float64)  # [h + 1, w + 1]
    sides = np.maximum(boxes[:, 2:] - boxes[:, :2], _SMALLEST_SIDE)
    steps = np.arange(resolution + 1) / resolution
    low_x, part_x = _cells(boxes[:, :1] + steps * sides[:, :1] - frame[0], bitmap.shape[1])
    low_y, part_y = _cells(boxes[:, 1:2] + steps * sides[:, 1:] - frame[1], bitmap.shape[0])
    low_y, part_y = low_y[:, :, None], part_y[:, :, None]  # [r, R + 1, 1]
    low_x, part_x = low_x[:, None, :], part_x[:, None, :]  # [r, 1, R + 1]
    above = integral[low_y, low_x] * (1 - part_x) + integral[low_y, low_x + 1] * part_x
    below = integral[low_y + 1, low_x] * (1 - part_x) + integral[low_y + 1, low_x + 1] * part_x
    sums = above * (1 - part_y) + below * part_y  # [r, R + 1, R + 1]
    filled = np.diff(np.diff(sums, axis=1), axis=2)  # [r, R, R]
    cell = sides.prod(axis=1) / resolution**2
    return (filled >= 0.5 * cell[:, None, None] - 1e-6).astype(np.uint8)


def _cells(positions: np.ndarray, limit: int) -> tuple[np.ndarray, np.ndarray]:
    """The pixel that each position lies in, below `limit`, and how far in it is, 0 to 1."""
    positions = np.clip(positions, 0, limit)
    low = np.minimum(np.floor(positions).astype(np.int64), limit - 1)
    return low, positions - low


def _unpacked(
    packed: Mapping[str, np.ndarray], image: int, wanted: np.ndarray
) -> Iterator[tuple[int, list[np.ndarray] | tuple[np.ndarray, np.ndarray]]]:
    """The objects of an image that have a mask, with their slots: polygons, or a bitmap with its frame."""
    corners, sizes = packed["gt_polygons"][image], packed["gt_polygon_sizes"][image]
    pixels, frames = packed["gt_bitmaps"][image], packed["gt_bitmap_frames"][image]
    first_corners = np.concatenate([[0], np.cumsum(sizes.sum(axis=1))])
    areas = (frames[:, 2:] - frames[:, :2]).prod(axis=1)
    first_pixels = np.concatenate([[0], np.cumsum(areas)])
    for slot in np.unique(wanted).tolist():
        if sizes[slot].any():
            ends = first_corners[slot] + np.cumsum(sizes[slot][sizes[slot] > 0])
            yield slot, np.split(corners[first_corners[slot] : ends[-1]], (ends - first_corners[slot])[:-1])
        elif areas[slot]:
            bitmap = pixels[first_pixels[slot] : first_pixels[slot + 1]]
            left, top, right, bottom = frames[slot]
            yield slot, (bitmap.reshape(bottom - top, right - left), frames[slot])
