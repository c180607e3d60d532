"""Run lengths and outlines of masks: exact both ways, and nothing wrong reaches pycocotools."""

from __future__ import annotations

import numpy as np
import pytest
from pycocotools import mask as coco_mask

from pdx_core.opencv import require_cv2
from pdx_instseg.outlines import contours, outlines
from pdx_instseg.run_lengths import RunLengthError, RunLengths, union

DOT = np.array([[0, 0, 0], [0, 1, 1]], bool)  # down the columns: 0 0 | 0 1 | 0 1


def test_a_mask_by_hand():
    mask = RunLengths.of_bitmap(DOT)
    assert mask.size == (2, 3) and mask.area == 2 and mask.frame == (1, 1, 3, 2)
    assert RunLengths.of_file({"size": [2, 3], "counts": [3, 1, 1, 1]}) == mask
    assert mask.json == {"size": [2, 3], "counts": "3110"}  # the fourth number is the difference to the second: 1 - 1
    assert mask.bitmap().tolist() == [[0, 0, 0], [0, 1, 1]]
    assert union([mask, RunLengths.of_bitmap(~DOT)]).area == 6


def _bitmaps() -> list[np.ndarray]:
    rng, cv2 = np.random.default_rng(3), require_cv2()
    found = [np.zeros((3, 4), bool), np.ones((3, 4), bool), np.ones((1, 1), bool)]
    for at in range(60):
        size = rng.integers(1, 40, 2)
        noise = rng.normal(size=size)
        found.append((noise if at % 3 == 0 else cv2.GaussianBlur(noise, (0, 0), 0.5 + at % 7)) > 0)
    return found


def test_runs_are_read_as_pycocotools_writes_them():
    for bitmap in _bitmaps():
        mask = RunLengths.of_bitmap(bitmap)
        assert RunLengths.of_file(mask.json) == mask
        column = np.concatenate([[False], bitmap.T.ravel()])
        edges = np.flatnonzero(np.diff(column)).tolist()
        runs = np.diff([0, *edges, bitmap.size]).tolist()
        assert RunLengths.of_file({"size": list(bitmap.shape), "counts": runs}) == mask
        assert np.array_equal(mask.bitmap(), bitmap)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ([1, 2], "neither|not {size"),
        ({"counts": "3110"}, "not {size"),
        ({"size": [2], "counts": "3110"}, "must be height and width"),
        ({"size": [2, True], "counts": "3110"}, "must be height and width"),
        ({"size": [2, -3], "counts": "3110"}, "must be height and width"),
        ({"size": [2, 3], "counts": 7}, "counts is int"),
        ({"size": [2, 3], "counts": None}, "counts is NoneType"),
        ({"size": [2, 3], "counts": [3, 1, 1]}, "sum to 5"),
        ({"size": [2, 3], "counts": [3, -1, 4]}, "shorter than nothing"),
        ({"size": [2, 3], "counts": [3.5, 2.5]}, "not a whole number"),
        ({"size": [2, 3], "counts": ["3", 3]}, "not a whole number"),
        ({"size": [2, 3], "counts": [[3], 3]}, "not a"),
        ({"size": [2, 3], "counts": [10**30]}, "not a whole number"),
        ({"size": [2, 3], "counts": ""}, "sum to 0"),
        ({"size": [2, 3], "counts": "3111"}, "sum to 7"),
        ({"size": [2, 3], "counts": "31 0"}, "characters"),
        ({"size": [2, 3], "counts": "31é0"}, "characters"),
        ({"size": [2, 3], "counts": "311P"}, "breaks off"),
        ({"size": [2, 3], "counts": "o" * 30 + "0"}, "impossible number"),
    ],
)
def test_bad_runs_are_refused_with_the_reason(value, words):
    with pytest.raises(RunLengthError, match=words):
        RunLengths.of_file(value)


def test_an_outline_by_hand():
    assert [part.tolist() for part in outlines(DOT, (10, 20))] == [[[11, 21], [13, 21], [13, 22], [11, 22]]]
    diagonal = outlines(np.eye(2, dtype=bool))
    assert sorted(part.tolist() for part in diagonal) == [
        [[0, 0], [1, 0], [1, 1], [0, 1]], [[1, 1], [2, 1], [2, 2], [1, 2]],
    ]  # fmt: skip
    frame = np.ones((3, 3), bool)
    frame[1, 1] = False
    assert outlines(frame) is None
    frame[0, 1] = False  # the hole opens
    assert len(outlines(frame)) == 1
    assert outlines(np.zeros((2, 2), bool)) == []


def test_outlines_rasterise_to_the_same_bitmap():
    with_holes = 0
    for bitmap in _bitmaps():
        found = outlines(bitmap)
        apart = require_cv2().connectedComponents((~np.pad(bitmap, 1)).astype(np.uint8), connectivity=8)[0] - 1
        assert (found is None) == (apart > 1)  # background that does not reach the border is a hole
        if found:
            assert RunLengths.of_polygons(found, bitmap.shape) == RunLengths.of_bitmap(bitmap)
        with_holes += found is None
    assert 10 < with_holes < 50


def test_contours_run_along_pixels_and_may_be_simplified():
    bitmap = np.zeros((20, 20), np.uint8)
    require_cv2().circle(bitmap, (10, 10), 8, 1, -1)
    (exact,), (coarse,) = contours(bitmap, (5, 0)), contours(bitmap, (5, 0), tolerance=1.5)
    assert exact.min(axis=0).tolist() == [7, 2] and exact.max(axis=0).tolist() == [23, 18]
    assert 4 <= len(coarse) < len(exact)


def test_polygons_are_rasterised_as_by_coco():
    triangle = np.array([[1.0, 1.0], [7.0, 1.0], [1.0, 7.0]])
    expected = coco_mask.decode(coco_mask.frPyObjects([triangle.ravel().tolist()], 9, 9))[..., 0]
    assert np.array_equal(RunLengths.of_polygons([triangle], (9, 9)).bitmap(), expected)
