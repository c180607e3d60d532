"""Targets of a batch, results in the published shape, and the predictor on a stand-in for an exported model."""

from __future__ import annotations

import json

import numpy as np
import pytest

from pdx_core.config import default_config
from pdx_core.data.batch import Batch
from pdx_core.data.sample import Boxes, Sample
from pdx_core.errors import DataError, PdxError
from pdx_core.images import write_image
from pdx_core.model_card import ModelCard
from pdx_core.results_boxes import BoxesResult
from pdx_det.predictor import DetPredictor
from pdx_det.task import DetTask

CLASSES = ("cat", "dog")
ROWS = np.array(
    [[0, 0.9, -3, 2, 20, 30], [1, 0.6, 10, 10, 40, 60], [1, 0.5, 0, 0, 9, 9], [0, 0.2, 1, 1, 5, 5]], np.float32
)


def make_task() -> DetTask:
    return DetTask(default_config("PicoDet-S_320"), CLASSES)


def batch_of(samples: list[Sample], shapes: list[tuple[int, int]]) -> Batch:
    return Batch(
        images=np.zeros((len(samples), 3, 64, 64), np.float32),
        samples=samples,
        im_shape=np.array(shapes, np.float32),
        scale_factor=np.ones((len(samples), 2), np.float32),
    )


def test_targets_are_padded_and_clipped():
    first = Boxes.of(
        [[-5, 10, 20, 70], [70, 0, 90, 10], [1, 2, 3, 4]],
        [1, 0, 0],
        crowd=np.array([False, False, True]),
        weights=np.array([0.25, 1, 1], np.float32),
    )
    samples = [Sample(image=None, boxes=first), Sample(image=None, boxes=Boxes.of([], []))]
    targets = make_task().collate(samples, batch_of(samples, [(60, 64), (64, 64)]))
    assert targets["gt_boxes"].tolist() == [[[0, 10, 20, 60], [1, 2, 3, 4]], [[0] * 4] * 2]  # one lay outside
    assert targets["gt_labels"].tolist() == [[1, 0], [-1, -1]]
    assert targets["gt_crowd"].tolist() == [[0, 1], [0, 0]]
    assert targets["gt_weights"].tolist() == [[0.25, 1], [0, 0]]
    assert targets["im_shape"].tolist() == [[60, 64], [64, 64]]
    dtypes = {name: str(value.dtype) for name, value in targets.items()}
    assert dtypes == {
        "gt_boxes": "float32", "gt_labels": "int32", "gt_crowd": "int32", "gt_weights": "float32",
        "im_shape": "float32", "scale_factor": "float32",
    }  # fmt: skip


def test_a_batch_without_boxes_has_one_empty_slot():
    samples = [Sample(image=None, boxes=Boxes.of([], []))]
    assert make_task().collate(samples, batch_of(samples, [(64, 64)]))["gt_boxes"].shape == (1, 1, 4)
    with pytest.raises(DataError, match="no boxes"):
        make_task().collate([Sample(image=None)], batch_of(samples, [(64, 64)]))


def test_rows_are_dealt_out_to_their_images():
    rows = np.vstack([ROWS, [[-1, 0, 0, 0, 0, 0]]]).astype(np.float32)
    samples = [Sample(image=None, path=name, size=(50, 40)) for name in ("a", "b", "c")]
    results = make_task().results({"bbox": rows, "bbox_num": np.array([1, 0, 4], np.int32)}, samples)
    assert [len(result) for result in results] == [1, 0, 3]  # the last row fills up a graph of fixed size
    assert results[0].xyxy.tolist() == [[-3, 2, 20, 30]]  # as the network gave it; metrics want it so
    assert results[2].label_names == ["dog", "dog", "cat"]


def test_the_published_result(tmp_path):
    result = BoxesResult.of_rows("a.jpg", ROWS, CLASSES, threshold=0.5, size=(50, 30))
    assert result.json == {
        "res": {
            "input_path": "a.jpg",
            "page_index": None,
            "boxes": [
                {"cls_id": 0, "label": "cat", "score": 0.9, "coordinate": [0.0, 2.0, 20.0, 30.0]},
                {"cls_id": 1, "label": "dog", "score": 0.6, "coordinate": [10.0, 10.0, 30.0, 50.0]},
            ],
        }
    }
    assert json.loads(result.save_to_json(tmp_path).read_text()) == result.json["res"]
    assert BoxesResult.of_rows("a.jpg", ROWS[:0], CLASSES, threshold=0.5).summary == "nothing found"
    assert BoxesResult.of_rows("a.jpg", ROWS, CLASSES, topk=1).scores.tolist() == [np.float32(0.9)]
    assert BoxesResult.of_rows("a.jpg", np.array([[7, 0.9, 0, 0, 1, 1]]), CLASSES).label_names == ["7"]


def test_drawing_stays_inside_and_leaves_the_picture_alone():
    image = np.zeros((50, 40, 3), np.uint8)
    result = BoxesResult.of_rows("a.jpg", ROWS, CLASSES, threshold=0.5, size=(50, 40))
    drawn = result.draw(image)["res"]
    assert drawn.shape == image.shape and drawn.any() and not image.any()
    assert drawn[30, 0].any()  # the frame of the box that begins left of the image


def predictor(**options: object) -> DetPredictor:
    def run(feed: dict) -> dict:
        count = len(feed["images"])
        return {"bbox": np.tile(ROWS, (count, 1)), "bbox_num": np.full(count, len(ROWS), np.int32)}

    transforms = ({"Resize": {"size": [32, 32]}}, {"Normalize": {}})
    card = ModelCard(name="x", task="det", transforms=transforms, classes=CLASSES, post=options.pop("post", {}))
    return DetPredictor(card, run, **options)


def test_the_threshold_and_who_decides_it(tmp_path):
    write_image(tmp_path / "a.png", np.zeros((50, 40, 3), np.uint8))
    path = str(tmp_path / "a.png")

    def scores(model: DetPredictor, **options: object) -> list[float]:
        (result,) = model.predict(path, **options)
        return [round(float(score), 2) for score in result.scores]

    assert scores(predictor()) == [0.9, 0.6]  # a score of exactly .5 is not above it
    assert scores(predictor(post={"DetThreshold": {"threshold": 0.1}})) == [0.9, 0.6, 0.5, 0.2]
    assert scores(predictor(post={"DetThreshold": {"threshold": 0.1}}, threshold=0.8)) == [0.9]
    assert scores(predictor(threshold=0.8), threshold=0.3) == [0.9, 0.6, 0.5]
    assert scores(predictor(topk=1)) == [0.9]
    assert scores(predictor(), threshold=0.0, topk=2) == [0.9, 0.6]
    (result,) = predictor().predict(path)
    assert result.json["res"]["boxes"][0]["coordinate"] == [0.0, 2.0, 20.0, 30.0]


@pytest.mark.parametrize("options", [{"threshold": 2}, {"threshold": "high"}, {"topk": 0}, {"topk": True}, {"sore": 1}])
def test_wrong_options_are_refused(options):
    with pytest.raises(PdxError):
        predictor().predict(np.zeros((8, 8, 3), np.uint8), **options)


def test_outputs_by_any_name():
    model = predictor()
    model.runner = lambda feed: {"fetch_0": ROWS, "fetch_1": np.array([4], np.int32)}
    (result,) = model.predict(np.zeros((50, 40, 3), np.uint8))
    assert len(result) == 2
    model.runner = lambda feed: {"softmax": np.zeros((1, 1000), np.float32)}
    with pytest.raises(PdxError, match="not those of a detector"):
        list(model.predict(np.zeros((50, 40, 3), np.uint8)))


def test_what_an_export_says_about_the_threshold():
    config = default_config("PicoDet-S_320")
    assert DetPredictor.published_post(config) == {"DetThreshold": {"threshold": 0.5}}
    config.predict.threshold = 0.25
    assert DetPredictor.published_post(config) == {"DetThreshold": {"threshold": 0.25}}
