"""Top-1, top-5, accuracy per class, merging, the picture."""

import math

import numpy as np
import pytest

from pdx_cls.metrics import TopK
from pdx_core.data.sample import Sample
from pdx_core.errors import DataError
from pdx_core.results import LabelsResult

CLASSES = tuple("abcdefg")
# truth and the five best classes
ROWS = [(0, [0, 1, 2, 3, 4]), (0, [1, 0, 2, 3, 4]), (1, [1, 2, 3, 4, 5]), (6, [0, 1, 2, 3, 4])]


def _feed(metric, rows):
    results = [LabelsResult("x.jpg", np.array(ids, np.int32), np.linspace(0.9, 0.1, 5), [""] * 5) for _, ids in rows]
    metric.update(results, [Sample(image=None, truth=Sample(image=None, label=label)) for label, _ in rows])
    return metric


def test_counts_by_hand():
    numbers = _feed(TopK(CLASSES), ROWS).compute()
    assert numbers == {"top1": 0.5, "top5": 0.75, "mean_class_top1": 0.5}  # classes 0, 1, 6: 1/2, 1, 0


def test_one_batch_after_the_other_is_the_same_as_all_at_once():
    metric = TopK(CLASSES)
    for row in ROWS:
        _feed(metric, [row])
    assert metric.compute() == _feed(TopK(CLASSES), ROWS).compute()


def test_merge_replaces_by_the_union():
    parts = [_feed(TopK(CLASSES), ROWS[:1]), _feed(TopK(CLASSES), ROWS[1:])]
    parts[0].merge([part.state() for part in parts])
    assert parts[0].compute() == _feed(TopK(CLASSES), ROWS).compute()


def test_fewer_than_five_classes():
    metric = TopK(("cat", "dog"))
    metric.update(
        [LabelsResult("x.jpg", np.array([1, 0]), np.array([0.6, 0.4]), ["", ""])], [Sample(image=None, label=0)]
    )
    assert metric.compute()["top1"] == 0.0
    assert metric.compute()["top5"] == 1.0


def test_nothing_counted_is_not_a_number():
    assert all(math.isnan(value) for value in TopK(CLASSES).compute().values())


@pytest.mark.parametrize(("label", "message"), [(None, "no label"), (7, "outside 0..6"), (-1, "outside 0..6")])
def test_labels_it_cannot_count(label, message):
    result = LabelsResult("x.jpg", np.arange(5), np.full(5, 0.2), [""] * 5)
    with pytest.raises(DataError, match=message):
        TopK(CLASSES).update([result], [Sample(image=None, label=label, path="x.jpg")])


@pytest.mark.parametrize("count", [7, 40, 100])
def test_confusion_matrix_is_drawn(tmp_path, count):
    metric = TopK(tuple(f"类 {index}" for index in range(count)))
    _feed(metric, ROWS)
    (path,) = metric.draw(tmp_path)
    assert path.name == "confusion_matrix.png"
    assert path.read_bytes().startswith(b"\x89PNG")
