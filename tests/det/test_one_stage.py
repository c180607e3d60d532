"""Suppression, target assignment and export of the one-stage detectors, against numbers worked out by hand."""

import math

import attrs
import numpy as np
import paddle
import pytest

from pdx_core import build_network
from pdx_core.contracts import FeatureSpec
from pdx_core.errors import ConfigError
from pdx_core.plugins import get_registry
from pdx_det.nms import Suppression, soft_nms
from pdx_det.sim_ota import assign
from pdx_det.ssd import SSDHead
from pdx_det.ssd_matching import hard_negatives, match_priors
from pdx_det.suppression_options import SuppressionOptions
from pdx_det.yolo_targets import assign_boxes
from pdx_det.yolov3 import YOLOv3Head


def _suppression(**changes):
    settings = {"nms_kind": "greedy", "score_threshold": 0.1, "nms_iou": 0.5, "pre_top_k": 10, "keep_top_k": 10}
    return Suppression(**{**settings, **changes})


def test_soft_nms_lowers_scores_by_overlap():
    # the second box shares half of its area with the first: IoU 50 / 150
    boxes = paddle.to_tensor([[[0.0, 0, 10, 10], [0, 5, 10, 15], [50, 50, 60, 60]]])
    scores = paddle.to_tensor([[[0.9, 0.8, 0.7]]])
    rows, count = soft_nms(boxes, scores, score_threshold=0.1, sigma=0.5)
    lowered = 0.8 * math.exp(-((1 / 3) ** 2) / 0.5)
    assert count.tolist() == [3]
    np.testing.assert_allclose(rows[:, 1].numpy(), [0.9, 0.7, lowered], rtol=1e-5)


def test_soft_nms_drops_what_falls_below_the_threshold_per_image():
    box = [[0.0, 0, 10, 10], [0, 0, 10, 10]]
    boxes = paddle.to_tensor([box, box])
    scores = paddle.to_tensor([[[0.9, 0.8]], [[0.05, 0.04]]])
    rows, count = soft_nms(boxes, scores, score_threshold=0.2)  # 0.8 * exp(-2) = 0.108
    assert count.tolist() == [1, 0] and rows.shape == [1, 6]


def test_the_best_places_give_the_same_rows():
    paddle.seed(0)
    corner = paddle.rand([2, 300, 2]) * 100
    boxes = paddle.concat([corner, corner + 5 + paddle.rand([2, 300, 2]) * 30], axis=-1)
    scores = paddle.rand([2, 300, 4])
    every = _suppression(max_places=-1)(boxes, scores)
    best = _suppression(max_places=100)(boxes, scores)
    assert every["bbox_num"].tolist() == best["bbox_num"].tolist() == [10, 10]
    np.testing.assert_array_equal(every["bbox"].numpy(), best["bbox"].numpy())


@pytest.mark.parametrize("kind", Suppression.KINDS)
def test_nothing_found_gives_no_rows(kind):
    result = _suppression(nms_kind=kind)(paddle.zeros([2, 3, 4]), paddle.zeros([2, 3, 5]))
    assert result["bbox"].shape == [0, 6] and result["bbox_num"].tolist() == [0, 0]


def test_unknown_suppression_is_refused():
    with pytest.raises(ConfigError, match="no suppression named 'fuzzy'"):
        _suppression(nms_kind="fuzzy")


@pytest.mark.parametrize("name", ["YOLOv3Head", "PPYOLOHead", "SSDHead", "RetinaNetHead", "PicoHead"])
def test_heads_suppress_as_their_options_say(name):
    """Otherwise a config that spells a default out would suppress differently from one that does not."""
    spec = get_registry().find("heads", name)
    level, options = FeatureSpec(8, 8), spec.options_class()
    needed = {"SSDHead": {"min_sizes": [30]}}.get(name, {} if "YOLO" not in name else {"anchors": [(8, 8)]})
    plain = spec.load()([level], 3, **{**spec.arguments, **needed})._suppress
    fields = [field for field in attrs.fields(options) if hasattr(plain, field.name)]
    assert {field.name for field in attrs.fields(SuppressionOptions)} <= {field.name for field in fields}
    for field in fields:
        assert getattr(plain, field.name) == spec.arguments.get(field.name, field.default), field.name
    assert plain.background == (3 if name == "SSDHead" else -1)
    changed = {"nms_kind": "soft", "score_threshold": 0.2, "nms_iou": 0.3, "pre_top_k": 7, "keep_top_k": 6}
    other = spec.load()([level], 3, **{**spec.arguments, **needed, **changed, "max_places": 5})._suppress
    assert {key: getattr(other, key) for key in changed} == changed and other.max_places == 5


def _yolo(boxes, labels, weights=None):
    boxes = np.array([boxes], np.float32)
    return assign_boxes(
        boxes,
        np.array([labels]),
        np.ones(boxes.shape[:2], np.float32) if weights is None else np.array([weights], np.float32),
        image_size=(64, 64),
        anchors=np.array([[8, 8], [40, 40]], np.float32),
        masks=((1,), (0,)),
        strides=(32, 16),
        num_classes=3,
    )


def test_a_box_goes_to_the_anchor_of_its_shape():
    coarse, fine = _yolo([[10, 20, 22, 28]], [2])  # 12 x 8, centre 16, 24
    assert coarse.weight.tolist() == [0.0]
    assert fine.index.tolist() == [1 * 4 + 1]  # row 1, column 1 of 4 x 4
    np.testing.assert_allclose(fine.offset, [[0.0, 0.5]], atol=1e-6)
    np.testing.assert_allclose(fine.log_scale, [[math.log(1.5), 0.0]], atol=1e-6)
    assert fine.size_weight[0] == pytest.approx(2 - 96 / 4096)
    assert fine.classes.tolist() == [[0.0, 0.0, 1.0]]


def test_two_boxes_in_one_place_share_classes_and_padding_is_no_box():
    _, fine = _yolo([[10, 20, 22, 28], [12, 20, 20, 28], [1, 1, 9, 9], [0, 0, 0, 0]], [2, 0, -1, -1])
    assert fine.index.tolist() == [5] and fine.classes.tolist() == [[1.0, 0.0, 1.0]]
    np.testing.assert_array_equal(fine.box, [[12, 20, 20, 28]])


def test_a_centre_on_the_right_border_stays_inside():
    _, fine = _yolo([[60, 60, 68, 68]], [1])
    assert fine.index.tolist() == [15]


def test_mixup_weights_are_kept():
    _, fine = _yolo([[10, 20, 22, 28]], [1], [0.25])
    assert fine.weight.tolist() == [0.25]


def test_sim_ota_gives_the_cells_that_predict_a_box_best():
    y, x = np.mgrid[0:4, 0:4]
    centres = np.stack([x.ravel(), y.ravel()], axis=-1).astype(np.float32) * 8 + 4
    predicted = np.concatenate([centres - 4, centres + 4], axis=-1)
    predicted[5] = (4, 4, 20, 20)  # the cell at 12, 12 predicts the box exactly
    chosen = assign(
        np.full((16, 2), 0.3, np.float32),
        predicted,
        centres,
        np.full(16, 8, np.float32),
        np.array([[4, 4, 20, 20]], np.float32),
        np.array([1]),
    )
    assert 5 in chosen.cells.tolist() and set(chosen.boxes.tolist()) == {0}
    assert chosen.counts.tolist() == [len(chosen.cells)]


def test_no_boxes_no_positives():
    none = np.zeros((0, 4), np.float32)
    chosen = assign(
        np.zeros((4, 2), np.float32),
        np.zeros((4, 4), np.float32),
        np.zeros((4, 2), np.float32),
        np.ones(4, np.float32),
        none,
        np.zeros(0, np.int64),
    )
    assert len(chosen.cells) == 0


def test_priors_take_the_box_they_overlap_and_every_box_gets_one():
    priors = paddle.to_tensor([[0.9, 0.9, 1.0, 1.0], [0.0, 0.0, 0.5, 0.5], [0.5, 0.5, 1.0, 1.0], [0.0, 0.5, 0.5, 1.0]])
    boxes = paddle.to_tensor([[0.0, 0.0, 0.5, 0.45], [0.1, 0.6, 0.2, 0.7]])  # the second overlaps its prior by 1 / 25
    matched, labels = match_priors(priors, boxes, paddle.to_tensor([4, 7]), background=9, overlap=0.5)
    assert labels.tolist() == [9, 4, 9, 7]
    np.testing.assert_allclose(matched[3].numpy(), boxes[1].numpy())


def test_hard_negatives_are_three_for_each_positive():
    labels = paddle.to_tensor([[1, 9, 9, 9, 9, 9], [9] * 6])
    losses = paddle.to_tensor([[9.0, 1, 5, 2, 4, 3], [1.0, 2, 3, 4, 5, 6]])
    mask = hard_negatives(losses, labels, background=9, ratio=3.0)
    assert mask.tolist() == [[0, 0, 1, 0, 1, 1], [0] * 6]


@pytest.mark.parametrize("name", ["YOLOv3-MobileNetV3", "PicoDet-S_320", "SSD300-MobileNetV1"])
def test_an_image_without_boxes_trains(name):
    net = build_network(name, num_classes=2)
    size = 300 if name.startswith("SSD") else 128
    images = paddle.rand([1, 3, size, size])
    targets = {
        "gt_boxes": paddle.zeros([1, 2, 4]),
        "gt_labels": paddle.full([1, 2], -1, dtype="int32"),
        "gt_crowd": paddle.zeros([1, 2], dtype="int32"),
        "gt_weights": paddle.zeros([1, 2]),
    }
    losses = net.loss(images, targets)
    assert all(math.isfinite(float(value)) for value in losses.values())
    sum(losses.values()).backward()


class _Suppress(paddle.nn.Layer):
    """A suppression as a network of its own, to export it for any number of boxes."""

    def __init__(self, suppression):
        super().__init__()
        self.suppression = suppression

    def forward(self, boxes, scores):
        return self.suppression(boxes, scores)


@pytest.mark.parametrize("kind", Suppression.KINDS)
def test_exported_suppression_gives_the_same_rows(kind, tmp_path):
    suppression = _suppression(nms_kind=kind, max_places=30, pre_top_k=20)
    spec = paddle.static.InputSpec
    shapes = [spec([None, None, 4], "float32"), spec([None, None, 3], "float32")]
    traced = paddle.jit.to_static(_Suppress(suppression), input_spec=shapes, full_graph=True)
    paddle.jit.save(traced, str(tmp_path / "net"))
    loaded = paddle.jit.load(str(tmp_path / "net"))
    for images, places in ((1, 50), (2, 40), (2, 12)):
        corner = paddle.rand([images, places, 2]) * 50
        boxes = paddle.concat([corner, corner + 20], axis=-1)
        scores = paddle.rand([images, places, 3])
        want = suppression(boxes, scores)
        rows, counts = loaded(boxes, scores)
        assert counts.tolist() == want["bbox_num"].tolist() and sum(counts.tolist()) > 0
        np.testing.assert_allclose(rows.numpy(), want["bbox"].numpy(), rtol=1e-5)


class _WithoutShape(paddle.nn.Layer):
    """A network that does not look at im_shape: a graph refuses inputs it does not use."""

    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, images, scale_factor):
        return self.network.predict(images, paddle.ones([1, 2]), scale_factor)


@pytest.mark.parametrize(
    "name",
    [
        "YOLOv3-MobileNetV3",
        pytest.param("PPYOLO-ResNet18_vd", marks=pytest.mark.sweep),
        pytest.param("SSD300-MobileNetV1", marks=pytest.mark.sweep),
    ],
)
def test_exported_network_gives_the_same_rows(name, tmp_path):
    paddle.seed(0)
    net = build_network(name, num_classes=3)
    net.head._suppress.score_threshold = 0.001
    if not name.startswith("SSD"):
        net.head._confidence_threshold = 0.001
    size = 300 if name.startswith("SSD") else 64
    inputs = (
        paddle.rand([2, 3, size, size]),
        paddle.full([2, 2], size, "float32"),
        paddle.full([2, 2], 0.5, "float32"),
    )
    with paddle.no_grad():
        want = net.predict(*inputs)
    assert want["bbox"].shape[0] > 0
    spec = paddle.static.InputSpec
    shapes = [spec([None, 3, size, size], "float32"), spec([None, 2], "float32"), spec([None, 2], "float32")]
    if name.startswith("SSD"):
        net, shapes, inputs = _WithoutShape(net), shapes[::2], inputs[::2]
    paddle.jit.save(paddle.jit.to_static(net, input_spec=shapes, full_graph=True), str(tmp_path / "net"))
    rows, counts = paddle.jit.load(str(tmp_path / "net"))(*inputs)
    assert counts.tolist() == want["bbox_num"].tolist()
    np.testing.assert_allclose(rows.numpy(), want["bbox"].numpy(), rtol=1e-3, atol=1e-3)


def test_ssd_finds_the_same_in_a_padded_batch():
    """Priors and boxes are shares of the network's input, which is larger than the picture when there is padding."""
    head = SSDHead([FeatureSpec(1, 8)], 1, [24.0], steps=[8.0])
    found = []
    for side in (32, 48):
        cells = (side // 8) ** 2
        raw = {
            "deltas": [paddle.zeros([1, cells, 4])],
            "logits": [paddle.zeros([1, cells, 2])],
            "levels": [paddle.zeros([1, 1, side // 8, side // 8])],
        }
        info = {
            "images": paddle.zeros([1, 3, side, side]),
            "im_shape": paddle.to_tensor([[32.0, 32.0]]),
            "scale_factor": paddle.to_tensor([[0.5, 2.0]]),
        }
        found.append(head.decode_boxes(raw, info)[0].reshape([side // 8, side // 8, 4])[:4, :4].numpy())
    np.testing.assert_allclose(found[0], found[1], atol=1e-4)
    np.testing.assert_allclose(found[0][2, 1], [0, 16, 12, 64], atol=1e-4)  # centre 12, 20: x 0..24 / 2, y 8..32 * 2


def test_yolo_finds_the_same_in_a_padded_batch_and_clips_to_the_picture():
    head = YOLOv3Head([FeatureSpec(1, 8)], 1, [(8.0, 8.0)])
    found = []
    for side in (32, 48):
        raw = [paddle.zeros([1, 6, side // 8, side // 8])]
        info = {
            "images": paddle.zeros([1, 3, side, side]),
            "im_shape": paddle.to_tensor([[30.0, 32.0]]),
            "scale_factor": paddle.to_tensor([[0.5, 2.0]]),
        }
        found.append(head.decode_boxes(raw, info)[0].reshape([side // 8, side // 8, 4])[:4, :4].numpy())
    np.testing.assert_allclose(found[0], found[1], atol=1e-4)
    np.testing.assert_allclose(found[0][3, 1], [4, 48, 8, 59], atol=1e-4)  # the picture is 60 high, the canvas 64
