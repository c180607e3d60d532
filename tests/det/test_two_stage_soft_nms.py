"""Soft suppression at the end of two-stage heads, against numbers worked out by hand, and exported."""

import math

import numpy as np
import paddle
import pytest

from pdx_core import build_network
from pdx_core.config import resolve
from pdx_core.contracts import FeatureSpec
from pdx_core.errors import ConfigError
from pdx_det.nms import by_image, soft_nms
from pdx_det.rcnn import RCNNHead


def head(**options):
    return RCNNHead([FeatureSpec(8, 16)], 2, anchor_sizes=[(32.0,)], roi_levels=1, resolution=2, **options)


def raw(scores, boxes, counts):
    return {
        "rois": paddle.zeros([len(scores), 4]),
        "counts": paddle.to_tensor(counts, dtype="int32"),
        "boxes": paddle.to_tensor(boxes, dtype="float32"),
        "scores": paddle.to_tensor(scores, dtype="float32"),
    }


def test_rows_of_images_become_blocks():
    values = paddle.arange(8, dtype="float32").reshape([4, 2])
    blocks = by_image(values, paddle.to_tensor([1, 3], dtype="int32"))
    assert blocks.tolist() == [[[0, 1], [0, 0], [0, 0]], [[2, 3], [4, 5], [6, 7]]]


def test_scores_fall_with_overlap_in_each_class_and_image():
    a, b, far = [0, 0, 10, 10], [0, 5, 10, 15], [50, 50, 60, 60]  # IoU of a and b: 50 / 150
    rows, counts = head(nms_kind="soft", score_threshold=0.1).detect(
        raw(
            [[0.5, 0.4, 0.1], [0.9, 0.1, 0.0], [0.8, 0.05, 0.15], [0.7, 0.3, 0.0]],
            [[a, far], [a, far], [b, far], [far, b]],  # a box for each class
            [1, 3],
        ),
        paddle.full([2, 2], 100.0),
    )
    lowered = 0.8 * math.exp(-((1 / 3) ** 2) / 0.5)
    assert counts.tolist() == [2, 4]  # class 1 of region 1 is not above the threshold
    np.testing.assert_allclose(
        rows.numpy(),
        [
            [0, 0.5, *a], [1, 0.4, *far],
            [0, 0.9, *a], [0, 0.7, *far], [0, lowered, *b], [1, 0.3, *b],
        ],
        rtol=1e-5,
    )  # fmt: skip


def test_one_box_for_all_classes():
    a = [0, 0, 10, 10]
    rows, counts = head(nms_kind="soft", stages=(0.5, 0.6)).detect(
        raw([[0.6, 0.3, 0.1], [0.5, 0.2, 0.3]], [[a], [a]], [2]), paddle.full([1, 2], 100.0)
    )
    assert counts.tolist() == [3]  # the second box of class 1 falls below 0.05
    np.testing.assert_allclose(rows[:, 1].numpy(), [0.6, 0.3, 0.5 * math.exp(-2)], rtol=1e-5)


def test_it_is_an_option_of_the_model():
    changes = ["Model.head.nms_kind=soft"]
    options = resolve("FasterRCNN-ResNet34-FPN", overrides=changes).config.model.head.options
    assert options["nms_kind"] == "soft"
    with pytest.raises(ConfigError, match="is not one of greedy, soft"):
        resolve("FasterRCNN-ResNet34-FPN", overrides=["Model.head.nms_kind=matrix"])
    with pytest.raises(ConfigError, match="choose greedy or soft"):
        head(nms_kind="matrix")


class _Soft(paddle.nn.Layer):
    """The suppression of regions as a network of its own, to export it for any number of regions."""

    def forward(self, boxes, scores, counts):
        return soft_nms(
            by_image(boxes, counts).transpose([0, 2, 1, 3]),
            by_image(scores, counts).transpose([0, 2, 1]),
            score_threshold=0.1,
            keep_top_k=5,
        )


def _export(layer, shapes, folder):
    paddle.jit.save(paddle.jit.to_static(layer, input_spec=shapes, full_graph=True), str(folder / "net"))
    return paddle.jit.load(str(folder / "net"))


def test_exported_it_gives_the_same_rows(tmp_path):
    spec = paddle.static.InputSpec
    shapes = [spec([None, 3, 4], "float32"), spec([None, 3], "float32"), spec([None], "int32")]
    loaded = _export(_Soft(), shapes, tmp_path)
    paddle.seed(0)
    for counts in ([7], [3, 9], [0, 4]):
        corner = paddle.rand([sum(counts), 3, 2]) * 30
        inputs = (
            paddle.concat([corner, corner + 20], axis=-1),
            paddle.rand([sum(counts), 3]),
            paddle.to_tensor(counts, dtype="int32"),
        )
        want, got = _Soft()(*inputs), loaded(*inputs)
        assert got[1].tolist() == want[1].tolist() and sum(want[1].tolist()) > 0
        np.testing.assert_allclose(got[0].numpy(), want[0].numpy(), rtol=1e-5)


@pytest.mark.sweep
@pytest.mark.parametrize("name", ["FasterRCNN-ResNet34-FPN", "Cascade-FasterRCNN-ResNet50-FPN"])
def test_an_exported_detector_with_it_gives_the_same_rows(name, tmp_path):
    paddle.seed(0)
    net = build_network(name, num_classes=3)
    net.head.nms_kind = "soft"
    inputs = (paddle.rand([2, 3, 64, 96]), paddle.to_tensor([[64.0, 96], [60, 90]]), paddle.full([2, 2], 0.5))
    with paddle.no_grad():
        want = net.predict(*inputs)
    assert want["bbox"].shape[0] > 0
    spec = paddle.static.InputSpec
    shapes = [spec([None, 3, None, None], "float32"), spec([None, 2], "float32"), spec([None, 2], "float32")]
    rows, counts = _export(net, shapes, tmp_path)(*inputs)
    assert counts.tolist() == want["bbox_num"].tolist()
    np.testing.assert_allclose(rows.numpy(), want["bbox"].numpy(), rtol=1e-3, atol=1e-3)
