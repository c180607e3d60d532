"""Points move with their image, a head finds them, a metric measures them, a result shows them."""

import json

import numpy as np
import pytest

from pdx_core.config import resolve
from pdx_core.contracts import FeatureSpec
from pdx_core.data.sample import Sample
from pdx_core.errors import ConfigError, DataError
from pdx_core.transforms.build import build
from pdx_keypoints.metric import PointErrors
from pdx_keypoints.points import Points, partners, points_of
from pdx_keypoints.result import PointsResult
from pdx_keypoints.task import KeypointsTask

NAMES = ("left_eye", "right_eye", "nose")


def sample(*xy, height=40, width=80):
    """A black image with a white pixel at each point that is known."""
    image = np.zeros((height, width, 3), np.uint8)
    xy = np.array(xy, np.float32)
    for x, y in xy[~np.isnan(xy[:, 0])].astype(int):
        image[y, x] = 255
    return Sample(
        image=image, extra={"points": Points(xy, partners(NAMES[: len(xy)]))}, size=(height, width), path="a.png"
    )


def transformed(before, *entries, seed=0):
    for step in build(entries):
        before = step(before, np.random.default_rng(seed))
    return before


def test_a_mirror_image_swaps_left_and_right():
    before = sample((10.5, 5.5), (30.5, 6.5), (20.5, 9.5))
    after = transformed(before, {"RandomHorizontalFlip": {"prob": 1.0}})
    assert points_of(after).xy.tolist() == [[49.5, 6.5], [69.5, 5.5], [59.5, 9.5]]
    twice = transformed(after, {"RandomVerticalFlip": {"prob": 1.0}})
    assert points_of(twice).xy[0].tolist() == [69.5, 34.5]  # turned round by two mirrors, left is left again
    assert points_of(before).xy[0].tolist() == [10.5, 5.5]


@pytest.mark.parametrize("name", ["RandomCrop", "RandomResizedCrop", "Pad", "RandomExpand", "RandAugment"])
def test_points_stay_on_their_pixels(name):
    entry = {
        "RandomCrop": {"size": [30, 60]},
        "RandomResizedCrop": {"size": [80, 160], "scale": [0.6, 1.0], "interpolation": "nearest"},
        "Pad": {"size": [64, 96], "centre": True},
        "RandomExpand": {"prob": 1.0},
        "RandAugment": {"config": "rand-m5-n1", "interpolation": "nearest"},
    }[name]
    for seed in range(5):
        before = sample((40.5, 20.5))
        before.image[17:24, 37:44] = 255  # large enough to survive a resize
        after = transformed(before, {name: entry}, seed=seed)
        x, y = points_of(after).xy[0].astype(int)
        if 0 <= x < after.image.shape[1] and 0 <= y < after.image.shape[0]:
            assert abs(int(after.image[y, x, 0]) - int(after.image[0, 0, 0])) > 60


def test_partners_go_by_name():
    assert partners(("nose", "left_eye", "tip_right", "right_eye")).tolist() == [0, 3, 2, 1]


def task():
    return KeypointsTask(resolve("Points-ResNet18").config, NAMES)


def test_what_a_crop_cuts_off_is_not_trained_on():
    from pdx_core.data.batch import Batch

    batch = Batch(
        images=np.zeros((1, 3, 40, 96), np.float32),
        samples=[],
        im_shape=np.array([[40, 80]], np.float32),
        scale_factor=np.ones((1, 2), np.float32),
    )
    targets = task().collate([sample((10, 5), (np.nan, np.nan), (79, 39))], batch)
    assert targets["known"].tolist() == [[1, 0, 1]] and not np.isnan(targets["points"]).any()
    outside = sample((10, 5), (1, 1), (2, 2))
    outside.extra["points"].xy[:] = [[81, 5], [5, -1], [80, 40]]  # 81 would be in the padding
    assert task().collate([outside], batch)["known"].tolist() == [[0, 0, 1]]


def test_samples_of_other_tasks_are_refused():
    with pytest.raises(DataError, match="gives no points"):
        points_of(Sample(image=None, path="a.png"))


def test_crops_are_refused_where_points_must_be_put_back():
    config = resolve("Points-ResNet18", overrides=["Data.eval_transforms=[{CenterCrop: {size: 64}}, Normalize]"])
    with pytest.raises(ConfigError, match="CenterCrop"):
        KeypointsTask(config.config, NAMES)


def test_the_centre_of_mass_is_found_and_scaled_back():
    import paddle

    from pdx_keypoints.head import PointsHead

    head = PointsHead((FeatureSpec(8, 4), FeatureSpec(16, 8)), num_classes=2, stride=8)
    maps = np.full((1, 2, 6, 7), -50, np.float32)  # with a border of one cell: an image of 32 x 40
    maps[0, 0, 2, 3] = 50  # the second row and third column of the image's own cells
    maps[0, 1, 0, 0] = maps[0, 1, 1, 1] = 50  # a cell beside the image and one in its corner: the corner itself
    points = head.decode(paddle.to_tensor(maps), {"scale_factor": paddle.to_tensor([[0.5, 2.0]])})["points"].numpy()
    np.testing.assert_allclose(points, [[[20 / 2, 12 / 0.5], [0, 0]]], atol=1e-4)


def test_points_that_are_not_known_have_no_share_in_the_loss():
    import paddle

    from pdx_keypoints.head import PointsHead

    head = PointsHead((FeatureSpec(8, 8),), num_classes=2)
    head.eval()
    level, known = paddle.randn([1, 8, 4, 4]), paddle.to_tensor([[1.0, 0.0]])
    other = head.centres(head((level,))) + paddle.to_tensor([[[8.0, 0.0], [100.0, 0.0]]])
    assert float(head.loss((level,), {"points": other, "known": known})["loss_points"]) == pytest.approx(1, rel=1e-4)
    none = head.loss((level,), {"points": other, "known": paddle.zeros([1, 2])})["loss_points"]
    assert float(none) == 0


def result(*xy):
    return PointsResult("a.png", np.array(xy, np.float32), NAMES[: len(xy)])


def test_the_metric_against_numbers_worked_by_hand():
    metric = PointErrors(NAMES, threshold=0.05)  # of 80 pixels: 4
    metric.update([result((13, 5), (70, 30), (9, 9))], [sample((10, 5), (64, 22), (np.nan, np.nan))])
    assert metric.compute() == pytest.approx({"pck": 1 / 2, "nme": (3 / 80 + 10 / 80) / 2})
    assert np.isnan(PointErrors(NAMES).compute()["pck"])


def test_a_result_is_published_with_names_and_pixels():
    published = json.loads(json.dumps(result((13.256, 5), (70, 30)).json["res"]))
    assert published["points"] == [
        {"label": "left_eye", "coordinate": [13.26, 5.0]},
        {"label": "right_eye", "coordinate": [70.0, 30.0]},
    ]


def test_points_are_drawn_where_they_are():
    image = np.full((40, 80, 3), 127, np.uint8)
    drawn = result((10, 5), (np.nan, np.nan)).draw(image)["res"]
    ys, xs = np.nonzero((drawn != 127).any(axis=-1))
    assert (image == 127).all() and abs(xs.mean() - 10) <= 1 and abs(ys.mean() - 5) <= 1 and len(xs) < 60
    large = result((100, 150), (300, 150)).draw(np.full((480, 640, 3), 127, np.uint8))["res"]
    assert (large != 127).any(axis=-1).sum() > 1000  # with the names
