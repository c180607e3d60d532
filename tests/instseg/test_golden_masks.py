"""Every Mask R-CNN loads the published keys completely and computes the published masks and losses."""

import detgolden
import numpy as np
import paddle
import pytest
import rcnngolden

from pdx_instseg.mask_pasting import paste_masks
from pdx_instseg.mask_targets import pack_masks

TASK = "instseg"
MODELS = rcnngolden.models(TASK, ("Mask R-CNN", "Cascade Mask R-CNN"))
WITH_OUTPUTS = [spec for spec in MODELS if detgolden.has_outputs(spec.name, TASK)]
QUICK = "MaskRCNN-ResNet50-FPN"


def _load(spec):
    return rcnngolden.load(spec, lambda head: head.detector)


def test_all_models_are_here():
    assert len(MODELS) == 20 and len(WITH_OUTPUTS) == 18


@pytest.mark.parametrize("spec", rcnngolden.cases(MODELS, (QUICK,)))
def test_keys_and_parameter_count(spec):
    net, record = _load(spec)
    rcnngolden.check_parameter_count(net, record, spec)


@pytest.mark.parametrize("spec", rcnngolden.cases(WITH_OUTPUTS, (QUICK,)))
def test_outputs(spec):
    net, record = _load(spec)
    gold = detgolden.load(spec.name, TASK)
    images, info = rcnngolden.network_inputs(record)
    regions = gold.meta["fixed_rois"]
    boxes, count = paddle.to_tensor(np.array(regions, np.float32)), paddle.to_tensor([len(regions)], dtype="int32")
    with paddle.no_grad():
        trunk = net.backbone(images)
        levels = trunk if net.neck is None else net.neck(trunk)
        raw = net.head(levels, info)
        got = rcnngolden.intermediate(net, trunk, levels, raw)
        got |= rcnngolden.on_fixed_regions(net.head.detector, levels, regions, info["im_shape"])
        if net.head.roi is not None:
            got["fixed.mask_roi_feat.0"] = net.head.roi(levels[: net.head.roi_levels], boxes, count)
        got["fixed.mask_logits.0"] = net.head.mask_logits(levels, boxes, count)
        result = {name: tensor.numpy() for name, tensor in net.head.decode(raw, info).items()}
    for report in detgolden.compare_named(gold, got):
        assert report.ok, str(report)
    assert result["bbox_num"].tolist() == gold.full["det.bbox_num"].tolist()
    assert detgolden.match_detections(gold.full["det.bbox"], result["bbox"]) == (1.0, 1.0)
    _compare_pasted(gold, result)


def _compare_pasted(gold, result):
    """Pixels of the pasted masks; boxes that are a rounding apart may have changed places."""
    count, height, width = gold.prints["det.mask"].shape
    assert len(result["mask"]) == count
    pasted = list(paste_masks(result["mask"], result["bbox"][:, 2:], (height, width)))
    wanted = gold.full["det.mask_area"]
    for row, area in zip(gold.full["det.bbox"], wanted, strict=True):
        near = np.abs(result["bbox"] - row).max(axis=1) < 0.05
        assert any(abs(pasted[index].area - area) <= 1 + 0.002 * area for index in np.flatnonzero(near)), row
    in_order = (np.abs(result["bbox"] - gold.full["det.bbox"]).max(axis=1) < 0.05).all()
    if in_order:
        full = np.stack([mask.full() for mask in pasted])
        values = gold.prints["det.mask"].values
        got = full.ravel()[[index * (full.size - 1) // (len(values) - 1) for index in range(len(values))]]
        assert (got != values).sum() <= 1
        assert abs(full.mean() - gold.prints["det.mask"].mean) < 1e-4


@pytest.mark.parametrize("spec", rcnngolden.cases(WITH_OUTPUTS, (QUICK, "MaskRCNN-ResNet50")))
def test_losses(spec):
    gold = detgolden.load(spec.name, TASK)
    if "losses" not in gold.meta:
        pytest.skip("losses are recorded for some variants only")
    net, record = _load(spec)
    images, targets = detgolden.train_batch(record)
    polygons = [
        [[np.array(part, np.float32).reshape(-1, 2) for part in parts] for parts in own]
        for own in record["train_inputs"]["gt_poly"]
    ]
    net.head.detector.rpn.training = True
    rcnngolden.check_losses(net, gold, images, {**targets, **pack_masks(polygons, targets["gt_labels"].shape[1])})
