"""Boxes of several views become one list: hand-made detectors, and numbers worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from pdx_core.config import default_config, resolve
from pdx_core.errors import ConfigError, PdxError
from pdx_core.model_card import ModelCard
from pdx_core.settings import TestTimeConfig
from pdx_det.predictor import DetPredictor
from pdx_det.task import DetTask
from pdx_det.view_merging import MergeOptions, merge_rows, run_views

PLAIN = MergeOptions(iou=0.5, vote_iou=0)


def rows(*values: tuple) -> np.ndarray:
    return np.array(values, np.float32).reshape(-1, 6)


def feed(count: int = 1, size: tuple[int, int] = (64, 96), scale: tuple[float, float] = (2.0, 0.5)) -> dict:
    return {
        "images": np.zeros((count, 3, *size), np.float32),
        "im_shape": np.array([size] * count, np.float32),
        "scale_factor": np.array([scale] * count, np.float32),
    }


def test_one_box_of_each_object_is_kept():
    merged = merge_rows(
        rows((1, 0.5, 0, 0, 10, 10), (1, 0.9, 0, 0, 10, 8), (1, 0.4, 5, 0, 15, 10), (0, 0.6, 0, 0, 10, 10)), PLAIN
    )
    # The first overlaps the second by 0.8 and is dropped; the third by 40 / 140; the last is of another class
    assert merged.tolist() == rows((0, 0.6, 0, 0, 10, 10), (1, 0.9, 0, 0, 10, 8), (1, 0.4, 5, 0, 15, 10)).tolist()


def test_boxes_vote_with_their_scores():
    found = rows((2, 0.6, 0, 0, 10, 10), (2, 0.2, 0, 0, 10, 8), (2, 0.1, 0, 0, 10, 5))
    (merged,) = merge_rows(found, MergeOptions(iou=0.4, vote_iou=0.7))
    # The third box overlaps the best by 0.5: dropped, and too far off to have a vote
    np.testing.assert_allclose(merged, [2, 0.6, 0, 0, 10, (0.6 * 10 + 0.2 * 8) / 0.8], rtol=1e-6)
    (lonely,) = merge_rows(rows((2, 0.6, 5, 5, 5, 5)), MergeOptions())
    assert lonely[2:].tolist() == [5, 5, 5, 5]  # an empty box overlaps not even itself


def test_the_best_boxes_of_an_image_are_kept():
    found = rows(*((label, 0.1 * (label + 1), 0, 0, 10, 10) for label in range(5)))
    assert merge_rows(found, MergeOptions(keep_top_k=2))[:, 0].tolist() == [3, 4]
    assert merge_rows(rows((0, 0, 0, 0, 1, 1)), PLAIN).shape == (0, 6)  # how some exported models say "nothing"


def test_mirrored_boxes_are_turned_back_in_original_pixels():
    """The original image is 192 wide (96 / 0.5). The detector sees the object at the left in either view."""
    seen = []

    def runner(view: dict) -> dict:
        seen.append(view["images"].shape)
        return {"bbox": rows((0, 0.9 - 0.1 * len(seen), 10, 0, 30, 8)), "bbox_num": np.array([1], np.int32)}

    outputs = run_views(runner, feed(), TestTimeConfig(flip=True), PLAIN)
    np.testing.assert_allclose(
        outputs["bbox"], rows((0, 0.8, 10, 0, 30, 8), (0, 0.7, 162, 0, 182, 8)), rtol=1e-6
    )  # 192 - 30, 192 - 10
    assert outputs["bbox_num"].tolist() == [2] and seen == [(1, 3, 64, 96)] * 2


def test_a_detector_that_finds_the_same_in_every_view_is_not_changed():
    """A stand-in that finds the bright block of each image wherever it is, in original pixels."""
    given = feed(2, scale=(1.0, 1.0))
    given["images"][0, :, 16:32, 8:40] = 1
    given["images"][1, :, 40:56, 64:96] = 1
    shapes = []

    def runner(view: dict) -> dict:
        found = []
        for image, (y, x) in zip(view["images"], view["scale_factor"], strict=True):
            down, across = np.nonzero(image[0] > 0.5)
            box = (across.min() / x, down.min() / y, (across.max() + 1) / x, (down.max() + 1) / y)
            found.append((0, 0.9, *box))
        shapes.append(view["images"].shape[2:])
        return {"bbox": rows(*found), "bbox_num": np.ones(len(found), np.int32)}

    outputs = run_views(runner, given, TestTimeConfig(scales=(0.5, 1.0, 2.0), flip=True), MergeOptions())
    assert outputs["bbox_num"].tolist() == [1, 1]
    np.testing.assert_allclose(outputs["bbox"][:, 2:], [[8, 16, 40, 32], [64, 40, 96, 56]], atol=0.2)
    assert shapes == [(64, 96)] * 2 + [(32, 64)] * 2 + [(128, 192)] * 2  # 48 is rounded: no view has padding


def test_views_of_padded_images_are_padded():
    given = feed()
    given["im_shape"][0] = (60, 96)
    shapes = []

    def runner(view: dict) -> dict:
        shapes.append((view["images"].shape[2:], *view["im_shape"].tolist()))
        return {"bbox": np.zeros((0, 6), np.float32), "bbox_num": np.zeros(1, np.int32)}

    outputs = run_views(runner, given, TestTimeConfig(scales=(1.5,)), PLAIN)
    assert shapes == [((96, 160), [90, 144])]
    assert outputs["bbox"].shape == (0, 6) and outputs["bbox_num"].tolist() == [0]


def test_other_outputs_are_not_dropped_in_silence():
    def runner(view: dict) -> dict:
        return {"bbox": rows(), "bbox_num": np.zeros(1, np.int32), "mask": np.zeros(0)}

    with pytest.raises(PdxError, match="also gives mask"):
        run_views(runner, feed(), TestTimeConfig(flip=True), PLAIN)


def mirror_blind(view: dict) -> dict:
    """Finds the same place in every view, by names as PaddleX gives them."""
    count = len(view["images"])
    return {"fetch_0": np.tile(rows((0, 0.9, 2, 2, 12, 12)), (count, 1)), "fetch_1": np.ones(count, np.int32)}


def predictor(run: object = mirror_blind, **options: object) -> DetPredictor:
    transforms = ({"Resize": {"size": [32, 32]}}, {"Normalize": {}})
    return DetPredictor(ModelCard(name="x", task="det", transforms=transforms, classes=("cat",)), run, **options)


def test_the_predictor_merges_what_any_runtime_gives():
    image = np.zeros((50, 40, 3), np.uint8)
    (plain,) = predictor().predict(image)
    (merged,) = predictor(test_time={"flip": True, "scales": [1.0, 2.0]}).predict(image)
    assert len(plain) == 1 and len(merged) == 2
    np.testing.assert_allclose(merged.xyxy, [[2, 2, 12, 12], [28, 2, 38, 12]], rtol=1e-6)


def test_the_task_merges_in_evaluation():
    config = default_config("PicoDet-S_320")
    assert DetTask(config, ("cat",)).run(lambda view: "as it is", feed()) == "as it is"
    config = resolve(
        "PicoDet-S_320", overrides=["Evaluate.test_time.flip=true", "Evaluate.test_time.merge.iou=0.3"]
    ).config
    task = DetTask(config, ("cat",))

    def runner(view: dict) -> dict:
        return {"bbox": rows((0, 0.9, 90, 0, 112, 8)), "bbox_num": np.array([1], np.int32)}

    assert task.run(runner, feed())["bbox_num"].tolist() == [1]  # 80 to 102 when turned back: overlap 12 / 32


@pytest.mark.parametrize(
    ("merge", "message"),
    [
        ({"ious": 0.5}, "unknown key 'ious' in 'test_time.merge'. Did you mean 'iou'"),
        ({"iou": 0}, "must be > 0"),
        ({"iou": "high"}, "could not convert"),
        ({"keep_top_k": 0.5}, "int"),
        ({"keep_top_k": 0}, "must be > 0"),
    ],
)
def test_wrong_options_of_merging_are_refused(merge, message):
    with pytest.raises(ConfigError, match=message):
        predictor(test_time={"flip": True, "merge": merge})


@pytest.mark.parametrize("given", [{"scale": [1, 2]}, {"scales": 2}, True, {"scales": [0]}, {"scales": [1, 1]}])
def test_wrong_views_are_refused(given):
    with pytest.raises(ConfigError, match="test_time takes"):
        predictor(test_time=given)


def test_scales_need_a_graph_of_any_size():
    class Fixed:
        image_size = (320, 320)
        __call__ = staticmethod(mirror_blind)

    predictor(Fixed(), test_time={"flip": True})
    with pytest.raises(PdxError, match=r"exported for 320x320 only.*any_size"):
        predictor(Fixed(), test_time={"scales": [1, 2]})
