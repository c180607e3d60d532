"""Training batches carry the mask of every box that is left, and evaluation holds run lengths only."""

from __future__ import annotations

import numpy as np
import pytest

from pdx_core.config import resolve
from pdx_core.data.batch import Batch
from pdx_core.data.sample import Boxes, Sample
from pdx_core.errors import ConfigError, DataError
from pdx_instseg.run_lengths import RunLengths
from pdx_instseg.task import InstSegTask

MODEL = "MaskRCNN-ResNet50-FPN"


def _task() -> InstSegTask:
    return InstSegTask(resolve(MODEL).config, ("a", "b"))


def _batch(samples: list[Sample]) -> Batch:
    count = len(samples)
    shape = np.full((count, 2), 32, np.float32)
    images = np.zeros((count, 3, 32, 32), np.float32)
    return Batch(images=images, samples=samples, im_shape=shape, scale_factor=np.ones_like(shape))


def _square(x: float, y: float, side: float) -> np.ndarray:
    return np.array([[x, y], [x + side, y], [x + side, y + side], [x, y + side]], np.float32)


def test_masks_stay_with_their_boxes():
    bitmap = np.zeros((32, 32), bool)
    bitmap[5:9, 6:12] = True
    first = Sample(
        image=None,
        boxes=Boxes.of([[40, 40, 50, 50], [1, 2, 9, 10], [6, 5, 12, 9]], [0, 1, 0]),  # the first one has left the image
        masks=[[_square(40, 40, 10)], [_square(1, 2, 8), _square(3, 3, 2)], bitmap],
    )
    second = Sample(image=None, boxes=Boxes.of(np.zeros((0, 4)), []), masks=[])
    targets = _task().collate([first, second], _batch([first, second]))
    assert targets["gt_labels"].tolist() == [[1, 0], [-1, -1]]
    assert targets["gt_polygon_sizes"].tolist() == [[[4, 4], [0, 0]], [[0, 0], [0, 0]]]
    assert targets["gt_polygons"][0, 0].tolist() == [1, 2]
    assert targets["gt_bitmap_frames"].tolist() == [[[0, 0, 0, 0], [6, 5, 12, 9]], [[0, 0, 0, 0], [0, 0, 0, 0]]]
    assert targets["gt_bitmaps"][0].sum() == 24


def test_boxes_without_masks_are_refused():
    sample = Sample(image=None, boxes=Boxes.of([[0, 0, 5, 5]], [0]), path="a.png")
    with pytest.raises(DataError, match=r"a\.png: has boxes but no masks"):
        _task().collate([sample], _batch([sample]))


def test_results_hold_run_lengths_of_the_original_size():
    sample = Sample(image=None, path="a.png", size=(50, 70))
    outputs = {
        "bbox": np.array([[1, 0.03, 10, 20, 30, 40]], np.float32),
        "bbox_num": np.array([1]),
        "mask": np.ones((1, 28, 28), np.float32),
    }
    (result,) = _task().results(outputs, [sample])
    assert result.label_names == ["b"] and result.run_lengths[0].size == (50, 70)
    wanted = np.zeros((50, 70), bool)
    wanted[20:40, 10:30] = True
    assert result.run_lengths[0] == RunLengths.of_bitmap(wanted)


def test_views_cannot_be_merged():
    config = resolve(MODEL, overrides=("Evaluate.test_time.flip=true",)).config
    with pytest.raises(ConfigError, match=r"Evaluate\.test_time merges boxes, not masks"):
        InstSegTask(config, ("a",))
