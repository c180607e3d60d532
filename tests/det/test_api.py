"""The door for other plugins: what it names is there, light parts come without Paddle, the rest behaves as said."""

import subprocess
import sys

import pytest

from pdx_det import api


def test_every_name_of_the_door_is_there_and_documented():
    assert sorted(api._PLACES) == sorted(api.__all__) == dir(api)
    for name in api.__all__:
        assert getattr(api, name) is not None
        assert f"    {name} " in api.__doc__


def test_an_unknown_name_is_refused_with_those_there_are():
    with pytest.raises(AttributeError, match=r"pdx_det\.api offers no 'NoHead'; it has BACKBONES, .*to_original"):
        api.NoHead  # noqa: B018
    with pytest.raises(ImportError):
        from pdx_det.api import NoHead  # noqa: F401


def test_light_names_import_nothing_heavy():
    program = (
        "from pdx_det.api import BACKBONES, HEAD_ARGUMENTS, RCNNHeadOptions, coco_classes\n"
        "from pdx_det.api import rcnn_coco_recipe, rcnn_finetuning, rcnn_preprocessing\n"
        "from pdx_det.api import CocoBoxOptions, class_file, coco_file\n"
        "import sys; print(sorted({'paddle', 'numpy', 'cv2'} & set(sys.modules)))"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"


def test_the_recipe_of_the_longer_schedule_lowers_the_rate_later():
    assert api.rcnn_coco_recipe()["Train.schedule.milestones"] == (8, 11)
    longer = api.rcnn_coco_recipe(epochs=24, clip_norm=35.0)
    assert longer["Train.schedule.milestones"] == (16, 22) and longer["Train.optimizer.clip_norm"] == 35.0


@pytest.mark.paddle
def test_regions_know_the_row_of_their_annotation_in_the_padded_targets():
    import paddle

    from pdx_det.rcnn_sampling import annotations, sample_regions

    targets = {
        "gt_boxes": paddle.to_tensor([[[0.0, 0, 50, 50], [20, 20, 40, 40], [60, 60, 90, 90], [0, 0, 0, 0]]]),
        "gt_labels": paddle.to_tensor([[2, 0, 1, -1]], dtype="int32"),
        "gt_crowd": paddle.to_tensor([[1, 0, 0, 0]], dtype="int32"),
    }
    truth = annotations(targets)
    assert truth[0].rows.tolist() == [1, 2]
    proposals = [paddle.to_tensor([[59.0, 60, 90, 90], [0, 0, 5, 5]])]
    regions = sample_regions(proposals, truth, 3, at_random=False)
    foreground = regions.labels.numpy() < 3
    assert regions.labels.numpy()[foreground].tolist() == [1, 0, 1]  # one proposal, then the annotations themselves
    assert regions.matched.numpy()[foreground].tolist() == [2, 1, 2]
    assert api.row_images(regions.counts, regions.boxes).tolist() == [0] * len(foreground)


@pytest.mark.paddle
def test_spare_rows_stand_in_front_of_each_image_and_go_again():
    import paddle

    rows = paddle.to_tensor([[2.0, 0.9, 0, 0, 5, 5], [1, 0.8, 1, 1, 5, 5], [3, 0.7, 2, 2, 5, 5]])
    for own, label in (([2, 0, 1], [0, 2, 1, 0, 0, 3]), ([0, 3], [0, 0, 2, 1, 3]), ([3], [0, 2, 1, 3])):
        counts = paddle.to_tensor(own, dtype="int32")
        longer, image, order = api.with_spare_rows(rows, counts)
        assert longer[:, 0].tolist() == label
        assert image.tolist() == [index for index, count in enumerate(own) for _ in range(count + 1)]
        assert api.without_spare_rows(longer, order, counts).tolist() == rows.tolist()
    counts = paddle.to_tensor([0, 0], dtype="int32")
    longer, _, order = api.with_spare_rows(paddle.zeros([0, 6]), counts)
    assert longer.tolist() == [[0, 0, 0, 0, 1, 1]] * 2
    assert api.without_spare_rows(longer, order, counts).shape == [0, 6]
    info = {"im_shape": paddle.to_tensor([[8.0, 8]] * 2), "scale_factor": paddle.ones([2, 2])}
    assert api.to_original(paddle.zeros([0, 6]), counts, info).shape == [0, 6]
