"""The operators that detectors are made of, on the cases of `golden/det/ops.npz` (inputs and outputs of the release).

The cases of masks belong to instance segmentation.
"""

import detgolden
import numpy as np
import paddle
import pytest

from pdx_backbones.deformable import DeformableConvNorm
from pdx_core.contracts import FeatureSpec
from pdx_det import boxes, yolo_losses
from pdx_det.anchors import octave_sizes
from pdx_det.focal_losses import focal_loss
from pdx_det.matching import match_boxes, sample
from pdx_det.nms import matrix_nms, multiclass_nms
from pdx_det.roi import RoiExtractor
from pdx_det.rpn import AnchorGrid, RegionProposalNetwork
from pdx_det.ssd import SSDHead
from pdx_det.yolo_specs import COCO_ANCHORS
from pdx_det.yolo_targets import assign_boxes
from pdx_det.yolov3 import YOLOv3Head

with np.load(detgolden.GOLDEN / "det/ops.npz", allow_pickle=False) as _file:
    CASES: dict[str, dict[str, dict[str, np.ndarray]]] = {}
    for _key in _file.files:
        _case, _side, _name = _key.split("@")
        CASES.setdefault(_case, {"in": {}, "out": {}})[_side][_name] = _file[_key]


def case(name):
    """Arrays that go in, as tensors where they hold more than a setting, and arrays that come out."""
    return CASES[name]["in"], CASES[name]["out"]


def named(start):
    found = [name for name in CASES if name.startswith(start)]
    assert found, f"no case {start}"
    return pytest.mark.parametrize("name", found)


def close(got, want, atol=1e-5, rtol=1e-5):
    np.testing.assert_allclose(np.asarray(got), want, atol=atol, rtol=rtol)


T = paddle.to_tensor


# -- reference boxes ---------------------------------------------------------------------------------------------------
def test_anchors_of_a_pyramid():
    given, want = case("anchors_rcnn_fpn")
    for level, (height, width) in enumerate(given["shapes"].tolist()):
        grid = AnchorGrid([float(given["sizes"][level])], given["ratios"].tolist(), int(given["strides"][level]))
        close(grid(paddle.zeros([1, 1, height, width])), want[str(level)])


def test_anchors_of_one_level():
    given, want = case("anchors_rcnn_c4")
    grid = AnchorGrid(given["sizes"].tolist(), given["ratios"].tolist(), int(given["stride"][0]))
    close(grid(paddle.zeros([1, 1, *given["shape"].tolist()])), want["0"])


def test_anchors_of_retinanet():
    given, want = case("anchors_retina")
    for level, (height, width) in enumerate(given["shapes"].tolist()):
        stride = int(given["strides"][level])
        grid = AnchorGrid(octave_sizes(stride), (0.5, 1.0, 2.0), stride)
        close(grid(paddle.zeros([1, 1, height, width])), want[str(level)])


@pytest.mark.parametrize(
    ("name", "largest", "ratios", "min_max_first"),
    [("priors_vgg_like", (60, 111), ((2.0,), (2.0, 3.0)), True),
     ("priors_mobilenet_like", (0, 150), ((2.0,), (2.0, 3.0)), False)],
)  # fmt: skip
def test_priors(name, largest, ratios, min_max_first):
    given, want = case(name)
    head = SSDHead(
        [FeatureSpec(1, 8)] * 2, 1, given["min_sizes"].tolist(), largest, ratios, given["steps"].tolist(), min_max_first
    )
    got = head.priors([paddle.zeros([1, 1, 3, 3]), paddle.zeros([1, 1, 1, 1])], paddle.zeros([1, 3, 300, 300]))
    for level in range(2):
        close(got[level], want[str(level)], atol=1e-6)


# -- coding of boxes ---------------------------------------------------------------------------------------------------
@named("bbox2delta")
def test_regression_targets(name):
    given, want = case(name)
    close(boxes.encode(T(given["tgt"]), T(given["src"]), given["weights"].tolist()), want["delta"])


@named("delta2bbox")
def test_regressed_boxes(name):
    given, want = case(name)
    close(boxes.decode(T(given["delta"]), T(given["boxes"]), given["weights"].tolist()), want["boxes"], atol=1e-3)


def test_overlap_losses():
    given, want = case("iou_losses")
    predicted, truth = T(given["pred"]), T(given["gt"])
    close(2.5 * yolo_losses.overlap_loss(predicted, truth), want["iou_square"][:, 0])
    close(1 - boxes.giou(predicted, truth), want["giou"][:, 0])
    close((1 - boxes.diou(predicted, truth)).mean(), want["diou_mean"][0])
    close((1 - boxes.diou(predicted, truth, complete=True)).mean(), want["ciou_mean"][0])


# -- regions -----------------------------------------------------------------------------------------------------------
@named("roi_align_aligned1")
def test_features_of_regions(name):
    given, want = case(name)
    extractor = RoiExtractor(
        [FeatureSpec(4, round(1 / float(given["scale"][0])))], int(given["size"][0]), int(name.rpartition("ratio")[2])
    )
    close(extractor([T(given["x"])], T(given["rois"]), T(given["num"])), want["y"])


def test_levels_of_regions():
    """Maps that hold the number of their level tell from which one a region was cut."""
    given, want = case("distribute_fpn")
    extractor = RoiExtractor([FeatureSpec(1, 2**level) for level in range(2, 6)], 1)
    maps = [paddle.full([1, 1, 4096 >> level, 4096 >> level], float(level)) for level in range(2, 6)]
    got = extractor(maps, T(given["rois"]), T(np.array([len(given["rois"])], np.int32)))
    of_sorted = np.concatenate([np.full(len(want[f"level{level}"]), level) for level in range(2, 6)])
    close(got.flatten(), of_sorted[want["restore"][:, 0]])


@named("generate_proposals")
def test_proposals(name):
    given, want = case(name)
    before, after = map(int, name.split("_")[-2:])
    network = RegionProposalNetwork([FeatureSpec(8, 16)], [(32.0,)], pre_nms=(before,) * 2, post_nms=(after,) * 2)
    raw = {"scores": [T(given["score"])], "deltas": [T(given["delta"])], "anchors": [T(given["anchors"])]}
    rois, scores, count = network.propose(raw, T(given["im_shape"].astype(np.float32)).unsqueeze(0))
    assert count.tolist() == want["num"].tolist()
    close(rois, want["boxes"], atol=1e-3)
    close(scores, want["scores"][:, 0])


@named("label_box")
def test_matching_of_anchors(name):
    given, want = case(name)
    background, foreground, keep_best = name.split("_")[-3:]
    index, state = match_boxes(
        T(given["anchors"]), T(given["gt"]), float(foreground), float(background), keep_best == "1"
    )
    np.testing.assert_array_equal(state, want["label"])
    positive = want["label"] == 1
    np.testing.assert_array_equal(index.numpy()[positive], want["match"][positive])


@named("subsample")
def test_sampling_of_anchors(name):
    given, want = case(name)
    chosen = sample(
        T(given["label"].astype(np.int64)), int(given["num"][0]), float(given["fraction"][0]), at_random=False
    )
    np.testing.assert_array_equal(chosen[0], want["fg"])
    np.testing.assert_array_equal(chosen[1], want["bg"])


# -- suppression -------------------------------------------------------------------------------------------------------
@named("multiclass_nms_norm")
def test_suppression(name):
    given, want = case(name)
    rows, _, count = multiclass_nms(
        T(given["boxes"]).unsqueeze(0),
        T(given["scores"]),
        score_threshold=float(given["score_threshold"][0]),
        iou_threshold=float(given["nms_threshold"][0]),
        pre_top_k=int(given["nms_top_k"][0]),
        keep_top_k=int(given["keep_top_k"][0]),
        normalized=name.endswith("1"),
    )
    assert count.tolist() == want["num"].tolist()
    close(rows, want["det"])


def test_suppression_with_a_box_for_each_class():
    given, want = case("multiclass_nms_rcnn")
    rows, _, count = multiclass_nms(
        T(given["boxes"]),
        T(given["scores"]),
        score_threshold=float(given["score_threshold"][0]),
        iou_threshold=float(given["nms_threshold"][0]),
        keep_top_k=int(given["keep_top_k"][0]),
        background=3,  # the column behind the classes, which is not among the scores
        boxes_num=T(np.array([len(given["boxes"])], np.int32)),
    )
    assert count.tolist() == want["num"].tolist()
    close(rows, want["det"])


@named("matrix_nms")
def test_suppression_all_at_once(name):
    given, want = case(name)
    rows, count = matrix_nms(
        T(given["boxes"]).unsqueeze(0),
        T(given["scores"]),
        score_threshold=float(given["score_threshold"][0]),
        post_threshold=float(given["post_threshold"][0]),
        keep_top_k=int(given["keep_top_k"][0]),
        gaussian=name.endswith("1"),
        normalized=False,  # as PP-YOLO, the only one to use it
    )
    assert count.tolist() == want["num"].tolist()
    close(rows, want["det"])


# -- one-stage heads ---------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", ["yolo_box_s1.0_clip1", "yolo_box_s1.05_clip1"])  # pdx always clips
def test_boxes_of_yolo(name):
    given, want = case(name)
    head = YOLOv3Head(
        [FeatureSpec(1, 32)],
        int(given["classes"][0]),
        given["anchors"].reshape(-1, 2).tolist(),
        cell_sharpness=float(name.split("_")[2][1:]),
        confidence_threshold=float(given["conf"][0]),
    )
    size = np.array(given["x"].shape[2:]) * 32
    info = {
        "images": paddle.zeros([1, 3, *size.tolist()]),
        "im_shape": T(size[None].astype(np.float32)),
        "scale_factor": T((size / given["img"])[None].astype(np.float32)),
    }
    got, scores = head.decode_boxes([T(given["x"])], info)
    close(got, want["boxes"], atol=2e-3)
    close(scores, want["scores"])


def test_targets_of_yolo():
    given, want = case("yolo_target")
    size = int(given["size"][0])
    centre, sides = given["gt_bbox"][:, :2] * size, given["gt_bbox"][:, 2:] * size
    levels = assign_boxes(
        np.concatenate([centre - sides / 2, centre + sides / 2], axis=1)[None],
        given["gt_class"][None],
        given["gt_score"][None],
        image_size=(size, size),
        anchors=np.array(COCO_ANCHORS, np.float32),
        masks=((6, 7, 8), (3, 4, 5), (0, 1, 2)),
        strides=(32, 16, 8),
        num_classes=int(given["classes"][0]),
    )
    for level, got in enumerate(levels):
        target = want[f"target{level}"].transpose(0, 2, 3, 1).reshape(-1, 10)
        places = np.flatnonzero(target[:, 5])
        kept = got.weight > 0
        order = np.argsort(got.index[kept])
        np.testing.assert_array_equal(got.index[kept][order], places)
        fields = (got.offset, got.log_scale, got.size_weight[:, None], got.weight[:, None], got.classes)
        close(np.concatenate(fields, axis=1)[kept][order], target[places])


def test_loss_of_ssd(monkeypatch):
    given, want = case("ssd_loss")
    head = SSDHead([FeatureSpec(1, 8)], 4, [30], [60], [(2.0,)])
    raw = {"deltas": [T(given["loc"])], "logits": [T(given["conf"])], "levels": []}
    monkeypatch.setattr(head, "forward", lambda features: raw)
    monkeypatch.setattr(head, "priors", lambda levels, images: [T(given["priors"])])
    labels = given["gt_class"].astype(np.int32)
    losses = head.loss(
        (),
        {
            "images": paddle.zeros([1, 3, 1, 1]),  # boxes are normalised
            "gt_boxes": T(given["gt_bbox"]),
            "gt_labels": T(labels),
            "gt_crowd": T(np.zeros_like(labels)),
            "gt_weights": T(np.ones(labels.shape, np.float32)),
        },
    )
    close(sum(losses.values()), want["loss"][0])


def test_focal_loss():
    given, want = case("focal_loss")
    classes = given["logits"].shape[1]
    target = np.eye(classes + 1, dtype=np.float32)[given["target"]][:, :classes]  # the last column is background
    close(focal_loss(T(given["logits"]), T(target)), want["loss"][0])


# -- trunks ------------------------------------------------------------------------------------------------------------
@named("deform_conv_v2")
def test_deformable_convolution(name):
    given, want = case(name)
    layer = DeformableConvNorm(4, 5, 3, int(given["stride"][0])).conv
    layer.weight.set_value(given["weight"])
    close(layer(T(given["x"]), T(given["offset"]), T(given["mask"])), want["y"])
