"""Mask heads on small trunks: they train, reach every parameter, export as they are, and do without objects."""

import numpy as np
import paddle
import pytest

from pdx_core import build_network
from pdx_core.config import resolve
from pdx_core.errors import ConfigError
from pdx_core.plugins import get_registry
from pdx_core.train.export import export_network
from pdx_instseg.mask_targets import pack_masks

SIDE = 64
SMALL = [
    "Model.backbone.norm=batch",
    "Model.backbone.freeze_stages=0",
    "Model.neck.channels=32",
    "Model.head.anchor_sizes=[[8],[16],[32],[64],[128]]",
    "Model.head.rpn_pre_nms=[100,100]",
    "Model.head.rpn_post_nms=[40,40]",
    "Model.head.samples=16",
    "Model.head.mask_channels=32",
]
C4 = [
    "Model.backbone.norm=batch",
    "Model.backbone.out_stages=[2]",
    "Model.head.anchor_sizes=[[16,32]]",
    "Model.head.rpn_pre_nms=[100,100]",
    "Model.head.rpn_post_nms=[40,20]",
    "Model.head.samples=16",
]
VARIANTS = {
    "fpn": ("MaskRCNN-ResNet50-FPN", ["Model.backbone.name=ResNet18_vd", *SMALL]),
    "cascade": ("Cascade-MaskRCNN-ResNet50-FPN", ["Model.backbone.name=ResNet18_vd", *SMALL]),
    "group_norm": ("MaskRCNN-ResNet50-FPN-GN", ["Model.backbone.name=ResNet18_vd", *SMALL]),
    "mobile": (
        "MaskRCNN-ResNet50-FPN",
        ["Model.backbone.name=MobileNetV3_small_x1_0", *[item for item in SMALL if "freeze" not in item]],
    ),
    "c4": ("MaskRCNN-ResNet50", ["Model.backbone.name=ResNet18_vd", "Model.head.box_trunk=ResNet18_vd", *C4]),
}


def _network(variant):
    name, overrides = VARIANTS[variant]
    resolved = resolve(name, overrides=[*overrides, "Model.head.score_threshold=0.0"])
    paddle.seed(3)
    return build_network(name, 3, resolved.config.model), resolved


def _batch():
    """Two images with a square and a disc (one as polygon, one as bitmap), and one crowd."""
    rng = np.random.default_rng(0)
    images = rng.normal(0, 0.3, (2, 3, SIDE, SIDE)).astype(np.float32)
    y, x = np.mgrid[:SIDE, :SIDE] + 0.5
    disc = (x - 40) ** 2 + (y - 42) ** 2 < 14**2
    square = np.array([[6, 8], [28, 8], [28, 30], [6, 30]], np.float32)
    images[:, 0, 8:30, 6:28] += 2.0
    images[:, 1, disc] += 2.0
    boxes = np.tile(np.array([[0, 0, 60, 60], [6, 8, 28, 30], [26, 28, 54, 56]], np.float32), (2, 1, 1))
    targets = {
        "gt_boxes": boxes,
        "gt_labels": np.array([[0, 1, 2]] * 2, np.int32),
        "gt_crowd": np.array([[1, 0, 0]] * 2, np.int32),
        "gt_weights": np.ones((2, 3), np.float32),
        "im_shape": np.full((2, 2), SIDE, np.float32),
        "scale_factor": np.ones((2, 2), np.float32),
        **pack_masks([[[], [square], disc]] * 2, 3),
    }
    return paddle.to_tensor(images), {name: paddle.to_tensor(array) for name, array in targets.items()}


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_loss_falls_and_reaches_every_parameter(variant):
    network, _ = _network(variant)
    images, targets = _batch()
    network.train()
    trained = [item for item in network.parameters() if not item.stop_gradient]
    optimizer = paddle.optimizer.AdamW(1e-3, parameters=trained, weight_decay=0.0)
    history = []
    for step in range(6 if variant == "c4" else 8):
        losses = network.loss(images, targets)
        total = sum(losses.values())
        total.backward()
        if step == 0:
            missing = [
                name for name, item in network.named_parameters() if not item.stop_gradient and item.grad is None
            ]
            assert missing == []
        optimizer.step()
        optimizer.clear_grad()
        history.append({name: float(value) for name, value in losses.items()} | {"total": float(total)})
    assert np.isfinite([list(row.values()) for row in history]).all()
    assert history[-1]["total"] < 0.8 * history[0]["total"]
    assert history[-1]["loss_mask"] < history[0]["loss_mask"]


def test_crowds_and_objects_without_a_mask_are_left_out():
    network, _ = _network("fpn")
    images, targets = _batch()
    empty = {name: paddle.to_tensor(array) for name, array in pack_masks([[[], [], []]] * 2, 3).items()}
    nobody = {"gt_labels": paddle.full_like(targets["gt_labels"], -1)}
    for changes in (empty, {**empty, **nobody}):
        losses = network.loss(images, {**targets, **changes})
        assert float(losses["loss_mask"]) == 0.0
        sum(losses.values()).backward()
        assert all(item.grad is not None for item in network.head.mask.parameters())


@pytest.mark.parametrize("variant", VARIANTS)
def test_masks_belong_to_their_rows(variant):
    network, _ = _network(variant)
    images, targets = _batch()
    with paddle.no_grad():
        both = network(images, targets["im_shape"], targets["scale_factor"])
        single = network(images[1:], targets["im_shape"][1:], targets["scale_factor"][1:])
    count = int(both["bbox_num"].sum())
    side = 8 if variant == "c4" else 28
    assert both["bbox"].shape == [count, 6] and both["mask"].shape[0] == count > 0
    assert both["mask"].shape[1:] == ([14, 14] if variant == "c4" else [side, side])
    second = int(both["bbox_num"][0])
    np.testing.assert_allclose(both["mask"][second:].numpy(), single["mask"].numpy(), atol=1e-4)
    assert float(both["mask"].min()) >= 0 and float(both["mask"].max()) <= 1


def test_an_image_without_objects_beside_one_with_some():
    network, _ = _network("fpn")
    images, targets = _batch()
    nobody = paddle.to_tensor([[-1, -1, -1], [0, 1, 2]], dtype="int32")
    losses = network.loss(images, {**targets, "gt_labels": nobody})
    assert float(losses["loss_mask"]) > 0
    images = paddle.concat([images[:1] * 0.0, images[:1]])
    with paddle.no_grad():
        scores = network(images, targets["im_shape"], targets["scale_factor"])["bbox"][:, 1]
        counts = network(images, targets["im_shape"], targets["scale_factor"])["bbox_num"].tolist()
        best = [float(part.max()) for part in paddle.split(scores, counts)]
        network.head.detector.score_threshold = sum(best) / 2  # between the best of one image and that of the other
        found = network(images, targets["im_shape"], targets["scale_factor"])
    counts = found["bbox_num"].tolist()
    assert min(counts) == 0 < max(counts) == found["mask"].shape[0]


def test_nothing_found_gives_no_masks():
    network, _ = _network("fpn")
    network.head.detector.score_threshold = 1.1
    images, targets = _batch()
    found = network(images, targets["im_shape"], targets["scale_factor"])
    assert found["bbox_num"].tolist() == [0, 0]
    assert found["bbox"].shape == [0, 6] and found["mask"].shape == [0, 28, 28]


@pytest.mark.parametrize(
    "variant, threshold",
    [
        pytest.param("fpn", 0.0, id="fpn"),
        pytest.param("fpn", 0.99, id="nothing found"),
        pytest.param("c4", 0.0, id="c4"),
        pytest.param("cascade", 0.0, id="cascade", marks=pytest.mark.sweep),
    ],
)
def test_the_exported_model_gives_the_same_masks(variant, threshold, tmp_path):
    name, overrides = VARIANTS[variant]
    settings = [f"Data.eval_transforms=[{{Resize: {{size: {SIDE}}}}}, Normalize]", "Export.try_runtimes=false"]
    settings += ["Export.parity_images=2", f"Model.head.score_threshold={threshold}"]
    resolved = resolve(name, overrides=[*overrides, *settings])
    paddle.seed(3)
    network = build_network(name, 3, resolved.config.model)
    report = export_network(network, resolved, ["a", "b", "c"], tmp_path / "model")
    assert [trial["passed"] for trial in report["trials"]] == [True]
    assert {path.suffix for path in (tmp_path / "model").iterdir()} >= {".pdiparams", ".yml"}


def test_the_c4_form_needs_a_residual_stage():
    resolved = resolve("MaskRCNN-ResNet50", overrides=["Model.head.box_trunk=fc"])
    with pytest.raises(ConfigError, match="share_box_trunk needs a box_trunk"):
        build_network("MaskRCNN-ResNet50", 3, resolved.config.model)


def test_levels_without_anchors_are_refused():
    resolved = resolve("MaskRCNN-ResNet50", overrides=["Model.backbone.name=ResNet18_vd"])
    with pytest.raises(ConfigError, match="anchors for 1 levels, but 4 come in"):
        build_network("MaskRCNN-ResNet50", 3, resolved.config.model)


def test_every_head_of_the_plugin_is_of_its_task():
    heads = [entry.spec for entry in get_registry().entries("heads") if entry.plugin == "instseg"]
    assert {spec.name for spec in heads} == {"MaskRCNNHead", "MaskRCNNC4Head", "CascadeMaskRCNNHead"}
    assert {spec.task for spec in heads} == {"instseg"}
