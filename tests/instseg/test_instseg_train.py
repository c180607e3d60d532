"""From a drawn dataset to a trained, evaluated, exported and used model, with the components of the demo."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from pdx_core.config import resolve
from pdx_core.data.check import check_dataset
from pdx_instseg.demo import DEMO, draw_dataset
from pdx_instseg.run_lengths import RunLengths

pytestmark = pytest.mark.paddle


@pytest.fixture(scope="module")
def shapes(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("shapes")
    draw_dataset(folder, train=8, val=3, size=64)
    return folder


def test_the_demo_draws_a_clean_dataset(shapes, tmp_path):
    report = check_dataset(shapes, tmp_path, task="instseg")
    assert report.passed and not len(report.findings), report.findings.table()
    assert report.result["attributes"]["num_classes"] == 3
    draw_dataset(tmp_path / "again", train=8, val=3, size=64)
    for path in shapes.rglob("*.*"):
        assert (tmp_path / "again" / path.relative_to(shapes)).read_bytes() == path.read_bytes()


def test_train_evaluate_export_predict(shapes, tmp_path):
    from pdx_core import create_model
    from pdx_core.train.run import evaluate, train

    flags = {
        "Global.dataset_dir": str(shapes),
        "Global.output": str(tmp_path / "run"),
        "Global.device": "cpu",
        "Train.epochs_iters": 1,
        "Train.batch_size": 4,
        "Train.log_interval": 1,
        "Train.eval_interval": 1,
        "Export.try_runtimes": False,
        "Export.parity_images": 2,
    }
    changed = [
        "Data.train_transforms=[{RandomExpand: {max_ratio: 2}}, RandomBoxCrop, {Resize: {size: 64}}, Normalize]",
        "Data.batch_transforms=[BoxMixup]",
        "Train.epochs_iters=1",
        "Model.head.keep_top_k=20",
        "Model.head.score_threshold=0.0",
        "Train.learning_rate=0.0001",
    ]
    result = train(resolve(DEMO.model, flags=flags, overrides=[*DEMO.overrides, *changed]))
    assert result["done_flag"] and result["metric"] == "AP"
    measured = evaluate(resolve(DEMO.model, flags=flags, overrides=[*DEMO.overrides, *changed]))
    written = json.loads((tmp_path / "run" / "evaluate_result.json").read_text())
    assert written == {"done_flag": True, "metrics": measured["metrics"]}
    assert {"AP", "AP50", "AP75", "APs", "AR100", "box_AP", "box_AP50"} <= set(written["metrics"])
    assert (tmp_path / "run" / "segm.json").is_file()
    model = create_model(model_dir=str(tmp_path / "run"), threshold=0.0, topk=3)
    found = list(model.predict(str(shapes / "val"), batch_size=2))
    assert len(found) == 3 and all(0 < len(one) <= 3 for one in found)
    weights = create_model(
        DEMO.model, weights=str(tmp_path / "run" / "best_model" / "best_model.pdparams"), threshold=0.0, topk=3
    )
    for one, other in zip(found, weights.predict(str(shapes / "val")), strict=True):
        assert [mask.size for mask in one.run_lengths] == [(64, 64)] * len(one)
        np.testing.assert_allclose(one.xyxy, other.xyxy, atol=0.01)
        for mask, same in zip(one.run_lengths, other.run_lengths, strict=True):
            assert abs(mask.area - same.area) <= 2
        one.save_all(tmp_path / "saved")
    content = json.loads((tmp_path / "saved" / "val_000_res.json").read_text())
    assert RunLengths.of_file(content["masks"][0]) == found[0].run_lengths[0]
