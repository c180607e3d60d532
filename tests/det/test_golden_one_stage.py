"""Every one-stage detector loads the published keys completely and computes the published function and losses."""

import detgolden
import golden
import numpy as np
import paddle
import pytest

from pdx_core import build_network, load_weights
from pdx_core.dialects import name_tables
from pdx_core.plugins import get_registry

FAMILIES = ("YOLOv3", "PP-YOLO", "PP-YOLOv2", "PicoDet", "SSD", "RetinaNet", "BlazeFace")
MODELS = [
    entry.spec
    for entry in get_registry().entries("models")
    if entry.spec.family in FAMILIES and detgolden.has_manifest(entry.spec.name)
]
WITH_OUTPUTS = [spec for spec in MODELS if detgolden.has_outputs(spec.name)]
QUICK = (
    "YOLOv3-MobileNetV3",
    "PPYOLO-ResNet18_vd",
    "PicoDet-S_320",
    "SSDLite300-MobileNetV1",
    "BlazeFace",
    "BlazeFace-FPN-SSH",
)
# Input noise of 1e-6 moves the batch-statistics losses of networks with deformable convolutions by 6e-4.
NOISY = ("PPYOLO", "PPYOLOv2-ResNet50_vd-DCN")
PROJECT = "head.distribution_project.project"  # numbers of PicoDet's bins; not seeded


def _some(specs, quick=QUICK):
    return [pytest.param(spec, id=spec.name, marks=() if spec.name in quick else pytest.mark.sweep) for spec in specs]


def _loaded(spec):
    record = detgolden.manifest(spec.name)
    net = build_network(spec.name)
    state = golden.fill_state(record)
    if spec.family == "PicoDet":
        state[PROJECT] = np.arange(8, dtype=np.float32)
    report = load_weights(net, state, dialect="PaddleDetection")
    assert report.complete and len(report.loaded) == len(record["keys"])
    return net, record


def _tensors(arrays):
    return {name: paddle.to_tensor(array) for name, array in arrays.items()}


def test_all_families_are_here():
    assert len(MODELS) >= 19 and {spec.family for spec in MODELS} == set(FAMILIES)


@pytest.mark.parametrize("spec", _some(MODELS, quick=[spec.name for spec in MODELS if spec.params < 40_000_000]))
def test_keys_and_parameter_count(spec):
    record = detgolden.manifest(spec.name)
    net = build_network(spec.name)
    golden.assert_keys(record, net, "PaddleDetection")
    constants = ("_mean", "_variance", "project")
    assert spec.params == record["total_params"]
    assert sum(tensor.size for name, tensor in net.state_dict().items() if not name.endswith(constants)) == spec.params


@pytest.mark.parametrize("spec", _some(WITH_OUTPUTS))
def test_outputs(spec):
    net, record = _loaded(spec)
    gold = detgolden.load(spec.name)
    inputs = _tensors(golden.make_inputs(record))
    info = {"images": inputs["image"], "im_shape": inputs["im_shape"], "scale_factor": inputs["scale_factor"]}
    with paddle.no_grad():
        levels = net.features(inputs["image"])
        raw = net.head(levels, info)
        got = _named(spec.family, levels, raw)
        found, scores = net.head.decode_boxes(raw) if spec.family == "PicoDet" else net.head.decode_boxes(raw, info)
        got |= {"det.decoded_boxes": found, "det.decoded_scores": scores.transpose([0, 2, 1])}
        result = net.predict(inputs["image"], inputs["im_shape"], inputs["scale_factor"])
    for report in detgolden.compare_named(gold, got):
        assert report.ok, str(report)
    assert result["bbox_num"].tolist() == gold.full["det.bbox_num"].tolist()
    assert detgolden.match_detections(gold.full["det.bbox"], result["bbox"]) == (1.0, 1.0)


def _named(family, levels, raw):
    """The tensors that the golden files name, of a family."""
    if family == "PicoDet":
        neck = {f"neck.{index}": level for index, level in enumerate(levels)}
        return neck | {f"det.head_cls.{index}": output[:, :80] for index, output in enumerate(raw)}
    if family in ("SSD", "BlazeFace"):
        boxes = {f"det.head_boxes.{index}": deltas for index, deltas in enumerate(raw["deltas"])}
        return boxes | {f"det.head_scores.{index}": logits for index, logits in enumerate(raw["logits"])}
    if family == "RetinaNet":
        named = {f"neck.{index}": level for index, level in enumerate(levels)}
        for key, name in (("scores", "det.head_cls"), ("deltas", "det.head_reg"), ("anchors", "anchors")):
            named |= {f"{name}.{index}": tensor for index, tensor in enumerate(raw[key])}
        return named
    neck = {f"neck.{index}": level for index, level in enumerate(reversed(levels))}  # coarsest first in the release
    return neck | {f"det.yolo_output{index}.0": output for index, output in enumerate(raw)}


@pytest.mark.parametrize("spec", _some([spec for spec in WITH_OUTPUTS if spec.family != "RetinaNet"]))
def test_losses(spec):
    net, record = _loaded(spec)
    gold = detgolden.load(spec.name)
    images, targets = detgolden.train_batch(record)
    batch = {"images": paddle.to_tensor(images), **_tensors(targets)}
    for layer in net.sublayers():
        if type(layer).__name__ == "DropBlock":
            layer.keep_probability = 1.0
    for mode in [mode for mode in ("bn_eval", "train") if mode in gold.meta["losses"]]:
        net.train() if mode == "train" else net.eval()
        losses = {name: float(value) for name, value in net.loss(batch["images"], batch).items()}
        rtol = 2e-3 if mode == "train" and spec.name in NOISY else 2e-4
        assert not detgolden.loss_problems(gold, losses, mode, rtol=rtol)


@pytest.mark.parametrize(
    "name",
    [pytest.param("YOLOv3-MobileNetV3"), pytest.param("BlazeFace"), pytest.param("PPYOLO", marks=pytest.mark.sweep)],
)
def test_gradient_norms(name):
    spec = get_registry().find("models", name)
    net, record = _loaded(spec)
    images, targets = detgolden.train_batch(record)
    batch = {"images": paddle.to_tensor(images), **_tensors(targets)}
    sum(net.loss(batch["images"], batch).values()).backward()
    table = name_tables(net)["PaddleDetection"]
    got = {
        table[name]: float(parameter.grad.norm())
        for name, parameter in net.named_parameters()
        if parameter.grad is not None
    }
    want = detgolden.load(name).meta["grad_norms"]
    assert got.keys() == want.keys()
    for key, value in want.items():
        assert got[key] == pytest.approx(value, rel=1e-2), key


@pytest.mark.parametrize("image", [0, 1])
def test_positives_of_picodet(image):
    net, record = _loaded(get_registry().find("models", "PicoDet-S_320"))
    gold = detgolden.load("PicoDet-S_320")
    images, targets = detgolden.train_batch(record)
    logits, _, distances, centres, strides = net.head.predictions(net.head(net.features(paddle.to_tensor(images))))
    scaled = distances * strides
    predicted = paddle.concat([centres - scaled[..., :2], centres + scaled[..., 2:]], axis=-1)
    index, boxes, labels, _ = net.head._assign(logits, predicted, centres, strides, _tensors(targets))
    own = index // logits.shape[1] == image
    assert (index[own] % logits.shape[1]).tolist() == gold.full[f"train.pos_index.{image}"].tolist()
    assert labels[own].tolist() == gold.full[f"train.pos_label.{image}"].tolist()
    np.testing.assert_array_equal(boxes[own], gold.full[f"train.pos_box.{image}"])
