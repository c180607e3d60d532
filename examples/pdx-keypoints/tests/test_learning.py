"""From a folder of drawn faces to points in a picture, by the commands that a user types."""

import json

import pytest
from click.testing import CliRunner

from pdx_core.cli import main
from pdx_keypoints.demo import DEMO, draw_dataset

pytest.importorskip("paddle")
OVERRIDES = [word for override in DEMO.overrides for word in ("-o", override)]


def run(*words):
    result = CliRunner().invoke(main, [str(word) for word in words])
    assert result.exit_code == 0, result.output + str(result.exception)
    return result.stdout


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """The folders of a dataset and of a run that learnt from it (half a minute of one core)."""
    folder = tmp_path_factory.mktemp("keypoints")
    data, output = folder / "data", folder / "run"
    draw_dataset(data, train=160, val=24, size=64)
    run("train", DEMO.model, "--data", data, "--out", output, "--epochs", 4, "--device", "cpu", *OVERRIDES,
        "-o", "Data.workers=0", "-o", "Export.try_runtimes=false")  # fmt: skip
    return data, output


def test_it_learns(trained):
    _, output = trained
    history = json.loads((output / "train_result.json").read_text())
    assert history["done_flag"]
    found = json.loads(run("eval", output, "-o", "Evaluate.metric={name: point_errors, threshold: 0.1}", "--json"))
    assert found["samples"] == 24
    assert found["metrics"]["pck"] > 0.9 and found["metrics"]["nme"] < 0.05


def test_it_is_checked_exported_and_predicts_in_pixels_of_the_original(trained, tmp_path):
    data, output = trained
    assert "PointsDataset: 5 classes, samples: 160 train, 24 val" in run("check", data, "--out", tmp_path / "check")
    run("export", output, "--out", tmp_path / "model", "-o", "Export.try_runtimes=false")
    picture = data / "val" / "003.png"
    line = run("predict", tmp_path / "model", picture, "--save", tmp_path / "seen", "--device", "cpu")
    assert "left_eye" in line and (tmp_path / "seen" / "003_res.png").is_file()
    answer = json.loads((tmp_path / "seen" / "003_res.json").read_text())
    cells = next(row for row in (data / "val_points.csv").read_text().splitlines() if "003" in row).split(",")
    for index, point in enumerate(answer["points"]):
        if cells[1 + 2 * index]:
            for axis in (0, 1):
                assert abs(point["coordinate"][axis] - float(cells[1 + 2 * index + axis])) < 12


def test_names_of_another_task_are_refused_before_paddle_is_needed(trained):
    data, _ = trained
    result = CliRunner().invoke(main, ["train", DEMO.model, "--data", str(data), "-o", "Model.head.widht=3"])
    assert result.exit_code == 2 and "width" in result.output
