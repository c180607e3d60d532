"""What transforms do to pixels, against hand-worked numbers and against the libraries they stand for."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from PIL import Image

from pdx_core.data.batch import Batch
from pdx_core.data.sample import Sample
from pdx_core.errors import ConfigError
from pdx_core.transforms import augment_ops, colour
from pdx_core.transforms.auto_augment import _OPERATIONS, _policy_strength, parse_rand_config
from pdx_core.transforms.build import build, build_batch
from pdx_core.transforms.normalize import Normalize


def noise(height: int, width: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def apply(entries: list, image: np.ndarray, seed: int = 0) -> np.ndarray:
    sample, rng = Sample(image=image), np.random.default_rng(seed)
    for transform in build(entries):
        sample = transform(sample, rng)
    return sample.image


@pytest.mark.parametrize(
    ("shape", "short", "wanted"),
    [
        ((480, 640), 256, (256, 341)),  # 640 * 256 / 480 = 341.33
        ((500, 333), 256, (384, 256)),  # 500 * 256 / 333 = 384.38
        ((375, 500), 232, (232, 309)),  # 309.33
        ((2, 5), 1, (1, 2)),  # 2.5 rounds to the even number
        ((100, 1), 8, (800, 8)),
    ],
)
def test_resize_short_rounds_as_the_reference(shape, short, wanted):
    assert apply([{"ResizeShort": {"size": short}}], noise(*shape)).shape[:2] == wanted


def test_resize_short_max_size_and_long():
    assert apply([{"ResizeShort": {"size": 80, "max_size": 100}}], noise(100, 200)).shape[:2] == (50, 100)
    assert apply([{"ResizeLong": {"size": 50}}], noise(100, 200)).shape[:2] == (25, 50)
    assert apply([{"Resize": {"size": [60, 60], "keep_ratio": True}}], noise(100, 200)).shape[:2] == (30, 60)


def test_center_crop_starts_at_the_floor_of_half_the_surplus():
    image = noise(227, 230)
    assert np.array_equal(apply([{"CenterCrop": {"size": 224}}], image), image[1:225, 3:227])
    small = apply([{"CenterCrop": {"size": 8}}], np.full((4, 4, 3), 7, np.uint8))
    assert small[2:6, 2:6].min() == 7 and small.sum() == 4 * 4 * 3 * 7


@pytest.mark.parametrize(
    ("interpolation", "flag", "resample"),
    [
        ("bilinear", cv2.INTER_LINEAR, Image.Resampling.BILINEAR),
        ("bicubic", cv2.INTER_CUBIC, Image.Resampling.BICUBIC),
        ("area", cv2.INTER_AREA, Image.Resampling.BOX),
        ("nearest", cv2.INTER_NEAREST, Image.Resampling.NEAREST),
        ("lanczos", cv2.INTER_LANCZOS4, Image.Resampling.LANCZOS),
    ],
)
def test_backends_are_the_libraries(interpolation, flag, resample):
    image = noise(90, 120)
    entry = {"size": [40, 50], "interpolation": interpolation}
    assert np.array_equal(apply([{"Resize": entry}], image), cv2.resize(image, (50, 40), interpolation=flag))
    pillow = np.asarray(Image.fromarray(image).resize((50, 40), resample))
    assert np.array_equal(apply([{"Resize": {**entry, "backend": "pil"}}], image), pillow)


def test_normalize_is_the_reference_arithmetic_bit_for_bit():
    image = noise(31, 47)
    mean, std = np.float32([0.485, 0.456, 0.406]), np.float32([0.229, 0.224, 0.225])
    wanted = ((image.astype("float32") * np.float32(1 / 255) - mean) / std).transpose(2, 0, 1)
    assert np.array_equal(apply(["Normalize"], image), wanted)
    # into a part of a larger, padded batch, without touching what is around it
    batch = np.full((2, 3, 40, 60), 5, np.float32)
    Normalize().write(image, batch[1, :, :31, :47])
    assert np.array_equal(batch[1, :, :31, :47], wanted)
    assert (batch[0] == 5).all() and (batch[1, :, 31:] == 5).all() and (batch[1, :, :, 47:] == 5).all()


def test_normalize_by_hand():
    planes = apply([{"Normalize": {"mean": [0.5, 0, 0], "std": [0.5, 1, 2]}}], np.full((1, 1, 3), 255, np.uint8))
    assert planes[:, 0, 0].tolist() == [1.0, 1.0, 0.5]


def test_colour_by_hand():
    image = np.array([[[100, 150, 200]]], np.uint8)
    assert colour.change_brightness(image, 1.5)[0, 0].tolist() == [150, 225, 255]
    mean = 0.299 * 100 + 0.587 * 150 + 0.114 * 200  # 140.75
    assert colour.change_contrast(image, 0.5)[0, 0].tolist() == [round(mean + (v - mean) / 2) for v in (100, 150, 200)]
    assert colour.change_saturation(image, 0.0)[0, 0].tolist() == [141, 141, 141]
    assert colour.shift_hue(np.array([[[255, 0, 0]]], np.uint8), 120)[0, 0].tolist() == [0, 255, 0]
    assert np.array_equal(apply([{"ColorDistort": {"prob": 0}}], image), image)


def test_color_distort_changes_colours_only_within_range():
    for seed in range(20):
        image = np.full((8, 8, 3), 100, np.uint8)
        changed = apply([{"ColorDistort": {"brightness": 0.2, "contrast": 0, "saturation": 0, "hue": 0}}], image, seed)
        assert changed.min() >= 80 and changed.max() <= 120


def test_augment_operations_by_hand():
    look = augment_ops.Look()
    sample = Sample(image=np.array([[[0, 100, 200]]], np.uint8))

    def run(name: str, strength: float) -> list[int]:
        return getattr(augment_ops, name)(sample, strength, look).image[0, 0].tolist()

    assert run("invert", 0) == [255, 155, 55]
    assert run("posterize", 1) == [0, 0, 128]
    assert run("posterize", 0) == [0, 0, 0]
    assert run("posterize", 8) == [0, 100, 200]
    assert run("solarize", 128) == [0, 100, 55]
    assert run("solarize", 256) == [0, 100, 200]
    assert run("solarize_add", 110) == [110, 210, 200]
    assert run("brightness", 0.5) == [0, 50, 100]


def test_translate_moves_by_a_share_of_the_width():
    image = np.zeros((4, 10, 3), np.uint8)
    image[:, 2] = 200
    moved = augment_ops.translate_x(Sample(image=image), 0.3, augment_ops.Look(fill=(1, 2, 3), interpolation="nearest"))
    assert moved.image[0, 5].tolist() == [200] * 3 and moved.image[0, 0].tolist() == [1, 2, 3]


def test_rand_augment_notation():
    parsed = parse_rand_config("rand-m9-mstd0.5-inc1")
    assert (parsed.magnitude, parsed.deviation, parsed.growing, parsed.layers, parsed.prob) == (9, 0.5, True, 2, 0.5)
    assert parse_rand_config("rand-m8-inc1-mstd1.0") == parse_rand_config("rand-m8-mstd1.0-inc1-n2")
    for wrong in ("m9", "rand-q3", "rand-m", "rand-p2"):
        with pytest.raises(ConfigError):
            parse_rand_config(wrong)


def test_rand_augment_strengths_at_level_9():
    rng = np.random.default_rng(0)
    growing = {name: strength(9.0, rng) for name, strength in _OPERATIONS[True]}
    plain = {name: strength(9.0, rng) for name, strength in _OPERATIONS[False]}
    assert abs(growing["rotate"]) == pytest.approx(27.0)
    assert abs(growing["shear_x"]) == pytest.approx(0.27)
    assert abs(growing["translate_y"]) == pytest.approx(0.405)
    assert growing["posterize"] == 1 and plain["posterize"] == 3
    assert growing["solarize"] == 26 and plain["solarize"] == 230
    assert growing["solarize_add"] == 99
    assert growing["color"] in (pytest.approx(1.81), pytest.approx(0.19))
    assert plain["contrast"] == pytest.approx(1.72)
    assert len(growing) == 15


def test_auto_augment_strengths():
    rng = np.random.default_rng(0)
    assert _policy_strength("posterize", 8, rng) == 4
    assert _policy_strength("posterize", 5, rng) == 6
    assert _policy_strength("solarize", 5, rng) == pytest.approx(256 * 4 / 9)
    assert abs(_policy_strength("rotate", 9, rng)) == pytest.approx(30)
    assert abs(_policy_strength("color", 4, rng) - 1) == pytest.approx(0.4)


@pytest.mark.parametrize("entry", ["AutoAugment", "RandAugment", "ColorDistort", {"RandomResizedCrop": {"size": 32}}])
def test_same_random_numbers_same_picture(entry):
    image = noise(64, 80)
    assert np.array_equal(apply([entry], image, seed=3), apply([entry], image, seed=3))
    assert len({apply([entry], image, seed=seed).tobytes() for seed in range(8)}) > 4


def test_random_resized_crop_keeps_to_its_ranges():
    (crop,) = build([{"RandomResizedCrop": {"size": 32}}])
    rng = np.random.default_rng(0)
    windows = np.array([crop._window(400, 400, rng) for _ in range(2000)])
    shares = windows[:, 2] * windows[:, 3] / (400 * 400)
    ratios = windows[:, 2] / windows[:, 3]
    assert shares.min() > 0.078 and shares.max() <= 1
    assert ratios.min() > 0.73 and ratios.max() < 1.36
    assert abs(np.log(ratios).mean()) < 0.03  # as often wide as tall
    assert (windows[:, 0] + windows[:, 2] <= 400).all() and (windows[:, 1] + windows[:, 3] <= 400).all()
    assert crop._window(10, 1000, rng)[2:] == (13, 10)  # nothing fits: the central window of ratio 4/3


def test_random_erasing_covers_what_it_should():
    (erase,) = build([{"RandomErasing": {"prob": 1.0, "mode": "const", "value": 9.0}}])
    shares = []
    for seed in range(300):
        planes = np.zeros((3, 64, 64), np.float32)
        erase.on_tensor(planes, np.random.default_rng(seed))
        covered = planes == 9
        assert (covered == covered[0]).all()
        shares.append(covered[0].mean())
    assert min(shares) > 0.015 and max(shares) < 0.36
    (noisy,) = build([{"RandomErasing": {"prob": 1.0}}])
    planes = np.zeros((3, 256, 256), np.float32)
    noisy.on_tensor(planes, np.random.default_rng(1))
    values = planes[planes != 0]
    assert abs(values.mean()) < 0.05 and abs(values.std() - 1) < 0.05
    with pytest.raises(ConfigError, match="after Normalize"):
        apply([{"RandomErasing": {}}], noise(8, 8))


def batch_of(labels: list[int], size: int = 16) -> Batch:
    """Image i is filled with i."""
    count = len(labels)
    images = np.broadcast_to(np.arange(count, dtype=np.float32)[:, None, None, None], (count, 3, size, size)).copy()
    return Batch(
        images=images,
        samples=[Sample(image=None) for _ in labels],
        im_shape=np.zeros((count, 2), np.float32),
        scale_factor=np.ones((count, 2), np.float32),
        targets={"label": np.array(labels, np.int64)},
    )


def test_mixup_mixes_labels_as_pictures():
    (mix,) = build_batch([{"Mixup": {"alpha": 1.0}}], num_classes=4)
    mixed = mix(batch_of([0, 1, 2, 3]), np.random.default_rng(5))
    soft = mixed.targets["label"]
    assert soft.dtype == np.float32 and soft.shape == (4, 4)
    assert np.allclose(soft.sum(1), 1)
    # class i belongs to the picture filled with i, so the expected class is the grey level
    assert np.allclose(soft @ np.arange(4), mixed.images[:, 0, 0, 0], atol=1e-6)


def test_cutmix_shares_are_areas():
    (mix,) = build_batch([{"CutMix": {"alpha": 1.0}}], num_classes=4)
    for seed in range(20):
        mixed = mix(batch_of([0, 1, 2, 3]), np.random.default_rng(seed))
        assert np.allclose(mixed.targets["label"] @ np.arange(4), mixed.images.mean((1, 2, 3)), atol=1e-5)
        assert set(np.unique(mixed.images)) <= {0, 1, 2, 3}


def test_mixers_are_alternatives():
    entries = [{"Mixup": {"alpha": 1.0, "prob": 0.3}}, {"CutMix": {"alpha": 1.0, "prob": 0.5}}]
    (choice,) = build_batch(entries, num_classes=3)
    rng = np.random.default_rng(0)
    drawn = [type(choice._choose(rng)).__name__ for _ in range(4000)]
    assert abs(drawn.count("Mixup") / 4000 - 0.3) < 0.03
    assert abs(drawn.count("CutMix") / 4000 - 0.5) < 0.03
    with pytest.raises(ConfigError, match="sum to 1"):
        build_batch([{"Mixup": {}}, {"CutMix": {}}], num_classes=3)
    with pytest.raises(ConfigError, match="num_classes"):
        build_batch([{"Mixup": {}}])


def test_labels_are_soft_even_when_nothing_is_mixed():
    (choice,) = build_batch([{"Mixup": {"prob": 0.0}}], num_classes=3)
    batch = choice(batch_of([2, 0]), np.random.default_rng(0))
    assert batch.targets["label"].tolist() == [[0, 0, 1], [1, 0, 0]]


def test_batch_resize_is_one_size_per_batch():
    (resize,) = build_batch([{"BatchRandomResize": {"sizes": [32, [48, 64]]}}])
    seen = set()
    for seed in range(10):
        samples = resize.on_samples(
            [Sample(image=noise(40, 40)), Sample(image=noise(50, 20))], np.random.default_rng(seed)
        )
        shapes = {sample.image.shape[:2] for sample in samples}
        assert len(shapes) == 1
        seen |= shapes
    assert seen == {(32, 32), (48, 64)}
