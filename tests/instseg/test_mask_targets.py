"""Mask targets against recorded ones and hand-worked ones; packing a batch loses nothing."""

import golden
import numpy as np
import pytest

from pdx_instseg.mask_targets import crop_bitmap, crop_polygons, mask_targets, pack_masks

SQUARE = np.array([[2, 2], [6, 2], [6, 6], [2, 6]], np.float32)
TRIANGLE = np.array([[0, 8], [8, 8], [4, 0]], np.float32)


@pytest.mark.parametrize("case", range(3))
def test_polygons_give_the_recorded_targets(case):
    with np.load(golden.GOLDEN / "instseg/ops.npz") as data:
        polygon, box, resolution, wanted = (
            data[f"mask_target_{case}@{name}"] for name in ("in@poly", "in@box", "in@resolution", "out@mask")
        )
    got = crop_polygons([polygon.reshape(-1, 2)], box, int(resolution[0]))
    assert np.array_equal(got, wanted)


def test_parts_of_a_polygon_mask_are_united():
    got = crop_polygons([SQUARE, SQUARE + 1], [0, 0, 8, 8], 8)
    wanted = np.zeros((8, 8), bool)
    wanted[2:6, 2:6] = wanted[3:7, 3:7] = True
    assert np.array_equal(got, wanted)


def test_bitmap_cells_are_set_where_half_of_them_is_filled():
    bitmap = np.ones((2, 3), np.uint8)  # covers x 1..4, y 1..3
    frame = np.array([1, 1, 4, 3])
    got = crop_bitmap(bitmap, frame, np.array([[0, 0, 4, 4], [1, 1, 4, 3], [1.5, 0, 5.5, 4], [10, 10, 20, 20]]), 4)
    rows = np.array([0, 1, 1, 0])
    assert np.array_equal(got[0], np.outer(rows, [0, 1, 1, 1]))
    assert got[1].all()  # cells smaller than pixels
    assert np.array_equal(got[2], np.outer(rows, [1, 1, 1, 0]))  # the third cell is half filled
    assert not got[3].any()  # beside the frame


def test_bitmap_and_polygon_of_one_square_agree():
    bitmap = np.ones((4, 4), np.uint8)
    boxes = np.array([[0, 0, 8, 8], [1, 2, 7, 6], [2, 2, 6, 6], [-3, -1, 9, 5]], np.float32)
    for box in boxes:
        from_bitmap = crop_bitmap(bitmap, np.array([2, 2, 6, 6]), box[None], 16)[0].astype(bool)
        from_polygon = crop_polygons([SQUARE], box, 16).astype(bool)
        assert (from_bitmap != from_polygon).mean() < 0.05  # they may differ by what lies on an edge


def test_packing_keeps_every_object_of_a_batch():
    bitmap = np.zeros((9, 10), bool)
    bitmap[3:5, 4:9] = True
    other = np.zeros((9, 10), np.uint8)
    other[0, 0] = 255
    batch = [[[SQUARE], bitmap, [TRIANGLE, SQUARE]], [], [np.zeros((9, 10), bool), other, []]]
    packed = pack_masks(batch, slots=4)
    assert {name: (array.shape, array.dtype.name) for name, array in packed.items()} == {
        "gt_polygons": ((3, 11, 2), "float32"),
        "gt_polygon_sizes": ((3, 4, 2), "int32"),
        "gt_bitmaps": ((3, 10), "uint8"),
        "gt_bitmap_frames": ((3, 4, 4), "int32"),
    }
    frame = [0, 0, 10, 9]
    boxes = np.array([frame] * 9, np.float32)
    images, slots = np.array([0, 0, 0, 1, 2, 2, 2, 0, 0]), np.array([0, 1, 2, 0, 0, 1, 2, 3, 1])
    boxes[8] = [4, 3, 9, 5]
    got = mask_targets(packed, images, slots, boxes, 5)
    assert got.dtype == np.float32
    assert np.array_equal(got[0], crop_polygons([SQUARE], frame, 5))
    assert np.array_equal(got[2], crop_polygons([TRIANGLE, SQUARE], frame, 5))
    assert got[1].sum() > 0 and got[8].all()
    assert [row for row in range(9) if not got[row].any()] == [3, 4, 5, 6, 7]


def test_a_batch_without_any_object_packs():
    packed = pack_masks([[], np.zeros((0, 4, 4), bool)], slots=1)
    assert [array.shape for array in packed.values()] == [(2, 1, 2), (2, 1, 1), (2, 1), (2, 1, 4)]
    assert mask_targets(packed, np.zeros(0, int), np.zeros(0, int), np.zeros((0, 4)), 28).shape == (0, 28, 28)


def test_lines_and_points_are_no_polygons():
    packed = pack_masks([[[SQUARE[:2], SQUARE]]], slots=1)
    assert packed["gt_polygon_sizes"].tolist() == [[[4]]]
