"""Every two-stage detector loads the published keys completely and computes the published function and losses."""

import detgolden
import paddle
import pytest
import rcnngolden

MODELS = rcnngolden.models("det", ("Faster R-CNN", "Cascade R-CNN"))
WITH_OUTPUTS = [spec for spec in MODELS if detgolden.has_outputs(spec.name)]
QUICK = ("FasterRCNN-ResNet34-FPN", "Cascade-FasterRCNN-ResNet50-FPN")


def test_all_models_are_here():
    assert len(MODELS) >= 24 and len(WITH_OUTPUTS) >= 19


@pytest.mark.parametrize("spec", rcnngolden.cases(MODELS, QUICK))
def test_keys_and_parameter_count(spec):
    net, record = rcnngolden.load(spec)
    rcnngolden.check_parameter_count(net, record, spec)


@pytest.mark.parametrize("spec", rcnngolden.cases(WITH_OUTPUTS, QUICK))
def test_outputs(spec):
    net, record = rcnngolden.load(spec)
    gold = detgolden.load(spec.name)
    images, info = rcnngolden.network_inputs(record)
    with paddle.no_grad():
        trunk = net.backbone(images)
        levels = trunk if net.neck is None else net.neck(trunk)
        raw = net.head(levels, info)
        got = rcnngolden.intermediate(net, trunk, levels, raw)
        got |= rcnngolden.on_fixed_regions(net.head, levels, gold.meta["fixed_rois"], info["im_shape"])
        result = net.head.decode(raw, info)
    for report in detgolden.compare_named(gold, got):
        assert report.ok, str(report)
    assert result["bbox_num"].tolist() == gold.full["det.bbox_num"].tolist()
    assert detgolden.match_detections(gold.full["det.bbox"], result["bbox"]) == (1.0, 1.0)


@pytest.mark.parametrize("spec", rcnngolden.cases(WITH_OUTPUTS, QUICK))
def test_losses(spec):
    gold = detgolden.load(spec.name)
    if "losses" not in gold.meta:
        pytest.skip("no losses are recorded for the deepest variants")
    net, record = rcnngolden.load(spec)
    images, targets = detgolden.train_batch(record)
    net.head.rpn.training = True  # the training's number of proposals; every norm keeps its running statistics
    rcnngolden.check_losses(net, gold, images, targets)
