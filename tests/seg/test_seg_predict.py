"""From outputs to label maps of the original size: whole, by tiles, in several views, from any exporter."""

from __future__ import annotations

import numpy as np
import pytest

from pdx_core.errors import ConfigError, PdxError
from pdx_core.images import write_image
from pdx_core.model_card import ModelCard
from pdx_core.opencv import require_cv2
from pdx_seg import predictor as predictor_module
from pdx_seg.cutting import Cutting, Limits
from pdx_seg.predictor import SegPredictor

CLASSES = ("red", "green", "blue")
NORMALIZE = {"Normalize": {"mean": [0, 0, 0], "std": [1, 1, 1], "scale": 1.0}}


class Colours:
    """A network whose logits are the colours, averaged over cells of `stride` pixels; remembers what it was fed."""

    def __init__(self, stride=1, give=("label_map", "logits"), name=None, image_size=None):
        self.stride, self.give, self.name, self.image_size = stride, give, name, image_size
        self.shapes = []

    def __call__(self, feed):
        images = feed["images"]
        self.shapes.append(images.shape)
        cv2 = require_cv2()
        height, width = (-(-side // self.stride) for side in images.shape[2:])
        logits = np.stack(
            [
                [cv2.resize(plane, (width, height), interpolation=cv2.INTER_AREA) for plane in planes]
                for planes in images
            ]
        )
        full = np.stack([[cv2.resize(plane, images.shape[:1:-1]) for plane in planes] for planes in logits])
        found = {"label_map": full.argmax(axis=1).astype(np.int32), "logits": logits}
        return {self.name or key: found[key] for key in self.give}


def predictor(runner=None, *transforms, **options):
    card = ModelCard(name="m", task="seg", transforms=(*transforms, NORMALIZE), classes=CLASSES)
    return SegPredictor(card, runner or Colours(), **options)


def picture(height, width, seed=0, cells=7):
    """Smooth blobs of colour, and the class that is strongest at every pixel. As cv2 gives arrays: BGR."""
    cv2 = require_cv2()
    coarse = np.random.default_rng(seed).integers(0, 255, (cells, cells, 3)).astype(np.uint8)
    image = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    return image, image[..., ::-1].argmax(axis=2)


def test_the_network_saw_the_original_size():
    image, wanted = picture(60, 80)
    (result,) = predictor().predict(image)
    assert result.label_map.dtype == np.uint8 and (result.label_map == wanted).all()
    assert result.label_names == CLASSES


def test_a_resized_picture_comes_back_with_smooth_borders():
    image, wanted = picture(241, 333)
    small = {"Resize": {"size": [64, 96]}}
    (result,) = predictor(Colours(stride=4), small).predict(image)
    assert result.label_map.shape == (241, 333)
    assert (result.label_map == wanted).mean() > 0.96
    (coarse,) = predictor(Colours(stride=4, give=("label_map",)), small).predict(image)
    assert coarse.label_map.shape == (241, 333)
    steps = [np.count_nonzero(np.diff(found.label_map.astype(int), axis=0).any(axis=1)) for found in (result, coarse)]
    assert steps[0] > 2 * steps[1]  # classes can only change where cells meet, scores anywhere


def test_padding_is_not_part_of_the_answer():
    image, wanted = picture(50, 70)
    padded = {"Pad": {"divisor": 32}}
    for transforms in ((padded,), (padded, {"Resize": {"size": [64, 96]}})):
        (result,) = predictor(Colours(), *transforms[:1]).predict(image)
        assert (result.label_map == wanted).all()
    card = ModelCard(
        name="m", task="seg", transforms=({"Normalize": {**NORMALIZE["Normalize"], "pad_multiple": 32}},), classes=()
    )
    runner = Colours(stride=4)
    (result,) = SegPredictor(card, runner).predict(image)
    assert runner.shapes == [(1, 3, 64, 96)] and result.label_map.shape == (50, 70)
    assert (result.label_map == wanted).mean() > 0.94


def test_cropping_transforms_are_refused():
    with pytest.raises(ConfigError, match="the network sees only a part of 32 x 32"):
        list(predictor(None, {"CenterCrop": {"size": 32}}).predict(picture(60, 80)[0]))


@pytest.mark.parametrize("size", [(200, 150), (150, 230), (64, 500)])
@pytest.mark.parametrize("overlap", [0, 0.125, 0.5])
def test_tiles_give_what_the_whole_picture_gives(size, overlap):
    image, wanted = picture(*size)
    runner = Colours()
    (result,) = predictor(runner, tile=64, overlap=overlap).predict(image)
    assert len(runner.shapes) > 1 and set(runner.shapes) == {(1, 3, 64, 64)}
    assert (result.label_map == wanted).all()


def test_tiles_of_a_network_with_a_coarse_grid():
    image, wanted = picture(300, 260)
    (whole,) = predictor(Colours(stride=8), tile=0).predict(image)
    (tiled,) = predictor(Colours(stride=8), tile=96, overlap=0.25).predict(image)
    assert (tiled.label_map == whole.label_map).mean() > 0.985
    assert (tiled.label_map == wanted).mean() > (whole.label_map == wanted).mean() - 0.01


def test_models_that_give_classes_only_are_cut_in_the_middle():
    image, wanted = picture(200, 150)
    (result,) = predictor(Colours(give=("label_map",)), tile=64, overlap=0.3).predict(image)
    assert (result.label_map == wanted).all()


def test_each_tile_is_prepared_like_a_picture():
    image, wanted = picture(200, 150)
    runner = Colours()
    (result,) = predictor(runner, {"Resize": {"size": 96}}, tile=64).predict(image)
    assert set(runner.shapes) == {(1, 3, 96, 96)}
    assert (result.label_map == wanted).mean() > 0.98


def test_large_pictures_are_cut_without_being_asked_to(monkeypatch):
    monkeypatch.setattr(Limits, "of_stride", classmethod(lambda cls, stride: cls(9000.0, 64 if stride == 1 else 32)))
    monkeypatch.setattr("pdx_seg.cutting._MEGAPIXEL", 9000)
    small, large = picture(60, 80), picture(120, 100)
    runner = Colours()
    model = predictor(runner)
    results = list(model.predict([small[0], large[0], small[0]], batch_size=2))
    for result, (_, wanted) in zip(results, (small, large, small), strict=True):
        assert (result.label_map == wanted).all()
    assert runner.shapes == [(1, 3, 256, 256), (1, 3, 60, 80), *[(1, 3, 64, 64)] * 4, (1, 3, 60, 80)]
    resizing = Colours()
    list(predictor(resizing, {"Resize": {"size": 32}}).predict(large[0]))
    assert resizing.shapes == [(1, 3, 32, 32)]  # its size in the network is decided
    never = Colours()
    list(predictor(never, tile=0).predict(large[0]))
    assert never.shapes == [(1, 3, 120, 100)]


def test_limits_follow_from_how_fine_a_network_answers():
    assert Limits.of_stride(1.0).side < Limits.of_stride(None).side < Limits.of_stride(8.0).side
    grid = Cutting.of(None, None, False).grid(1024, 2048, lambda: Limits.of_stride(8.0))
    assert grid is None
    assert len(Cutting.of(None, None, False).grid(10_000, 10_000, lambda: Limits.of_stride(8.0))) == 225


def test_files_too_large_to_wait_are_read_in_their_turn(monkeypatch, tmp_path):
    monkeypatch.setattr(predictor_module, "_WAITING_PIXELS", 60 * 80)
    wanted = []
    for index, size in enumerate([(60, 80), (61, 80), (70, 90), (60, 80)]):
        image, labels = picture(*size, seed=index)
        wanted.append(labels)
        write_image(tmp_path / f"{index}.png", image[..., ::-1])
    (tmp_path / "2a.png").write_bytes((tmp_path / "2.png").read_bytes()[:-40])
    model = predictor()
    results = list(model.predict(tmp_path, batch_size=4))
    assert [result.label_map.shape for result in results] == [labels.shape for labels in wanted]
    assert all((result.label_map == labels).all() for result, labels in zip(results, wanted, strict=True))
    assert [name for name, _ in model.failures] == [str(tmp_path / "2a.png")]


@pytest.mark.parametrize("shape", ["[N, H, W]", "[N, 1, H, W]", "scores"])
@pytest.mark.parametrize("dtype", [np.int32, np.int64, np.uint8, np.float32])
def test_models_of_paddlex_call_their_only_output_anything(shape, dtype):
    image, wanted = picture(60, 80)
    inner = Colours()

    def runner(feed):
        found = inner(feed)
        if shape == "scores":
            return {"output_0": found["logits"]}
        labels = found["label_map"].astype(dtype)
        return {"save_infer_model/scale_0.tmp_0": labels[:, None] if shape.startswith("[N, 1") else labels}

    for options in ({}, {"tile": 32}):
        (result,) = predictor(runner, **options).predict(image)
        assert result.label_map.dtype == np.uint8 and (result.label_map == wanted).all()


def test_other_models_are_refused():
    with pytest.raises(PdxError, match=r"not those of a segmentation: boxes \[1, 6\]"):
        list(predictor(lambda feed: {"boxes": np.zeros((1, 6), np.float32)}).predict(picture(60, 80)[0]))
    with pytest.raises(PdxError, match="class ids from 0 to 300"):
        maps = np.array([[[0, 300]]], np.int32)
        list(predictor(lambda feed: {"label_map": maps}).predict(picture(60, 80)[0]))
    with pytest.raises(PdxError, match="exported for 96 x 64 pixels only, and this input has 80 x 60"):
        list(predictor(Colours(image_size=(64, 96))).predict(picture(60, 80)[0]))


def test_views_are_averaged():
    """Left to right the network says class 0 in the left half; mirrored it says so of the other half, but weaker."""

    def runner(feed):
        height, width = feed["images"].shape[2:]
        logits = np.zeros((len(feed["images"]), 2, height, width), np.float32)
        mirrored = feed["images"][0, 0, 0, 0] > feed["images"][0, 0, 0, -1]
        logits[:, 0, :, : width // 2] = 1.0 if mirrored else 3.0
        logits[:, 1, :, width // 2 :] = 1.0 if mirrored else 3.0
        return {"logits": logits}

    image = np.zeros((40, 40, 3), np.uint8)
    image[:, 20:] = 200
    (once,) = predictor(runner).predict(image)
    assert once.label_map[0].tolist() == [0] * 20 + [1] * 20
    (twice,) = predictor(runner, test_time={"flip": True}).predict(image)
    assert (twice.label_map == once.label_map).all()  # 3.0 outweighs 1.0 the other way round
    outputs = predictor(runner, test_time={"flip": True}).run(
        {
            "images": np.ascontiguousarray(image.transpose(2, 0, 1)[None].astype(np.float32)),
            "im_shape": np.array([[40, 40]], np.float32),
            "scale_factor": np.ones((1, 2), np.float32),
        }
    )
    sigmoid = [1 / (1 + np.exp(-value)) for value in (3.0, -1.0)]
    assert outputs.scores[0, 0, 0, 0] == pytest.approx(sum(sigmoid), abs=1e-5)


def test_scales_flip_and_tiles_together():
    image, wanted = picture(150, 200)
    runner = Colours(stride=4)
    (result,) = predictor(runner, tile=64, overlap=0.25, test_time={"scales": [1.0, 1.5], "flip": True}).predict(image)
    assert set(runner.shapes) == {(1, 3, 64, 64), (1, 3, 96, 96)}
    assert (result.label_map == wanted).mean() > 0.96
    with pytest.raises(PdxError, match="gives classes and no scores"):
        list(predictor(Colours(give=("label_map",)), test_time={"flip": True}).predict(image))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"tile": 8}, "tile is a whole number"),
        ({"tile": True}, "tile is a whole number"),
        ({"tile": 64.0}, "tile is a whole number"),
        ({"tile": [64]}, "tile is a whole number"),
        ({"overlap": 32}, "overlap is a share"),
        ({"overlap": "half"}, "overlap is a share"),
        ({"test_time": {"flips": True}}, "test_time takes"),
        ({"test_time": {"flip": True, "merge": {"iou": 0.5}}}, "averages the probabilities"),
        ({"test_time": 2}, "test_time takes"),
    ],
)
def test_wrong_options_are_refused(options, message):
    with pytest.raises(PdxError, match=message):
        predictor(**options)


def test_predict_takes_no_options_of_other_tasks():
    with pytest.raises(PdxError, match="no option 'topk'"):
        predictor().predict(np.zeros((40, 40, 3), np.uint8), topk=3)
