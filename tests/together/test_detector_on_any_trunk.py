"""Faster R-CNN with a pyramid learns on trunks of other plugins, put there by one -o."""

from __future__ import annotations

from pathlib import Path

import pytest

from pdx_core.config import resolve
from pdx_core.plugins import get_registry

pytestmark = [pytest.mark.paddle, pytest.mark.needs_plugins("det")]
STEPS = 8


@pytest.fixture(scope="module")
def shapes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from pdx_det.demo import draw_dataset

    folder = tmp_path_factory.mktemp("shapes")
    draw_dataset(folder, train=2, val=1, size=96)
    return folder


@pytest.mark.parametrize(
    "trunk",
    [
        "MobileNetV3_small_x1_0",
        "SqueezeNet1_1",  # of the example; its levels are a pixel smaller than the input over their strides
    ],
)
def test_the_loss_falls(trunk: str, shapes: Path) -> None:
    if not any(entry.spec.name == trunk for entry in get_registry().entries("backbones")):
        pytest.skip(f"{trunk} is not installed")
    import paddle

    from pdx_core.train.assemble import build_task, open_splits, train_loader
    from pdx_core.train.network import build_network

    small = [
        "Model.neck.channels=32",
        "Model.head.samples=64",
        "Model.head.rpn_post_nms=[64, 32]",
        "Data.train_transforms=[{Resize: {size: 96}}, {Normalize: {pad_multiple: 32}}]",
        "Train.batch_size=2",
    ]
    resolved = resolve(
        "FasterRCNN-ResNet50-FPN",
        flags={"Global.dataset_dir": str(shapes)},
        overrides=[f"Model.backbone.name={trunk}", *small],
    )
    paddle.seed(0)
    (reader,) = open_splits(resolved, "train")
    task = build_task(resolved, reader.classes)
    (batch,) = train_loader(resolved, reader, task, len(reader.classes)).epoch(0)
    network = build_network(resolved.spec.name, len(reader.classes), resolved.config.model)
    network.train()
    trained = [parameter for parameter in network.parameters() if not parameter.stop_gradient]
    optimizer = paddle.optimizer.Adam(3e-4, parameters=trained)
    images = paddle.to_tensor(batch.images)
    targets = {name: paddle.to_tensor(array) for name, array in batch.targets.items()}
    totals = []
    for _ in range(STEPS):
        total = sum(network.loss(images, targets).values())
        total.backward()
        if not totals:
            still = [name for name, own in network.named_parameters() if not own.stop_gradient and own.grad is None]
            assert not still, f"no gradient reaches {still}"
        optimizer.step()
        optimizer.clear_grad()
        totals.append(float(total))
    assert totals[-1] < 0.7 * totals[0], totals
