"""From a drawn dataset to a trained, evaluated, exported and used segmenter, with the components of the demo."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from pdx_core.config import resolve
from pdx_core.data.check import check_dataset
from pdx_core.images import read_image, write_image
from pdx_seg.demo import DEMO, draw_dataset

pytestmark = pytest.mark.paddle


@pytest.fixture(scope="module")
def shapes(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("shapes")
    draw_dataset(folder, train=10, val=4)
    return folder


def test_the_demo_draws_a_clean_dataset(shapes, tmp_path):
    report = check_dataset(shapes, tmp_path, task="seg")
    assert report.passed, report.findings.table()
    draw_dataset(tmp_path / "again", train=10, val=4)
    for path in shapes.rglob("*.*"):
        assert (tmp_path / "again" / path.relative_to(shapes)).read_bytes() == path.read_bytes()


def test_train_evaluate_export_predict(shapes, tmp_path):
    from pdx_core import create_model
    from pdx_core.train.run import evaluate, train

    run = tmp_path / "run"
    flags = {
        "Global.dataset_dir": str(shapes),
        "Global.output": str(run),
        "Global.device": "cpu",
        "Train.epochs_iters": 2,
        "Train.batch_size": 4,
        "Train.eval_interval": 2,
        "Export.try_runtimes": False,
        "Export.parity_images": 2,
    }
    overrides = [*DEMO.overrides, "Train.epochs_iters=2", "Train.eval_interval=2", "Train.batch_size=4"]
    result = train(resolve(DEMO.model, flags=flags, overrides=overrides))
    assert result["done_flag"] and result["metric"] == "mIoU"
    measured = evaluate(resolve(DEMO.model, flags=flags, overrides=overrides))
    written = json.loads((run / "evaluate_result.json").read_text())
    assert written == {"done_flag": True, "metrics": measured["metrics"]}
    assert list(written["metrics"])[:4] == ["mIoU", "Acc", "Kappa", "Dice"]
    assert {Path(path).name for path in measured["pictures"]} >= {"per_class.json", "confusion_matrix.png"}

    model = create_model(model_dir=str(run))
    pictures = sorted((shapes / "val").glob("*.png"))
    found = list(model.predict([str(path) for path in pictures], batch_size=3))
    assert [one.label_map.shape for one in found] == [read_image(path).shape[:2] for path in pictures]
    assert found[0].label_names[0] == "background"

    large = np.tile(read_image(pictures[0]), (3, 2, 1))[:150, :110]  # sizes that the graph was not exported with
    write_image(tmp_path / "large.png", large)
    (whole,) = model.predict(str(tmp_path / "large.png"))
    (tiled,) = create_model(model_dir=str(run), tile=96, overlap=0.5).predict(str(tmp_path / "large.png"))
    assert whole.label_map.shape == tiled.label_map.shape == (150, 110)
    assert (whole.label_map == tiled.label_map).mean() > 0.8
    (views,) = create_model(model_dir=str(run), test_time={"scales": [1, 1.5], "flip": True}).predict(str(pictures[0]))
    assert views.label_map.shape == found[0].label_map.shape
