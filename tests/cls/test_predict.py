"""Classification from a run folder to results: Python, `pdx export`, `pdx predict`, `pdx benchmark` and `pdx run`."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

paddle = pytest.importorskip("paddle")

from pdx_core import create_model  # noqa: E402
from pdx_core.cli import main  # noqa: E402
from pdx_core.config import dump, resolve  # noqa: E402
from pdx_core.errors import PdxError, WeightsError  # noqa: E402
from pdx_core.images import write_image  # noqa: E402
from pdx_core.model_card import read_card  # noqa: E402
from pdx_core.opencv import require_cv2  # noqa: E402
from pdx_core.runtimes.feeds import draw_pictures  # noqa: E402
from pdx_core.train.network import build_network  # noqa: E402
from pdx_core.weight_files import save_weights  # noqa: E402

MODEL = "MobileNetV3_small_x0_35"
CLASSES = ("chat", "chien", "熊 bear", "poisson")


def pdx(*arguments):
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    folder = tmp_path_factory.mktemp("photos")
    for number, picture in enumerate(draw_pictures(6)):
        write_image(folder / f"foto {number}.jpg", picture)
    return folder


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run folder as training leaves it, and the export in it."""
    folder = tmp_path_factory.mktemp("run")
    overrides = ("Export.try_runtimes=false", "Train.num_classes=4", "Global.device=cpu")
    (folder / "config.yaml").write_text(dump(resolve(MODEL, overrides=overrides)), encoding="utf-8")
    (folder / "label_dict.txt").write_text("".join(f"{i} {name}\n" for i, name in enumerate(CLASSES)), encoding="utf-8")
    paddle.seed(1)
    network = build_network(MODEL, 4)
    network.head.fc.weight.set_value(network.head.fc.weight * 30)  # so that the classes differ
    arrays = {name: tensor.numpy() for name, tensor in network.state_dict().items()}
    save_weights(arrays, folder / "best_model" / "best_model.pdparams")
    done = pdx("export", folder)
    assert done.exit_code == 0, done.output
    assert "compared with the network on 8 drawn pictures" in done.output
    return folder


def test_the_exported_model_gives_what_the_weights_give(run, photos):
    exported = list(create_model(model_dir=run, device="cpu").predict(photos, batch_size=4))
    weights = run / "best_model" / "best_model.pdparams"
    direct = list(create_model(MODEL, weights=weights, device="cpu").predict(photos, batch_size=4))
    assert len(exported) == 6
    for one, other in zip(exported, direct, strict=True):
        assert one.input_path == other.input_path
        assert one.class_ids.tolist() == other.class_ids.tolist()
        np.testing.assert_allclose(one.scores, other.scores, atol=2e-5)
        assert set(one.label_names) == set(CLASSES)
        assert one.scores.sum() == pytest.approx(1, abs=1e-4) and (np.diff(one.scores) <= 0).all()


def test_topk_of_predict_wins_over_create_model_and_that_over_the_model(run, photos):
    model = create_model(model_dir=run, device="cpu", topk=2)
    assert [len(result.class_ids) for result in model.predict(photos, topk=1)] == [1] * 6
    assert [len(result.class_ids) for result in model.predict(photos)] == [2] * 6
    assert len(next(create_model(model_dir=run, device="cpu").predict(photos)).class_ids) == 4  # 5, but there are 4
    for wrong in (0, -1, "3", 1.0):
        with pytest.raises(PdxError, match="topk must be a whole number"):
            model.predict(photos, topk=wrong)


def test_a_file_and_its_array_give_the_same(run, photos):
    path = photos / "foto 0.jpg"
    model = create_model(model_dir=run, device="cpu")
    (from_file,) = model.predict(str(path))
    (from_array,) = model.predict(require_cv2().imread(str(path)))
    assert from_file.scores.tolist() == from_array.scores.tolist()
    assert from_array.input_path.startswith("array_")


def test_the_published_example_of_paddlex_runs(run, photos, tmp_path, capsys):
    model = create_model(model_name=MODEL, model_dir=str(run / "best_model" / "inference"))
    output = model.predict(str(photos / "foto 1.jpg"), batch_size=1)
    for res in output:
        res.print(json_format=False)
        res.save_to_img(f"{tmp_path}/output/")
        res.save_to_json(f"{tmp_path}/output/res.json")
    assert capsys.readouterr().out.startswith("{'res': {'input_path': ")
    assert sorted(path.name for path in (tmp_path / "output").iterdir()) == ["foto 1_res.jpg", "res.json"]


def test_what_create_model_refuses(run, monkeypatch):
    monkeypatch.setenv("PDX_OFFLINE", "1")
    weights = run / "best_model" / "best_model.pdparams"
    for arguments, words in (
        ({}, "say which model"),
        ({"model_name": "ResNet50", "model_dir": run}, "holds the model 'MobileNetV3_small_x0_35', not 'ResNet50'"),
        ({"model_dir": run, "weights": weights}, "not both"),
        ({"model_dir": run, "runtime": "dygraph"}, "is an exported model"),
        ({"model_dir": run, "runtime": "trt_fp16"}, "TensorRT"),
        ({"model_dir": run, "top_k": 3}, "Did you mean 'topk'"),
        ({"model_dir": run, "device": "tpu"}, "unknown device 'tpu'"),
        ({"model_name": "ResNet51"}, "Did you mean 'ResNet5"),
        ({"model_name": "ResNet50", "weights": weights}, "belong to 'MobileNetV3_small_x0_35'"),
        ({"model_name": MODEL, "weights": weights, "runtime": "paddle"}, "export this one first"),
    ):
        with pytest.raises(PdxError, match=words):
            create_model(**arguments)
    with pytest.raises(WeightsError, match="PDX_OFFLINE"):
        create_model("ResNet50")


def test_predict_prints_a_line_per_image_and_saves(run, photos, tmp_path):
    done = pdx("predict", run, photos, "--topk", "1", "--output", tmp_path / "out", "--device", "cpu")
    assert done.exit_code == 0, done.output
    lines = done.stdout.splitlines()
    assert len(lines) == 6 and lines[0].startswith(f"{photos}/foto 0.jpg: ")
    assert len(list((tmp_path / "out").iterdir())) == 12


def test_predict_prints_json_lines(run, photos):
    done = pdx("predict", run, photos / "foto 2.jpg", photos / "foto 1.jpg", "--json", "--device", "cpu")
    rows = [json.loads(line)["res"] for line in done.stdout.splitlines()]
    assert [row["input_path"][-5:] for row in rows] == ["2.jpg", "1.jpg"]


def test_predict_goes_on_after_a_broken_image_and_says_so_in_the_end(run, photos, tmp_path):
    (tmp_path / "good.jpg").write_bytes((photos / "foto 0.jpg").read_bytes())
    (tmp_path / "bad.jpg").write_bytes((photos / "foto 0.jpg").read_bytes()[:900])
    done = pdx("predict", run, tmp_path / "bad.jpg", tmp_path / "good.jpg", "--device", "cpu")
    assert done.exit_code == 1
    assert len(done.stdout.splitlines()) == 1 and "1 of 2 images could not be read" in done.stderr
    assert "bad.jpg" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("RUN",), "MODEL comes first"),
        (("RUN", "no.jpg"), "no such file or folder: no.jpg"),
        (("PHOTO", "PHOTO"), "is a file; write: pdx predict MODEL"),
        (("no/run", "PHOTO"), "no folder no/run"),
        (("PHOTOS", "PHOTO"), "holds no exported model"),
        (("ResNet5O", "PHOTO"), "no model named 'ResNet5O'"),
        (("RUN", "PHOTO", "--topk", "0"), "topk must be"),
        (("RUN", "PHOTO", "--threshold", "0.5"), "unknown option 'threshold'"),
        (("RUN", "PHOTO", "--runtime", "padle"), "Did you mean 'paddle'"),
        (("RUN", "PHOTO", "--batch-size", "0"), "batch_size must be"),
    ],
)
def test_bad_input_is_one_message_and_code_2(run, photos, arguments, words):
    names = {"RUN": run, "PHOTOS": photos, "PHOTO": photos / "foto 0.jpg"}
    done = pdx("predict", *(names.get(word, word) for word in arguments))
    assert done.exit_code == 2, done.output
    assert words in done.stderr and "Traceback" not in done.output


def test_run_mode_predict_saves_every_result(run, photos, tmp_path):
    done = pdx(
        "run", "-c", run / "config.yaml", "-o", "Global.mode=predict", "-o", f"Predict.model_dir={run}",
        "-o", f"Predict.input={photos}", "-o", f"Global.output={tmp_path}",
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    assert done.stdout.count("{'res': {'input_path'") == 6
    assert len(list(tmp_path.glob("*_res.json"))) == 6


def test_run_mode_export_takes_the_weights_it_is_told(run, tmp_path):
    weights = run / "best_model" / "best_model.pdparams"
    done = pdx(
        "run", "-c", run / "config.yaml", "-o", "Global.mode=export", "-o", f"Export.weight_path={weights}",
        "-o", f"Global.output={tmp_path}",
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    card = read_card(tmp_path / "best_model" / "inference")
    assert card.classes == CLASSES and card.post == {"Topk": {"topk": 5}}


def test_benchmark_compares_the_runtimes(run):
    done = pdx("benchmark", run, "--runtime", "paddle", "--runs", "3", "--warmup", "0", "--json", "--device", "cpu")
    assert done.exit_code == 0, done.output
    (row,) = json.loads(done.stdout)
    assert row["runtime"] == "paddle" and row["runs"] == 3 and row["p50_ms"] > 0 and row["max_difference"] == 0


def test_export_of_other_weights_and_its_errors(run, tmp_path):
    weights = run / "best_model" / "best_model.pdparams"
    done = pdx(
        "export", MODEL, "--weights", weights, "--output", tmp_path / "m", "-o", "Export.try_runtimes=false", "--json"
    )
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["chosen"] == "paddle"
    assert create_model(model_dir=tmp_path / "m").card.classes == CLASSES
    done = pdx("export", MODEL, "--weights", tmp_path / "none.pdparams", "--output", tmp_path / "n")
    assert done.exit_code == 2 and "none.pdparams" in done.stderr
    done = pdx("export", "ResNet18", "--weights", weights, "--output", tmp_path / "n")
    assert done.exit_code == 2 and not (tmp_path / "n").exists()
