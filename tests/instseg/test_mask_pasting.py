"""Pasting against recorded and hand-worked masks, its run lengths against pycocotools, and its memory."""

import time
import tracemalloc

import golden
import numpy as np
import pytest
from pycocotools import mask as coco_mask

from pdx_instseg.mask_pasting import PastedMask, paste_masks


def test_pasted_masks_are_the_recorded_ones():
    with np.load(golden.GOLDEN / "instseg/ops.npz") as data:
        masks, boxes, size, wanted = (
            data[f"paste_mask@{name}"] for name in ("in@mask", "in@boxes", "in@size", "out@pasted")
        )
    for threshold in (0.5, 0.3, 0.75):
        got = list(paste_masks(masks[:, 0], boxes, tuple(size.tolist()), threshold))
        for mask, values in zip(got, wanted, strict=True):
            unsure = np.abs(values - threshold) < 1e-5
            assert ((mask.full() == 1) == (values >= threshold))[~unsure].all()


def test_a_full_mask_fills_its_box_to_the_nearest_pixel():
    boxes = np.array([[2, 1, 6, 4], [2.4, 0.6, 6.6, 4.4], [-5, -5, 3, 3], [6, 6, 90, 90]], np.float32)
    got = list(paste_masks(np.ones((4, 28, 28), np.float32), boxes, (8, 9)))
    assert [mask.frame for mask in got] == [(2, 1, 6, 4), (2, 1, 7, 4), (0, 0, 3, 3), (6, 6, 9, 8)]
    assert [mask.area for mask in got] == [12, 15, 9, 5]  # the zeros beside large cells round the last one's corner off
    assert got[0].full().shape == (8, 9) and got[0].full().sum() == 12


@pytest.mark.parametrize("box", [[3, 3, 3, 9], [9, 3, 3, 9], [20, 20, 30, 30], [-9, -9, -1, -1], [np.nan, 0, 5, 5]])
def test_a_box_without_pixels_gives_an_empty_mask(box):
    (mask,) = paste_masks(np.ones((1, 28, 28)), np.array([box], np.float32), (10, 12))
    assert mask.area == 0 and not mask.full().any()
    assert coco_mask.decode(mask.rle()).shape == (10, 12)


def test_no_masks():
    assert list(paste_masks(np.zeros((0, 28, 28)), np.zeros((0, 4)), (10, 12))) == []


def test_run_lengths_are_those_of_the_full_image():
    rng = np.random.default_rng(0)
    for frame in [(0, 0, 7, 5), (2, 1, 6, 4), (0, 0, 3, 5), (6, 0, 7, 5), (3, 2, 3, 2)]:
        for fill in (0.0, 0.5, 1.0):
            bitmap = (rng.random((frame[3] - frame[1], frame[2] - frame[0])) < fill).astype(np.uint8)
            mask = PastedMask(frame, bitmap, (5, 7))
            assert mask.rle() == coco_mask.encode(np.asfortranarray(mask.full()))


def test_a_hundred_masks_on_a_large_photo_take_little_memory():
    rng = np.random.default_rng(1)
    masks = rng.random((100, 28, 28), np.float32)
    corners = rng.uniform(0, 1, (100, 2)) * [3000, 2200]
    boxes = np.concatenate([corners, corners + rng.uniform(50, 1000, (100, 2))], axis=1).astype(np.float32)
    boxes[0] = [0, 0, 4000, 3000]
    started = time.process_time()
    tracemalloc.start()
    areas = [len(mask.rle()["counts"]) for mask in paste_masks(masks, boxes, (3000, 4000))]
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(areas) == 100
    assert peak < 200 * 2**20  # all of them at once would be 1.2 GB
    assert time.process_time() - started < 60
