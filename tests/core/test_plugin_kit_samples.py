"""The conformance kit on readers: a sample that cannot be used is noticed."""

from __future__ import annotations

import pytest

np = pytest.importorskip("numpy")

from pdx_core.data.sample import Boxes, Sample  # noqa: E402
from pdx_core.testing import CheckFailure  # noqa: E402
from pdx_core.testing.samples import require_complete  # noqa: E402

HEIGHT, WIDTH = 20, 30
BOX = Boxes.of([[2, 3, 12, 9]], [1])
MASK = np.zeros((HEIGHT, WIDTH), bool)
MAP = np.array([[0, 1, 255]], np.uint8).repeat(10, axis=1).repeat(HEIGHT, axis=0)


def sample(**values):
    image = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    return Sample(**{"image": image, "size": (HEIGHT, WIDTH), "path": "a.png", **values})


@pytest.mark.parametrize(
    "good",
    [
        {"label": 1},
        {"label": np.array([0.5, 0.5], np.float32)},
        {"boxes": Boxes.of([], [])},
        {"boxes": BOX, "masks": [MASK]},
        {"boxes": BOX, "masks": [[np.zeros((3, 2), np.float32)]]},
        {"label_map": MAP},
        {"extra": {"points": 3}},
    ],
)
def test_good_samples_pass(good):
    require_complete(sample(**good), 2, 0)


@pytest.mark.parametrize(
    ("bad", "seen"),
    [
        ({}, "no truth"),
        ({"label": 2}, r"label 2 of sample 7 is outside 0\.\.1"),
        ({"label": 0, "image": np.zeros((20, 30), np.uint8)}, "image of sample 7"),
        ({"label": 0, "size": (30, 20)}, "size of sample 7"),
        ({"label": 0, "path": ""}, "neither path nor id"),
        ({"boxes": Boxes.of([[2, 3, 12, 9]], [2])}, "label outside"),
        ({"boxes": Boxes.of([[20, 10, 5, 5]], [0])}, "not width and height"),
        ({"boxes": Boxes.of([[3, 25, 9, 29]], [0])}, "outside its image of 20 x 30"),
        ({"boxes": Boxes.of([[0.1, 0.2, 0.5, 0.9]], [0])}, "not shares of the image"),
        ({"boxes": BOX, "masks": [MASK, MASK]}, "2 masks and 1 boxes"),
        ({"masks": [MASK]}, "1 masks and no boxes"),
        ({"boxes": BOX, "masks": [MASK.T]}, "its image"),
        ({"label_map": MAP.T}, "one size"),
        ({"label_map": MAP.astype(np.int64)}, "is int64"),
        ({"label_map": np.where(MAP == 1, 7, MAP).astype(np.uint8)}, r"values \[7, 255\], and there are 2 classes"),
    ],
)
def test_each_defect_of_a_sample_is_named(bad, seen):
    with pytest.raises(CheckFailure, match=seen):
        require_complete(sample(**bad), 2, 7)
