"""Boxes, masks and label maps stay on the pixels they describe, whatever is done to the picture."""

from __future__ import annotations

import attrs
import numpy as np
import pytest

from pdx_core.data.sample import Boxes, Sample
from pdx_core.transforms import augment_ops
from pdx_core.transforms.build import build
from pdx_core.transforms.geometry import crop_sample, flip_sample, pad_sample, resize_sample, warp_sample

HEIGHT, WIDTH = 120, 160
BOX = (40, 30, 100, 80)  # x1 y1 x2 y2


@attrs.frozen(eq=False)
class Outline:
    """A `contracts.Movable` of a task that the core does not know. corners: [n, 2]; inside: uint8 [H, W]"""

    corners: np.ndarray
    inside: np.ndarray

    def moved(self, move_points, move_raster):
        return Outline(move_points(self.corners), move_raster(self.inside, 0))


def scene(masks: str = "polygons") -> Sample:
    """A white rectangle on black, described in every way a sample can."""
    x1, y1, x2, y2 = BOX
    image = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    image[y1:y2, x1:x2] = 255
    raster = image[None, ..., 0] > 0  # bool [1, H, W]
    polygon = np.array([[x1, y1], [x2, y1], [x2, y2], [x1, y2]], np.float32)
    return Sample(
        image=image,
        boxes=Boxes.of([BOX], [3], area=np.array([3000.0], np.float32)),
        masks=raster if masks == "raster" else [[polygon]],
        label_map=raster[0].astype(np.uint8),
        size=(HEIGHT, WIDTH),
        extra={"outline": Outline(polygon, raster[0].astype(np.uint8)), "age": 3},
    )


def bounds(mask: np.ndarray) -> np.ndarray:
    """x1 y1 x2 y2 of the set pixels."""
    ys, xs = np.nonzero(mask)
    return np.array([xs.min(), ys.min(), xs.max() + 1, ys.max() + 1], np.float32)


def assert_follows(sample: Sample, tolerance: float) -> None:
    """Everything describes the bright pixels of the image."""
    bright = sample.image[..., 0] > 127
    assert bright.any()
    wanted = bounds(bright)
    assert np.abs(sample.boxes.xyxy[0] - wanted).max() <= tolerance, (sample.boxes.xyxy[0], wanted)
    assert (sample.label_map == 1).shape == bright.shape
    assert ((sample.label_map == 1) != bright).mean() < 0.03
    assert ((sample.extra["outline"].inside == 1) != bright).mean() < 0.03
    assert sample.extra["age"] == 3
    polygons = [sample.extra["outline"].corners]
    if isinstance(sample.masks, np.ndarray):
        assert (sample.masks[0] != bright).mean() < 0.03
    else:
        polygons.append(sample.masks[0][0])
    for corners in polygons:
        polygon = np.clip(corners, 0, [bright.shape[1], bright.shape[0]])
        assert np.abs(np.concatenate([polygon.min(0), polygon.max(0)]) - wanted).max() <= tolerance


@pytest.mark.parametrize("masks", ["polygons", "raster"])
@pytest.mark.parametrize(
    "entry",
    [
        {"Resize": {"size": [60, 240]}},
        {"Resize": {"size": [200, 200], "keep_ratio": True}},
        {"ResizeShort": {"size": 90, "interpolation": "bicubic", "backend": "pil"}},
        {"ResizeLong": {"size": 100, "interpolation": "area"}},
        {"RandomScale": {"low": 0.5, "high": 2.0, "step": 0}},
        {"CenterCrop": {"size": [100, 120]}},
        {"CenterCrop": {"size": 200}},
        {"RandomCrop": {"size": [90, 110]}},
        {"RandomCrop": {"size": [150, 200]}},
        {"RandomResizedCrop": {"size": 128, "scale": [0.6, 1.0]}},
        {"Pad": {"divisor": 32}},
        {"Pad": {"size": [200, 210], "centre": True}},
        {"RandomHorizontalFlip": {"prob": 1.0}},
        {"RandomVerticalFlip": {"prob": 1.0}},
    ],
    ids=lambda entry: next(iter(entry)) if isinstance(entry, dict) else str(entry),
)
def test_annotations_follow_the_pixels(entry, masks):
    (transform,) = build([entry])
    for seed in range(5):
        before = scene(masks)
        after = transform(before, np.random.default_rng(seed))
        assert_follows(after, tolerance=2.0)
        assert np.array_equal(before.boxes.xyxy[0], BOX)  # the given sample is left alone
        assert np.array_equal(before.extra["outline"].corners, scene().extra["outline"].corners)


@pytest.mark.parametrize(
    ("operation", "strength"),
    [("shear_x", 0.2), ("shear_y", -0.2), ("translate_x", 0.2), ("translate_y", -0.15), ("rotate", 12.0)],
)
@pytest.mark.parametrize("masks", ["polygons", "raster"])
def test_warped_annotations_follow_the_pixels(operation, strength, masks):
    after = getattr(augment_ops, operation)(scene(masks), strength, augment_ops.Look(fill=(0, 0, 0)))
    assert_follows(after, tolerance=2.0)


def test_a_quarter_turn_is_exact():
    square = scene()
    square.image = np.ascontiguousarray(square.image[:, :HEIGHT])
    square.label_map = np.ascontiguousarray(square.label_map[:, :HEIGHT])
    turned = augment_ops.rotate(square, 90.0, augment_ops.Look(fill=(0, 0, 0)))
    assert np.array_equal(turned.image, np.rot90(square.image))
    x1, y1, x2, y2 = BOX
    assert np.allclose(turned.boxes.xyxy[0], [y1, HEIGHT - x2, y2, HEIGHT - x1], atol=1e-3)


def test_resize_keeps_count_of_scale_and_area():
    after = resize_sample(scene(), 60, 320)
    assert after.scale_factor == (0.5, 2.0)
    assert after.im_shape == (60, 320)
    assert after.boxes.area[0] == pytest.approx(3000.0)  # half of one side, twice the other


def test_crop_clips_and_drops_boxes():
    boxes = Boxes.of([[0, 0, 10, 10], [5, 5, 25, 25], [60, 60, 70, 70]], [0, 1, 2])
    sample = Sample(image=np.zeros((100, 100, 3), np.uint8), boxes=boxes, masks=np.ones((3, 100, 100), bool))
    cut = crop_sample(sample, x=10, y=10, width=20, height=20)
    assert cut.boxes.labels.tolist() == [1]  # the first only touches the window, the last is outside
    assert cut.boxes.xyxy.tolist() == [[0, 0, 15, 15]]
    assert cut.masks.shape == (1, 20, 20)
    assert cut.origin == (10, 10)
    # 15 x 15 of 20 x 20 is 0.5625
    assert len(crop_sample(sample, 10, 10, 20, 20, min_visible=0.56).boxes) == 1
    assert len(crop_sample(sample, 10, 10, 20, 20, min_visible=0.57).boxes) == 0


def test_flip_twice_is_nothing():
    sample = scene("raster")
    twice = flip_sample(flip_sample(sample))
    assert np.array_equal(twice.image, sample.image)
    assert np.array_equal(twice.boxes.xyxy, sample.boxes.xyxy)
    assert np.array_equal(twice.masks, sample.masks)


def test_padding_is_ignored_in_the_label_map():
    padded = pad_sample(scene(), 1, 2, 3, 4, fill=(9, 8, 7))
    assert padded.image.shape == (HEIGHT + 6, WIDTH + 4, 3)
    assert padded.image[0, 0].tolist() == [9, 8, 7]
    assert padded.label_map[0, 0] == 255
    assert padded.im_shape == (HEIGHT, WIDTH)


def test_wide_label_maps_survive_warping():
    sample = Sample(image=np.zeros((20, 20, 3), np.uint8), label_map=np.full((20, 20), 70_000, np.int32))
    warped = warp_sample(sample, np.array([[1, 0, 5], [0, 1, 0]], float))
    assert warped.label_map.dtype == np.int32
    assert warped.label_map[0].tolist() == [255] * 5 + [70_000] * 15


def test_no_boxes_is_fine():
    sample = Sample(image=np.zeros((30, 40, 3), np.uint8), boxes=Boxes.of([], []), masks=[])
    for transform in build(
        [{"RandomResizedCrop": {"size": 16}}, {"RandomHorizontalFlip": {"prob": 1}}, {"RandAugment": {}}]
    ):
        sample = transform(sample, np.random.default_rng(0))
    assert len(sample.boxes) == 0
