"""Two-stage networks made ready for their golden files, and what several tests compare in the same way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import detgolden
import golden
import numpy as np
import paddle
import pytest

from pdx_core import build_network, load_weights
from pdx_core.dialects import name_tables
from pdx_core.plugins import get_registry
from pdx_det.boxes import clip


def models(task: str, families: Sequence[str]) -> list[Any]:
    """The records of these families that have a manifest."""
    return [
        entry.spec
        for entry in get_registry().entries("models")
        if entry.spec.family in families and detgolden.has_manifest(entry.spec.name, task)
    ]


def cases(specs: Sequence[Any], quick: Sequence[str]) -> list[Any]:
    """Parameters of a test; those whose name is not in `quick` are swept."""
    return [pytest.param(spec, id=spec.name, marks=() if spec.name in quick else pytest.mark.sweep) for spec in specs]


def load(spec: Any, find: Any = lambda head: head) -> tuple[Any, dict[str, Any]]:
    """The network with seeded weights and the manifest's settings, which keep the time of C4 models low.

    find: gives the `RCNNHead` in the model's head
    """
    record = detgolden.manifest(spec.name, spec.task)
    net = build_network(spec.name)
    report = load_weights(net, golden.fill_state(record), dialect="PaddleDetection")
    assert report.complete and len(report.loaded) == len(record["keys"])
    overrides = record["arguments"]["overrides"]
    proposals = overrides.get("RPNHead", {})
    head = find(net.head)
    training, evaluation = head.rpn.post_nms
    head.rpn.post_nms = (
        proposals.get("train_proposal", {}).get("post_nms_top_n", training),
        proposals.get("test_proposal", {}).get("post_nms_top_n", evaluation),
    )
    head.samples = overrides.get("BBoxAssigner", {}).get("batch_size_per_im", head.samples)
    head.sample_at_random = head.rpn.sample_at_random = False
    return net, record


def check_parameter_count(net: Any, record: Mapping[str, Any], spec: Any) -> None:
    trained_by_the_release = sum(
        int(np.prod(shape)) for key, shape, *_ in record["keys"] if not key.endswith(("_mean", "_variance"))
    )
    count = sum(tensor.size for name, tensor in net.state_dict().items() if not name.endswith(("_mean", "_variance")))
    assert count == trained_by_the_release == record["total_params"] == spec.params


def network_inputs(record: Mapping[str, Any]) -> tuple[Any, dict[str, Any]]:
    """Images and `image_info` of the recorded outputs."""
    inputs = {name: paddle.to_tensor(array) for name, array in golden.make_inputs(record).items()}
    images = inputs["image"]
    return images, {"images": images, "im_shape": inputs["im_shape"], "scale_factor": inputs["scale_factor"]}


def intermediate(net: Any, trunk: Any, levels: Any, raw: Mapping[str, Any]) -> dict[str, Any]:
    """Features and raw proposals by the names of the golden files."""
    got = {f"backbone.{index}": level for index, level in enumerate(trunk)}
    if net.neck is not None:
        got |= {f"neck.{index}": level for index, level in enumerate(levels)}
    for ours, theirs in (("scores", "det.rpn_score"), ("deltas", "det.rpn_delta"), ("anchors", "anchors")):
        got |= {f"{theirs}.{index}": tensor for index, tensor in enumerate(raw["rpn"][ours])}
    return got


def on_fixed_regions(head: Any, levels: Any, regions: Any, im_shape: Any) -> dict[str, Any]:
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


def check_losses(net: Any, gold: detgolden.DetGolden, images: Any, targets: Mapping[str, Any]) -> None:
    """The recorded losses term by term, and the gradient norms where there are any."""
    losses = net.loss(paddle.to_tensor(images), {name: paddle.to_tensor(array) for name, array in targets.items()})
    problems = detgolden.loss_problems(gold, {name: float(value) for name, value in losses.items()}, "bn_eval")
    assert not problems, problems
    norms = gold.meta.get("grad_norms")
    if norms:
        sum(losses.values()).backward()
        _compare_gradients(net, norms)


def _compare_gradients(net: Any, norms: Mapping[str, float]) -> None:
    table = name_tables(net)["PaddleDetection"]
    for name, parameter in net.named_parameters():
        if parameter.stop_gradient or table[name] not in norms:
            continue
        wanted = norms[table[name]]
        got = np.linalg.norm(parameter.grad.numpy().astype(np.float64))  # float32 sums lose half a percent here
        assert abs(got - wanted) <= 2e-3 * max(wanted, 1e-3), f"{name}: {got} instead of {wanted}"
