"""What the loops ask of the task: targets of a batch, results from scores."""

import numpy as np
import pytest

from pdx_cls.task import ClsTask
from pdx_core.data.sample import Sample
from pdx_core.errors import DataError
from pdx_core.settings import RunConfig


@pytest.fixture
def task():
    return ClsTask(RunConfig(), ("cat", "dog", "emu"))


def test_class_indices(task):
    targets = task.collate([Sample(image=None, label=2), Sample(image=None, label=np.int64(0))], None)
    assert targets["label"].dtype == np.int64
    assert targets["label"].tolist() == [2, 0]


def test_one_soft_label_makes_all_soft(task):
    soft = np.array([0.25, 0.75, 0.0], np.float32)
    targets = task.collate([Sample(image=None, label=soft), Sample(image=None, label=2)], None)
    assert targets["label"].dtype == np.float32
    assert targets["label"].tolist() == [[0.25, 0.75, 0.0], [0.0, 0.0, 1.0]]


def test_a_missing_label_is_named(task):
    with pytest.raises(DataError, match=r"photo\.jpg"):
        task.collate([Sample(image=None, path="photo.jpg")], None)


def test_results_are_best_first(task):
    scores = np.array([[0.1, 0.7, 0.2]], np.float32)
    (result,) = task.results({"scores": scores}, [Sample(image=None, path="photo.jpg")])
    assert result.json["res"]["class_ids"] == [1, 2, 0]
    assert result.label_names == ["dog", "emu", "cat"]
    assert result.input_path == "photo.jpg"
