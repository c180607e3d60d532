"""From a drawn dataset to a trained, evaluated, exported and used detector, with the components of the demo."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from pdx_core.config import resolve
from pdx_core.data.check import check_dataset
from pdx_det.demo import DEMO, draw_dataset

pytestmark = pytest.mark.paddle


@pytest.fixture(scope="module")
def shapes(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("shapes")
    draw_dataset(folder, train=10, val=4, size=64)
    return folder


def test_the_demo_draws_a_clean_dataset(shapes, tmp_path):
    report = check_dataset(shapes, tmp_path, task="det")
    assert report.passed, report.findings.table()
    assert report.result["attributes"]["num_classes"] == 3
    draw_dataset(tmp_path / "again", train=10, val=4, size=64)
    for path in shapes.rglob("*.*"):
        assert (tmp_path / "again" / path.relative_to(shapes)).read_bytes() == path.read_bytes()


@pytest.mark.parametrize(
    ("model", "tensors"),
    [
        ("PicoDet-S_320", "8 tensors such as head.outputs.0.weight"),  # 80 + 32 channels against 1 + 32
        ("YOLOv3-MobileNetV3", "6 tensors such as head.outputs.0.weight"),  # 3 * (80 + 5) channels against 3 * (1 + 5)
    ],
)
def test_fine_tuning_keeps_what_does_not_depend_on_the_classes(model, tensors, tmp_path):
    from pdx_core.train.network import build_network
    from pdx_core.train.pretrained import load_pretrained
    from pdx_core.weights import save_weights

    path = tmp_path / "published.pdparams"
    published, network = build_network(model), build_network(model, 1)
    save_weights(published.state_dict(), path)
    before = network.state_dict()["head.outputs.0.weight"].numpy().copy()
    said = load_pretrained(network, resolve(model, flags={"Train.pretrain_weight_path": str(path)}), 1)
    anew = f"; the classifier ({tensors}) starts anew: 80 classes in the file, 1 here"
    assert said.endswith(f"{anew}, what else these tensors hold is kept")
    theirs = published.state_dict()["head.outputs.0.weight"].numpy()
    ours = network.state_dict()["head.outputs.0.weight"].numpy()
    if model.startswith("PicoDet"):  # a row for each class, then 4 sides of 8 bins
        np.testing.assert_array_equal(ours[:1], before[:1])
        np.testing.assert_array_equal(ours[1:], theirs[80:])
    else:  # for each of 3 anchors x, y, w, h, objectness and a row for each class
        np.testing.assert_array_equal(ours.reshape(3, 6, -1)[:, 5], before.reshape(3, 6, -1)[:, 5])
        np.testing.assert_array_equal(ours.reshape(3, 6, -1)[:, :5], theirs.reshape(3, 85, -1)[:, :5])


def test_train_evaluate_export_predict(shapes, tmp_path):
    from pdx_core import create_model
    from pdx_core.train.run import evaluate, train

    flags = {
        "Global.dataset_dir": str(shapes),
        "Global.output": str(tmp_path / "run"),
        "Global.device": "cpu",
        "Train.epochs_iters": 2,
        "Train.batch_size": 4,
        "Train.log_interval": 1,
        "Train.eval_interval": 2,
        "Export.try_runtimes": False,
        "Export.parity_images": 2,
    }
    augmentation = [
        "Data.train_transforms=[ColorDistort, {RandomExpand: {max_ratio: 2}}, RandomBoxCrop, {Resize: {size: 64}}, "
        "Normalize]",
        "Data.eval_transforms=[{Resize: {size: 64, interpolation: bicubic}}, Normalize]",
        "Data.batch_transforms=[BoxMixup, {BatchRandomResize: {sizes: [64, 96]}}]",
    ]
    resolved = resolve(DEMO.model, flags=flags, overrides=[*DEMO.overrides, *augmentation, "Train.epochs_iters=2"])
    result = train(resolved)
    assert result["done_flag"] and result["metric"] == "AP"
    measured = evaluate(resolve(DEMO.model, flags=flags, overrides=[*DEMO.overrides, *augmentation]))
    written = json.loads((tmp_path / "run" / "evaluate_result.json").read_text())
    assert written == {"done_flag": True, "metrics": measured["metrics"]}
    assert {"AP", "AP50", "AP75", "APs", "APm", "APl", "AR1", "AR10", "AR100"} <= set(written["metrics"])
    assert (tmp_path / "run" / "bbox.json").is_file()
    model = create_model(model_dir=str(tmp_path / "run"), threshold=0.0, topk=3)
    found = list(model.predict(str(shapes / "val"), batch_size=3))
    assert len(found) == 4 and all(len(one) <= 3 for one in found)
    for one in found:
        assert one.coordinates.min(initial=0) >= 0 and one.coordinates.max(initial=0) <= 64
