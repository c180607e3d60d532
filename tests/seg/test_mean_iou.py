"""The metric against numbers worked by hand."""

from __future__ import annotations

import json

import numpy as np
import pytest

from pdx_core.data.sample import Sample
from pdx_core.errors import DataError
from pdx_seg.counting import count_labels, count_pairs
from pdx_seg.metrics import MeanIou
from pdx_seg.results import LabelMapResult

CLASSES = ("sky", "road", "straße 道", "unused")


def update(metric, truth, prediction, path="a.png"):
    truth, prediction = np.array(truth, np.uint8), np.array(prediction, np.uint8)
    metric.update([LabelMapResult(path, prediction, metric.classes)], [Sample(image=None, label_map=truth, path=path)])


def worked_example(**options):
    """12 judged pixels. Truth 0: 5, 1: 4, 2: 3. Right 4, 3, 1. Predicted 0: 5, 1: 5, 2: 2."""
    metric = MeanIou(CLASSES, **options)
    update(metric, [[0, 0, 0, 0, 0, 255]], [[0, 0, 0, 0, 1, 3]])
    update(metric, [[1, 1, 1, 1], [2, 2, 2, 255]], [[1, 1, 1, 2], [1, 0, 2, 0]])
    return metric


def test_the_worked_example():
    found = worked_example().compute()
    # IoU 4 / (5 + 5 - 4), 3 / (4 + 5 - 3), 1 / (3 + 2 - 1)
    assert found["mIoU"] == pytest.approx((4 / 6 + 3 / 6 + 1 / 4) / 3)
    assert found["Acc"] == pytest.approx(8 / 12)
    assert found["Dice"] == pytest.approx((8 / 10 + 6 / 9 + 2 / 5) / 3)
    assert found["mAcc"] == pytest.approx((4 / 5 + 3 / 4 + 1 / 3) / 3)
    chance = (5 * 5 + 4 * 5 + 3 * 2) / 144
    assert found["Kappa"] == pytest.approx((8 / 12 - chance) / (1 - chance))


def test_absent_classes_can_count_as_zero_as_in_paddleseg():
    found = worked_example(absent="zero").compute()
    assert found["mIoU"] == pytest.approx((4 / 6 + 3 / 6 + 1 / 4 + 0) / 4)
    assert found["Dice"] == pytest.approx((8 / 10 + 6 / 9 + 2 / 5 + 0) / 4)
    assert found["Acc"] == pytest.approx(8 / 12)


def test_a_class_that_is_only_predicted_counts():
    metric = MeanIou(("a", "b"))
    update(metric, [[0, 0, 0, 0]], [[0, 0, 0, 1]])
    assert metric.compute()["mIoU"] == pytest.approx((3 / 4 + 0) / 2)
    assert metric.per_class()["b"] == {"IoU": 0.0, "Acc": None, "precision": 0.0, "Dice": 0.0, "pixels": 0}


def test_per_class_numbers():
    found = worked_example().per_class()
    assert list(found) == list(CLASSES)
    assert found["road"] == {
        "IoU": pytest.approx(3 / 6),
        "Acc": pytest.approx(3 / 4),
        "precision": pytest.approx(3 / 5),
        "Dice": pytest.approx(6 / 9),
        "pixels": 4,
    }
    assert found["unused"] == {"IoU": None, "Acc": None, "precision": None, "Dice": None, "pixels": 0}


def test_agreement_and_nothing_at_all():
    metric = MeanIou(("a", "b"))
    assert np.isnan(metric.compute()["mIoU"])
    update(metric, [[255, 255]], [[0, 1]])
    assert all(np.isnan(value) for value in metric.compute().values())
    update(metric, [[0, 0]], [[0, 0]])
    assert metric.compute() == {"mIoU": 1.0, "Acc": 1.0, "Kappa": 1.0, "Dice": 1.0, "mAcc": 1.0}


def test_processes_are_put_together():
    whole = worked_example()
    first, second = MeanIou(CLASSES), MeanIou(CLASSES)
    update(first, [[0, 0, 0, 0, 0, 255]], [[0, 0, 0, 0, 1, 3]])
    update(second, [[1, 1, 1, 1], [2, 2, 2, 255]], [[1, 1, 1, 2], [1, 0, 2, 0]])
    states = [first.state(), second.state()]
    first.merge(states)
    assert first.compute() == whole.compute()
    assert first.state()["confusions"].nbytes == len(CLASSES) ** 2 * 8  # whatever was seen


def test_large_maps_are_counted_in_bands():
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 4, (1500, 2000), dtype=np.uint8)
    prediction = rng.integers(0, 3, (1500, 2000), dtype=np.uint8)
    truth[::7] = 255
    counts = count_pairs(truth, prediction, 4, 255)
    for row in range(4):
        for column in range(4):
            assert counts[row, column] == np.count_nonzero((truth == row) & (prediction == column))
    assert count_labels(truth)[[0, 255]].tolist() == [np.count_nonzero(truth == 0), 215 * 2000]


@pytest.mark.parametrize(
    ("truth", "prediction", "message"),
    [
        ([[0, 9]], [[0, 0]], "the truth holds the value 9, which is no class of 0..3"),
        ([[0, 0]], [[0, 200]], "the prediction holds the value 200"),
        ([[0, 0], [0, 0]], [[0, 0]], "the mask is 2 x 2 pixels, the prediction 2 x 1"),
    ],
)
def test_maps_that_do_not_fit_are_named(truth, prediction, message):
    with pytest.raises(DataError, match=f"photos/b.png: {message}"):
        update(MeanIou(CLASSES), truth, prediction, "photos/b.png")


def test_a_sample_without_mask_is_named():
    with pytest.raises(DataError, match=r"c\.png: has no mask"):
        MeanIou(CLASSES).update(
            [LabelMapResult("c.png", np.zeros((1, 1), np.uint8))], [Sample(image=None, path="c.png")]
        )


def test_pictures_and_figures_are_written(tmp_path):
    metric = worked_example()
    metric._confusions *= 1_000_000  # too long for the cells of the matrix
    files = metric.draw(tmp_path)
    assert [path.name for path in files] == ["per_class.json", "confusion_matrix.png", "class_iou.png"]
    assert all(path.stat().st_size > 100 for path in files)
    assert json.loads(files[0].read_text(encoding="utf-8"))["straße 道"]["IoU"] == pytest.approx(0.25)
