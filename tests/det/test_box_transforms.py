"""Transforms of boxes: sizes as the releases round them, padding, crops by overlap, expansion, blending of pictures."""

from __future__ import annotations

import numpy as np
import pytest

from pdx_core.data.loader import Loader
from pdx_core.data.sample import Boxes, Sample
from pdx_core.errors import ConfigError
from pdx_core.predictor import Prepared, preparation
from pdx_core.transforms.box_crop import RandomBoxCrop
from pdx_core.transforms.build import build, build_batch
from pdx_core.transforms.expand import RandomExpand
from pdx_core.transforms.mix_boxes import BoxMixup
from pdx_core.transforms.normalize import Normalize
from pdx_core.transforms.resize import BatchRandomResize, ResizeShort


def scene(height: int = 60, width: int = 80, *boxes: tuple, value: int = 0) -> Sample:
    """A picture of one grey with boxes x1 y1 x2 y2 that are filled with 200 + their number."""
    image = np.full((height, width, 3), value, np.uint8)
    for number, (x1, y1, x2, y2) in enumerate(boxes):
        image[y1:y2, x1:x2] = 200 + number
    return Sample(image=image, boxes=Boxes.of(boxes, range(len(boxes))), size=(height, width))


@pytest.mark.parametrize(
    ("height", "width", "wanted"),
    [
        (480, 640, (800, 1067)),  # 1066.67
        (427, 640, (800, 1199)),  # 1199.06
        (300, 900, (444, 1333)),  # the long side decides: 444.33
        (1600, 801, (1333, 667)),  # 667.33
        (32, 65, (10, 20)),  # size 10: 20.3125
        (4, 5, (10, 13)),  # size 10: 12.5, a half goes up
    ],
)
def test_keep_ratio_rounds_as_the_release(height, width, wanted):
    size = 10 if height < 100 else 800
    resized = ResizeShort(size=size, max_size=1333)(scene(height, width, (0, 0, 4, 4)), np.random.default_rng(0))
    assert resized.image.shape[:2] == wanted == resized.im_shape
    assert resized.scale_factor == pytest.approx((wanted[0] / height, wanted[1] / width))
    factor = np.array([wanted[1] / width, wanted[0] / height] * 2)
    assert resized.boxes.xyxy[0] == pytest.approx(np.array([0, 0, 4, 4]) * factor, abs=1e-4)


def test_padding_is_zero_after_normalisation_in_training_and_prediction():
    sample = scene(50, 70, (10, 10, 30, 40))
    prepared = Prepared.of(preparation([{"Normalize": {"pad_multiple": 32}}])(sample))
    assert prepared.planes.shape == (3, 64, 96)
    assert tuple(prepared.im_shape) == (50, 70)
    assert (prepared.planes[:, 50:] == 0).all() and (prepared.planes[:, :, 70:] == 0).all()
    plain = Normalize()(scene(50, 70, (10, 10, 30, 40))).image
    assert np.array_equal(prepared.planes[:, :50, :70], plain)

    class One:
        classes = ("thing",)

        def __len__(self) -> int:
            return 1

        def __getitem__(self, index: int) -> Sample:
            return scene(50, 70, (10, 10, 30, 40))

    loader = Loader(One(), build([{"Normalize": {"pad_multiple": 32}}]), batch_size=1, workers=0)
    (batch,) = list(loader.epoch(0))
    assert np.array_equal(batch.images[0], prepared.planes)
    assert batch.im_shape.tolist() == [[50, 70]]


def test_a_crop_shows_enough_of_a_box():
    boxes = [(5, 5, 25, 30), (40, 20, 70, 55)]
    for seed in range(60):
        for threshold in (0.1, 0.5):
            before = scene(60, 80, *boxes)
            after = RandomBoxCrop(thresholds=(threshold,))(before, np.random.default_rng(seed))
            assert len(after.boxes) >= 1
            height, width = after.image.shape[:2]
            for (x1, y1, x2, y2), label in zip(after.boxes.xyxy.astype(int).tolist(), after.boxes.labels, strict=True):
                assert 0 <= x1 < x2 <= width and 0 <= y1 < y2 <= height
                assert (after.image[y1:y2, x1:x2] == 200 + label).all()  # the box still frames its own pixels
            if after.image.shape != before.image.shape:
                kept = [np.prod(np.subtract(boxes[label][2:], boxes[label][:2])) for label in after.boxes.labels]
                # IoU with a window never exceeds the ratio of the areas
                assert any(
                    min(area, height * width) / max(area, height * width) >= threshold - 0.02 for area in kept
                ) or (threshold == 0.1)


def test_a_crop_drops_boxes_whose_centre_is_outside():
    before = scene(100, 100, (0, 0, 40, 40), (30, 30, 100, 100))
    seen = set()
    for seed in range(40):
        after = RandomBoxCrop(thresholds=(0.0,), scale=(0.4, 0.5))(before, np.random.default_rng(seed))
        seen.add(len(after.boxes))
        assert after.boxes.xyxy.min() >= 0
    assert 1 in seen


def test_a_crop_may_be_no_crop():
    before = scene(60, 80, (5, 5, 25, 30))
    assert RandomBoxCrop(thresholds=(None,))(before, np.random.default_rng(0)) is before
    empty = scene(60, 80)
    assert RandomBoxCrop()(empty, np.random.default_rng(0)) is empty
    impossible = RandomBoxCrop(thresholds=(1.0,), attempts=3)(before, np.random.default_rng(0))
    assert impossible is before


def test_expansion_moves_boxes_with_the_pixels():
    before = scene(20, 30, (5, 6, 15, 16))
    for seed in range(20):
        after = RandomExpand(prob=1, fill=7)(before, np.random.default_rng(seed))
        height, width = after.image.shape[:2]
        assert 20 <= height <= 80 and 30 <= width <= 120
        x1, y1, x2, y2 = after.boxes.xyxy[0].astype(int)
        assert (x2 - x1, y2 - y1) == (10, 10)
        assert (after.image[y1:y2, x1:x2] == 200).all()
        assert (after.image == 7).sum() == 3 * (height * width - 600)
        assert after.im_shape == (height, width)
    assert RandomExpand(prob=0)(before, np.random.default_rng(0)) is before
    with pytest.raises(ConfigError, match="above 1"):
        RandomExpand(max_ratio=1)


def test_blending_adds_pictures_and_weighs_boxes():
    first, second = scene(4, 6, (0, 0, 2, 2), value=100), scene(8, 5, (1, 1, 3, 3), (2, 2, 5, 5), value=50)
    mixed = BoxMixup().on_samples([first, second], np.random.default_rng(3))
    share = float(mixed[0].boxes.weights[0])
    assert 0 < share < 1
    assert mixed[0].boxes.weights == pytest.approx([share, 1 - share, 1 - share])
    assert mixed[0].boxes.labels.tolist() == [0, 0, 1]
    assert mixed[0].boxes.xyxy.tolist() == [[0, 0, 2, 2], [1, 1, 3, 3], [2, 2, 5, 5]]
    assert mixed[0].image.shape[:2] == mixed[0].im_shape == (8, 6)
    assert mixed[0].image[3, 5].tolist() == pytest.approx([100 * share] * 3, abs=1)  # the second is not as wide
    assert mixed[0].image[7, 0].tolist() == pytest.approx([50 * (1 - share)] * 3, abs=1)
    assert mixed[0].image[3, 0].tolist() == pytest.approx([100 * share + 50 * (1 - share)] * 3, abs=1)
    assert first.boxes.weights.tolist() == [1]  # what was given stays as it was
    alone = [scene()]
    assert BoxMixup().on_samples(alone, np.random.default_rng(0)) is alone
    with pytest.raises(ConfigError, match="boxes"):
        BoxMixup().on_samples([Sample(image=first.image), second], np.random.default_rng(0))


def test_nobody_is_mixed_with_itself():
    samples = [scene(4, 4, (0, 0, number + 1, 2)) for number in range(4)]
    mixed = BoxMixup().on_samples(samples, np.random.default_rng(0))
    assert all(len({tuple(box) for box in sample.boxes.xyxy.tolist()}) == 2 for sample in mixed)


def test_the_filter_of_a_batch_is_drawn():
    sample = scene(40, 40, (3, 3, 20, 20))
    resize = BatchRandomResize(sizes=[[32, 32]], interpolations=["nearest", "area"])
    pictures = {resize.on_samples([sample], np.random.default_rng(seed))[0].image.tobytes() for seed in range(12)}
    assert len(pictures) == 2
    assert build_batch([{"BoxMixup": {}}, {"BatchRandomResize": {"sizes": [32]}}])
