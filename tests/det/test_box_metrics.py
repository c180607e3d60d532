"""COCO and VOC precision against the COCO tools and against numbers worked by hand; kinds of mistakes."""

from __future__ import annotations

import contextlib
import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pdx_core.data.sample import Boxes, Sample
from pdx_core.errors import ConfigError, DataError
from pdx_core.results_boxes import BoxesResult
from pdx_det.metrics.coco import CocoBox
from pdx_det.metrics.mistakes import KINDS
from pdx_det.metrics.overlap import iou_matrix
from pdx_det.metrics.voc import VocMap, average_precision

CLASSES = ("cat", "dog", "cow")


def result(*rows: tuple) -> BoxesResult:
    """rows: label, score, x1, y1, x2, y2."""
    return BoxesResult.of_rows("a.jpg", np.array(rows, np.float32).reshape(-1, 6), CLASSES)


def sample(number: int, *boxes: tuple, **flags: list) -> Sample:
    """boxes: label, x1, y1, x2, y2."""
    table = np.array(boxes, np.float32).reshape(-1, 5)
    known = Boxes.of(table[:, 1:], table[:, 0], **{name: np.array(value, bool) for name, value in flags.items()})
    return Sample(image=None, id=number, boxes=known, extra={"category_ids": (1, 4, 9)})


def crowded_scenes(count: int = 40, seed: int = 0) -> tuple[list[BoxesResult], list[Sample]]:
    """Random boxes of all sizes, detections near them and elsewhere, crowds, empty images and equal scores."""
    rng = np.random.default_rng(seed)
    results, samples = [], []
    for number in range(count):
        known = rng.integers(0, 8)
        corner = rng.uniform(0, 300, (known, 2))
        xyxy = np.hstack(
            [corner, corner + rng.choice([12.0, 50.0, 200.0], (known, 2)) * rng.uniform(0.7, 1.3, (known, 2))]
        )
        labels = rng.integers(0, 3, known)
        crowd = rng.random(known) < 0.15
        noise = rng.normal(0, 6, xyxy.shape) * (rng.random((known, 1)) < 0.7)
        guesses = np.vstack([xyxy + noise, xyxy[: known // 2] + 2, rng.uniform(0, 100, (3, 4)).cumsum(axis=1)])
        guess_labels = np.concatenate([np.where(rng.random(known) < 0.85, labels, 1), labels[: known // 2], [0, 1, 2]])
        scores = np.round(rng.random(len(guesses)), 2)
        rows = np.column_stack([guess_labels, scores, guesses])
        results.append(result(*map(tuple, rows.tolist())))
        samples.append(sample(number + 10, *np.column_stack([labels, xyxy]).tolist(), crowd=crowd.tolist()))
    return results, samples


def official(results: list[BoxesResult], samples: list[Sample]) -> list[float]:
    """The twelve numbers that pycocotools prints, from files as everybody else uses it."""
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    truth, found = [], []
    for outcome, known in zip(results, samples, strict=True):
        for box, label, crowd in zip(
            known.boxes.xyxy.astype(float), known.boxes.labels, known.boxes.crowd, strict=True
        ):
            x1, y1, x2, y2 = box.tolist()
            area = float(np.float32(x2 - x1) * np.float32(y2 - y1))
            truth.append({"id": len(truth) + 1, "image_id": known.id, "category_id": int(label) + 1, "area": area,
                          "bbox": [x1, y1, x2 - x1, y2 - y1], "iscrowd": int(crowd)})  # fmt: skip
        for box, label, score in zip(outcome.xyxy.astype(float), outcome.class_ids, outcome.scores, strict=True):
            x1, y1, x2, y2 = box.tolist()
            found.append({"image_id": known.id, "category_id": int(label) + 1, "score": float(score),
                          "bbox": [x1, y1, x2 - x1, y2 - y1]})  # fmt: skip
    coco = COCO()
    coco.dataset = {"images": [{"id": known.id} for known in samples], "annotations": truth,
                    "categories": [{"id": 1}, {"id": 2}, {"id": 3}]}  # fmt: skip
    with contextlib.redirect_stdout(io.StringIO()):
        coco.createIndex()
        run = COCOeval(coco, coco.loadRes(found), "bbox")
        run.evaluate()
        run.accumulate()
        run.summarize()
    return run.stats.tolist()


def test_the_numbers_are_those_of_the_coco_tools():
    results, samples = crowded_scenes()
    metric = CocoBox(CLASSES)
    metric.update(results, samples)
    assert list(metric.compute().values()) == pytest.approx(official(results, samples), abs=1e-12)


def test_processes_and_order_do_not_matter():
    results, samples = crowded_scenes()
    whole, odd, even = CocoBox(CLASSES), CocoBox(CLASSES), CocoBox(CLASSES)
    whole.update(results, samples)
    odd.update(results[1::2], samples[1::2])
    even.update(results[::2], samples[::2])
    even.update(results[:1], samples[:1])  # a sample that two processes evaluated
    merged = CocoBox(CLASSES)
    merged.merge([odd.state(), even.state()])
    assert merged.compute() == whole.compute()
    assert merged.per_class() == whole.per_class()


def test_faster_coco_eval_gives_the_same_bits():
    pytest.importorskip("faster_coco_eval")
    results, samples = crowded_scenes(120, seed=3)
    slow, fast = CocoBox(CLASSES), CocoBox(CLASSES, backend="faster-coco-eval")
    for metric in (slow, fast):
        metric.update(results, samples)
    assert fast.compute() == slow.compute()
    assert np.array_equal(fast.tables().precision, slow.tables().precision)


def test_one_class_by_hand():
    """Two objects; best box right, second a false alarm, third right: precision 1 up to recall .5, then 2/3."""
    metric = CocoBox(CLASSES)
    metric.update(
        [result((0, 0.9, 0, 0, 10, 10), (0, 0.8, 50, 50, 60, 60), (0, 0.7, 20, 20, 40, 40))],
        [sample(1, (0, 0, 0, 10, 10), (0, 20, 20, 40, 40))],
    )
    wanted = (51 * 1 + 50 * 2 / 3) / 101
    assert metric.compute()["AP50"] == pytest.approx(wanted)
    assert metric.compute()["AP"] == pytest.approx(wanted)  # all matches are exact
    assert metric.compute()["APl"] == -1  # no large object
    assert metric.per_class()["dog"]["AP"] == -1


def test_nothing_found_is_zero_and_files_are_written(tmp_path):
    metric = CocoBox(CLASSES)
    metric.update([result(), result((1, 0.75, 1, 2, 4, 8))], [sample(7, (0, 0, 0, 10, 10)), sample(8)])
    assert metric.compute()["AP"] == 0
    files = metric.draw(tmp_path)
    assert [path.name for path in files] == [
        "bbox.json", "per_class.json", "precision_recall.png", "confusion_matrix.png", "errors.png",
    ]  # fmt: skip
    assert json.loads((tmp_path / "bbox.json").read_text()) == [
        {"image_id": 8, "category_id": 4, "bbox": [1.0, 2.0, 3.0, 6.0], "score": 0.75}
    ]
    for path in files[2:]:
        with Image.open(path) as image:
            image.load()
    assert set(json.loads((tmp_path / "per_class.json").read_text())) == set(CLASSES)


def test_state_stays_small():
    results, samples = crowded_scenes(30)
    metric = CocoBox(CLASSES)
    metric.update(results, samples)
    kept = sum(part.nbytes for image in metric.state()["images"] for part in image[1:])
    boxes = sum(len(outcome) for outcome in results) + sum(len(known.boxes) for known in samples)
    assert kept <= 24 * boxes


@pytest.mark.parametrize(
    ("style", "wanted"),
    [("integral", 0.5 * 1 + 0.5 * 2 / 3), ("11point", (6 * 1 + 5 * 2 / 3) / 11)],
)
def test_voc_by_hand(style, wanted):
    """As above: precision 1, 1/2, 2/3 at recall .5, .5, 1."""
    assert average_precision(np.array([0.5, 0.5, 1]), np.array([1, 0.5, 2 / 3]), style) == pytest.approx(wanted)
    metric = VocMap(CLASSES, style=style)
    metric.update(
        [result((0, 0.9, 0, 0, 10, 10)), result((0, 0.8, 50, 50, 60, 60), (0, 0.7, 20, 20, 40, 40))],
        [sample(1, (0, 0, 0, 10, 10)), sample(2, (0, 20, 20, 40, 40))],
    )
    assert metric.compute()["mAP"] == pytest.approx(wanted)  # the other classes do not occur


def test_voc_never_reaching_full_recall():
    assert average_precision(np.array([0.25]), np.array([1.0]), "integral") == 0.25
    assert average_precision(np.array([0.25]), np.array([1.0]), "11point") == pytest.approx(3 / 11)  # at 0, .1, .2


def test_voc_ignores_difficult_objects_and_counts_duplicates():
    metric = VocMap(CLASSES)
    metric.update(
        [result((0, 0.9, 50, 50, 60, 60), (0, 0.8, 0, 0, 10, 10), (0, 0.7, 0, 0, 10, 10))],
        [sample(1, (0, 0, 0, 10, 10), (0, 50, 50, 60, 60), difficult=[False, True])],
    )
    assert metric.compute()["mAP"] == 1  # the box on the difficult object counts for nothing, the duplicate comes last
    metric.update([result((0, 0.95, 0, 0, 5, 10))], [sample(2, (0, 0, 0, 10, 10))])  # IoU exactly .5: a match
    assert metric.compute()["mAP"] == pytest.approx(1)
    other = VocMap(CLASSES)
    other.merge([metric.state(), VocMap(CLASSES).state()])
    assert other.compute() == metric.compute()
    assert VocMap(CLASSES).compute()["mAP"] != VocMap(CLASSES).compute()["mAP"]  # NaN: nothing was seen


def test_kinds_of_mistakes_by_hand():
    metric = CocoBox(CLASSES, min_score=0.3)
    metric.update(
        [
            result(
                (0, 0.9, 0, 0, 10, 10),  # correct
                (0, 0.8, 0, 0, 10, 9),  # duplicate
                (1, 0.7, 100, 0, 110, 10),  # a cow taken for a dog: classification
                (0, 0.6, 200, 0, 210, 4),  # IoU .4 with a cat: localisation
                (2, 0.5, 300, 0, 310, 4),  # IoU .4 with a dog: both
                (2, 0.4, 400, 0, 410, 10),  # background
                (2, 0.2, 0, 0, 10, 10),  # below the threshold
            )
        ],
        [
            sample(
                1, (0, 0, 0, 10, 10), (2, 100, 0, 110, 10), (0, 200, 0, 210, 10), (1, 300, 0, 310, 10),
                (1, 500, 0, 510, 10), (1, 600, 0, 610, 10), crowd=[False] * 5 + [True],
            )
        ],
    )  # fmt: skip
    assert dict(zip(KINDS, metric.mistakes.kinds.sum(axis=0).tolist(), strict=True)) == dict.fromkeys(KINDS, 1)
    wanted = np.zeros((4, 4), int)
    wanted[0, 0] = 1
    wanted[2, 1] = 1
    wanted[0, 3] = 1  # the badly placed cat was not found
    wanted[1, 3] = 2
    wanted[3, 0], wanted[3, 2] = 2, 2
    assert metric.mistakes.confusions.tolist() == wanted.tolist()


def test_crowds_do_not_count_as_mistakes():
    metric = CocoBox(CLASSES)
    metric.update(
        [result((0, 0.9, 0, 0, 10, 10))], [sample(1, (0, 0, 0, 100, 100), (1, 0, 0, 90, 90), crowd=[True, True])]
    )
    assert metric.mistakes.kinds.sum() == 0


def test_overlap():
    found = iou_matrix([[0, 0, 10, 10]], [[0, 0, 5, 10], [20, 20, 30, 30], [0, 0, 10, 10]], np.array([0, 0, 1], bool))
    assert found.tolist() == [[0.5, 0, 1]]
    assert iou_matrix(np.zeros((0, 4)), np.zeros((2, 4))).shape == (0, 2)


def test_what_cannot_be_evaluated_is_named(tmp_path: Path):
    with pytest.raises(DataError, match="no boxes"):
        CocoBox(CLASSES).update([result()], [Sample(image=None, id=1, path="a.jpg")])
    with pytest.raises(DataError, match="class id 5"):
        CocoBox(CLASSES).update([result()], [sample(1, (5, 0, 0, 1, 1))])
    with pytest.raises(ConfigError, match="pycocotools or faster"):
        CocoBox(CLASSES, backend="quick")
    with pytest.raises(ConfigError, match="integral or 11point"):
        VocMap(CLASSES, style="12point")
