"""Every two-stage detector loads the published keys completely and computes the published function and losses."""

import detgolden
import golden
import numpy as np
import paddle
import pytest

from pdx_core import build_network, load_weights
from pdx_core.plugins import get_registry
from pdx_det.boxes import clip

FAMILIES = ("Faster R-CNN", "Cascade R-CNN")
MODELS = [
    entry.spec
    for entry in get_registry().entries("models")
    if entry.spec.family in FAMILIES and (detgolden.FOLDER / f"manifest/{entry.spec.name}.json.gz").exists()
]
WITH_OUTPUTS = [spec for spec in MODELS if detgolden.has_outputs(spec.name)]
QUICK = ("FasterRCNN-ResNet34-FPN", "Cascade-FasterRCNN-ResNet50-FPN")


def _some(specs):
    return [pytest.param(spec, id=spec.name, marks=() if spec.name in QUICK else pytest.mark.sweep) for spec in specs]


def _loaded(spec):
    """The network with seeded weights and the manifest's settings, which keep the time of C4 models low."""
    record = detgolden.manifest(spec.name)
    net = build_network(spec.name)
    report = load_weights(net, golden.fill_state(record), dialect="PaddleDetection")
    assert report.complete and len(report.loaded) == len(record["keys"])
    overrides = record["arguments"]["overrides"]
    proposals = overrides.get("RPNHead", {})
    training, evaluation = net.head.rpn.post_nms
    net.head.rpn.post_nms = (
        proposals.get("train_proposal", {}).get("post_nms_top_n", training),
        proposals.get("test_proposal", {}).get("post_nms_top_n", evaluation),
    )
    net.head.samples = overrides.get("BBoxAssigner", {}).get("batch_size_per_im", net.head.samples)
    net.head.sample_at_random = net.head.rpn.sample_at_random = False
    return net, record


def test_all_models_are_here():
    assert len(MODELS) >= 24 and len(WITH_OUTPUTS) >= 19


@pytest.mark.parametrize("spec", _some(MODELS))
def test_keys_and_parameter_count(spec):
    net, record = _loaded(spec)
    trained_by_the_release = sum(
        int(np.prod(shape)) for key, shape, *_ in record["keys"] if not key.endswith(("_mean", "_variance"))
    )
    count = sum(tensor.size for name, tensor in net.state_dict().items() if not name.endswith(("_mean", "_variance")))
    assert count == trained_by_the_release == record["total_params"] == spec.params


@pytest.mark.parametrize("spec", _some(WITH_OUTPUTS))
def test_outputs(spec):
    net, record = _loaded(spec)
    gold = detgolden.load(spec.name)
    inputs = {name: paddle.to_tensor(array) for name, array in golden.make_inputs(record).items()}
    images, im_shape, scale_factor = inputs["image"], inputs["im_shape"], inputs["scale_factor"]
    info = {"images": images, "im_shape": im_shape, "scale_factor": scale_factor}
    with paddle.no_grad():
        trunk = net.backbone(images)
        levels = trunk if net.neck is None else net.neck(trunk)
        raw = net.head(levels, info)
        got = {f"backbone.{index}": level for index, level in enumerate(trunk)}
        if net.neck is not None:
            got |= {f"neck.{index}": level for index, level in enumerate(levels)}
        for ours, theirs in (("scores", "det.rpn_score"), ("deltas", "det.rpn_delta"), ("anchors", "anchors")):
            got |= {f"{theirs}.{index}": tensor for index, tensor in enumerate(raw["rpn"][ours])}
        got |= _on_fixed_regions(net.head, levels, gold.meta["fixed_rois"], im_shape)
        result = net.head.decode(raw, info)
    for report in detgolden.compare_named(gold, got):
        assert report.ok, str(report)
    assert result["bbox_num"].tolist() == gold.full["det.bbox_num"].tolist()
    assert detgolden.match_detections(gold.full["det.bbox"], result["bbox"]) == (1.0, 1.0)


def _on_fixed_regions(head, levels, regions, im_shape):
    """What the box stages give for the recorded regions, by the names of the golden files."""
    boxes = paddle.to_tensor(np.array(regions, np.float32))
    count = paddle.to_tensor([len(regions)], dtype="int32")
    got = {}
    for index, stage in enumerate(head.stages):
        ending = f"_stage{index}.0" if len(head.stages) > 1 else ".0"
        features = head.roi(levels[: head.roi_levels], boxes, count)
        logits, deltas = stage(features)
        got |= {f"fixed.stage_rois.{index}": boxes, f"fixed.roi_feat.{index}": features}
        got |= {f"fixed.bbox_score{ending}": logits, f"fixed.bbox_delta{ending}": deltas}
        if len(head.stages) > 1:
            boxes = clip(stage.refine(boxes, deltas).squeeze(1), im_shape[0])
    return got


@pytest.mark.parametrize("spec", _some(WITH_OUTPUTS))
def test_losses(spec):
    gold = detgolden.load(spec.name)
    if "losses" not in gold.meta:
        pytest.skip("no losses are recorded for the deepest variants")
    net, record = _loaded(spec)
    images, targets = detgolden.train_batch(record)
    net.head.rpn.training = True  # the training's number of proposals; every norm keeps its running statistics
    losses = net.loss(paddle.to_tensor(images), {name: paddle.to_tensor(array) for name, array in targets.items()})
    got = {name: float(value) for name, value in losses.items()}
    problems = detgolden.loss_problems(gold, got, "bn_eval")
    assert not problems, problems
    norms = gold.meta.get("grad_norms")
    if norms:
        sum(losses.values()).backward()
        _compare_gradients(net, norms)


def _compare_gradients(net, norms):
    from pdx_core.dialects import name_tables

    table = name_tables(net)["PaddleDetection"]
    for name, parameter in net.named_parameters():
        if parameter.stop_gradient or table[name] not in norms:
            continue
        wanted = norms[table[name]]
        got = np.linalg.norm(parameter.grad.numpy().astype(np.float64))  # float32 sums lose half a percent here
        assert abs(got - wanted) <= 2e-3 * max(wanted, 1e-3), f"{name}: {got} instead of {wanted}"
