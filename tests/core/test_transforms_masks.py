"""Masks stay with their boxes and on their pixels, as polygons, as bitmaps and as both, in numbers worked by hand."""

from __future__ import annotations

import numpy as np
import pytest

from pdx_core.data.sample import Boxes, Sample
from pdx_core.errors import ConfigError
from pdx_core.transforms.box_crop import RandomBoxCrop
from pdx_core.transforms.expand import RandomExpand
from pdx_core.transforms.geometry import crop_sample, flip_sample, keep_boxes, pad_sample, resize_sample, warp_sample
from pdx_core.transforms.mix_boxes import BoxMixup

HEIGHT, WIDTH = 6, 8
TRIANGLE = [(1, 1), (5, 1), (1, 4)]  # object 0, x and y of its corners
BLOCK = (slice(3, 5), slice(4, 7))  # object 1, rows and columns of its pixels
BOXES = [(1, 1, 5, 4), (4, 3, 7, 5)]


def bitmap(height: int, width: int, rows: tuple[int, int] = (0, 0), columns: tuple[int, int] = (0, 0)) -> np.ndarray:
    """bool [height, width], true in the given rows and columns."""
    raster = np.zeros((height, width), bool)
    raster[slice(*rows), slice(*columns)] = True
    return raster


def scene(kind: str = "mixed") -> Sample:
    """Object 0 is a polygon and object 1 a bitmap; with `kind` both are one or the other."""
    polygon = [np.array(TRIANGLE, np.float32)]
    corners = [np.array([(4, 3), (7, 3), (7, 5), (4, 5)], np.float32)]
    block, triangle = bitmap(HEIGHT, WIDTH, (3, 5), (4, 7)), bitmap(HEIGHT, WIDTH, (1, 4), (1, 5))
    masks = {"mixed": [polygon, block], "polygons": [polygon, corners], "bitmaps": np.stack([triangle, block])}[kind]
    image = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    image[BLOCK] = 200
    return Sample(image=image, boxes=Boxes.of(BOXES, [7, 8]), masks=masks, size=(HEIGHT, WIDTH), path=f"{kind}.png")


CASES = {
    "crop": (
        lambda sample: crop_sample(sample, x=3, y=2, width=4, height=3),
        [(-2, -1), (2, -1), (-2, 2)],  # polygons are not clipped, boxes are
        bitmap(3, 4, (1, 3), (1, 4)),
        [(0, 0, 2, 2), (1, 1, 4, 3)],
    ),
    "flip horizontally": (
        flip_sample,
        [(7, 1), (3, 1), (7, 4)],
        bitmap(6, 8, (3, 5), (1, 4)),
        [(3, 1, 7, 4), (1, 3, 4, 5)],
    ),
    "flip vertically": (
        lambda sample: flip_sample(sample, horizontal=False),
        [(1, 5), (5, 5), (1, 2)],
        bitmap(6, 8, (1, 3), (4, 7)),
        [(1, 2, 5, 5), (4, 1, 7, 3)],
    ),
    "pad": (
        lambda sample: pad_sample(sample, left=2, top=1, right=3, bottom=4, fill=(9, 9, 9)),
        [(3, 2), (7, 2), (3, 5)],
        bitmap(11, 13, (4, 6), (6, 9)),
        [(3, 2, 7, 5), (6, 4, 9, 6)],
    ),
    "enlarge": (
        lambda sample: resize_sample(sample, height=12, width=24),
        [(3, 2), (15, 2), (3, 8)],
        bitmap(12, 24, (6, 10), (12, 21)),
        [(3, 2, 15, 8), (12, 6, 21, 10)],
    ),
    "shrink": (  # every second row and column: 0 2 4 and 0 2 4 6
        lambda sample: resize_sample(sample, height=3, width=4),
        [(0.5, 0.5), (2.5, 0.5), (0.5, 2)],
        bitmap(3, 4, (2, 3), (2, 4)),
        [(0.5, 0.5, 2.5, 2), (2, 1.5, 3.5, 2.5)],
    ),
    "shift": (
        lambda sample: warp_sample(sample, np.array([[1, 0, 2], [0, 1, 1]], float)),
        [(3, 2), (7, 2), (3, 5)],
        bitmap(6, 8, (4, 6), (6, 8)),  # one column has left the picture
        [(3, 2, 7, 5), (6, 4, 8, 6)],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_masks_move_with_their_boxes(case):
    transform, polygon, block, boxes = CASES[case]
    mixed, polygons, bitmaps = (transform(scene(kind)) for kind in ("mixed", "polygons", "bitmaps"))
    for sample in (mixed, polygons, bitmaps):
        assert sample.boxes.xyxy.tolist() == [list(box) for box in boxes]
        assert len(sample.masks) == 2
    for sample in (mixed, polygons):
        assert isinstance(sample.masks, list) and len(sample.masks[0]) == 1
        assert sample.masks[0][0].dtype == np.float32
        assert sample.masks[0][0].tolist() == [list(point) for point in polygon]
    assert isinstance(bitmaps.masks, np.ndarray)
    for sample in (mixed, bitmaps):
        assert sample.masks[1].dtype == bool
        assert np.array_equal(sample.masks[1], block)
        assert sample.masks[1].shape == sample.image.shape[:2]


@pytest.mark.parametrize("kind", ["mixed", "polygons", "bitmaps"])
def test_a_dropped_box_takes_its_mask(kind):
    # of the first box 1 x 1 of 4 x 3 pixels is left, of the second 3 x 2 of 3 x 2
    cut = crop_sample(scene(kind), x=4, y=3, width=4, height=3, min_visible=0.5)
    assert cut.boxes.labels.tolist() == [8]
    assert cut.boxes.xyxy.tolist() == [[0, 0, 3, 2]]
    assert len(cut.masks) == 1
    if kind == "polygons":
        assert cut.masks[0][0].tolist() == [[0, 0], [3, 0], [3, 2], [0, 2]]
    else:
        assert np.array_equal(cut.masks[0], bitmap(3, 4, (0, 2), (0, 3)))
    kept = keep_boxes(scene(kind), np.array([True, False]))
    assert kept.boxes.labels.tolist() == [7] and len(kept.masks) == 1


@pytest.mark.parametrize("kind", ["mixed", "polygons", "bitmaps"])
def test_random_windows_and_canvases_keep_masks_in_step(kind):
    before, seen = scene(kind), set()
    whole = np.pad(bitmap(HEIGHT, WIDTH, (3, 5), (4, 7)), 24)  # object 1 with room on all sides
    crop, expand = RandomBoxCrop(thresholds=(0.1,), scale=(0.4, 0.9)), RandomExpand(prob=1, max_ratio=3)
    for seed in range(60):
        for transform in (crop, expand):
            after = transform(before, np.random.default_rng(seed))
            x, y = after.origin if transform is crop else BOXES[0][:2] - after.boxes.xyxy[0, :2].astype(int)
            seen.add(tuple(after.boxes.labels.tolist()))
            assert len(after.masks) == len(after.boxes)
            height, width = after.image.shape[:2]
            for label, mask in zip(after.boxes.labels.tolist(), after.masks, strict=True):
                if not isinstance(mask, np.ndarray):
                    first = np.subtract(TRIANGLE[0] if label == 7 else (4, 3), (x, y))
                    assert mask[0][0].tolist() == first.tolist()
                elif label == 8:
                    assert np.array_equal(mask, whole[24 + y : 24 + y + height, 24 + x : 24 + x + width])
                    assert np.array_equal(mask, after.image[..., 0] == 200)
    assert seen == {(7,), (8,), (7, 8)}


@pytest.mark.parametrize("kind", ["mixed", "polygons", "bitmaps"])
def test_blending_keeps_the_masks_of_both(kind):
    taller = pad_sample(scene(kind), 0, 0, 0, 3)  # 9 x 8
    narrow = crop_sample(scene(kind), 0, 0, 7, HEIGHT)  # 6 x 7
    first, second = BoxMixup().on_samples([taller, narrow], np.random.default_rng(0))
    for mixed in (first, second):
        assert mixed.image.shape[:2] == (9, 8)
        assert len(mixed.masks) == len(mixed.boxes) == 4
        assert mixed.boxes.labels.tolist() == [7, 8, 7, 8]
        assert isinstance(mixed.masks, np.ndarray) == (kind == "bitmaps")
        for at in (1, 3):
            if kind == "polygons":
                assert mixed.masks[at][0].tolist() == [[4, 3], [7, 3], [7, 5], [4, 5]]
            else:
                assert np.array_equal(mixed.masks[at], bitmap(9, 8, (3, 5), (4, 7)))
    assert narrow.masks[1][0].shape in {(4, 2), (7,)}  # what was given stays as it was


def test_blending_with_pictures_that_have_no_masks():
    empty = Sample(image=np.zeros((4, 12, 3), np.uint8), boxes=Boxes.of([], []), path="empty.png")
    assert [len(mixed.masks) for mixed in BoxMixup().on_samples([scene(), empty], np.random.default_rng(0))] == [2, 2]
    boxes_only = Sample(image=np.zeros((4, 4, 3), np.uint8), boxes=Boxes.of([(0, 0, 2, 2)], [0]), path="plain.png")
    with pytest.raises(ConfigError, match=r"plain\.png has boxes without masks, and mixed\.png has masks"):
        BoxMixup().on_samples([boxes_only, scene()], np.random.default_rng(0))
    mixed = BoxMixup().on_samples([boxes_only, empty], np.random.default_rng(0))
    assert [sample.masks for sample in mixed] == [None, None]


def test_no_bitmaps_are_no_bitmaps_of_the_new_size():
    none = Sample(image=np.zeros((6, 8, 3), np.uint8), boxes=Boxes.of([], []), masks=np.zeros((0, 6, 8), bool))
    assert resize_sample(none, 3, 4).masks.shape == (0, 3, 4)
    assert crop_sample(none, 1, 1, 5, 4).masks.shape == (0, 4, 5)
    assert flip_sample(none).masks.shape == (0, 6, 8)
