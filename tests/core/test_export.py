"""Exports of toy networks: complete, checked against the network, and never half of one."""

from pathlib import Path

import numpy as np
import pytest

paddle = pytest.importorskip("paddle")

from pdx_core.config import resolve  # noqa: E402
from pdx_core.errors import PdxError, WorkFailedError  # noqa: E402
from pdx_core.model_card import check_files, graph_file, read_card  # noqa: E402
from pdx_core.plugins import get_registry  # noqa: E402
from pdx_core.runtimes import choose  # noqa: E402
from pdx_core.runtimes.feeds import make_feeds  # noqa: E402
from pdx_core.runtimes.paddle_inference import PaddleInference  # noqa: E402
from pdx_core.runtimes.trial import Trial  # noqa: E402
from pdx_core.train.export import INPUT_NAMES, export_network  # noqa: E402
from pdx_core.train.network import build_network  # noqa: E402

COLOURS = ("red", "green", "blue")
PHOTOS = [np.random.default_rng(number).integers(0, 256, (8, 8, 3), dtype=np.uint8) for number in range(8)]


@pytest.fixture
def toy(monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parent / "toy_plugin"))
    get_registry.cache_clear()
    paddle.seed(3)
    yield lambda *overrides: resolve("toy_full", overrides=("Export.try_runtimes=false", *overrides))
    get_registry.cache_clear()


def outputs_of(network, feed):
    with paddle.no_grad():
        network.eval()
        return network.predict(*(paddle.to_tensor(feed[name]) for name in INPUT_NAMES))


def test_the_folder_is_complete_and_gives_the_networks_numbers(toy, tmp_path):
    network = build_network("toy_full")
    network.train()
    folder = tmp_path / "exported 熊"
    report = export_network(network, toy(), COLOURS, folder, PHOTOS)
    assert network.training  # left as it was
    suffix = graph_file(folder).suffix
    names = {path.name for path in folder.iterdir()} - {"inference.pdiparams.info"}  # which only Paddle 2 writes
    assert names == {"inference.pdiparams", "inference.yml", f"inference{suffix}"}
    assert [path.name for path in tmp_path.iterdir()] == [folder.name]
    assert (report["chosen"], report["images"], report["drawn"]) == ("paddle", 8, False)
    card = read_card(folder)
    assert (card.name, card.task, card.classes, card.outputs) == ("toy_full", "toy", COLOURS, ("scores",))
    assert card.runtimes["trials"][0]["passed"]
    runtime = PaddleInference(folder, outputs=card.outputs)
    for feed in make_feeds(card.transforms, PHOTOS).batches:
        right = outputs_of(network, feed)["scores"].numpy()
        np.testing.assert_allclose(runtime(feed)["scores"], right, rtol=1e-5, atol=1e-6)


def test_inputs_that_the_network_does_not_use_are_not_asked_for(toy, tmp_path):
    export_network(build_network("toy_full"), toy(), COLOURS, tmp_path / "model", PHOTOS)
    assert set(PaddleInference(tmp_path / "model")._inputs) == {"images"}


class Boxes(paddle.nn.Layer):
    """Two outputs that depend on where the image came from, as a detector's do."""

    def __init__(self):
        super().__init__()
        self.weight = self.create_parameter([1], default_initializer=paddle.nn.initializer.Constant(2.0))

    def predict(self, images, im_shape, scale_factor):
        largest = images.max([1, 2, 3]).unsqueeze(1)
        return {"corner": im_shape / scale_factor * self.weight, "a_max": largest}


class Fickle(Boxes):
    """Gives other numbers each time it is called: a graph keeps those of the one time it was traced."""

    calls = 0

    def predict(self, images, im_shape, scale_factor):
        Fickle.calls += 1
        return {"mean": images.mean([1, 2, 3]).unsqueeze(1) * self.weight + float(Fickle.calls)}


def test_several_outputs_and_the_inputs_of_a_detector(toy, tmp_path):
    photos = [np.full((6 + number, 9, 3), number, np.uint8) for number in range(8)]
    report = export_network(Boxes(), toy(), COLOURS, tmp_path / "model", photos)
    assert report["trials"][0]["passed"]
    card = read_card(tmp_path / "model")
    assert card.outputs == ("corner", "a_max")
    runtime = PaddleInference(tmp_path / "model", outputs=card.outputs)
    assert set(runtime._inputs) == {"images", "im_shape", "scale_factor"}
    found = runtime(
        {
            "images": np.ones((2, 3, 5, 7), np.float32),
            "im_shape": np.array([[5, 7], [4, 6]], np.float32),
            "scale_factor": np.array([[0.5, 0.5], [1, 2]], np.float32),
        }
    )
    assert found["corner"].tolist() == [[20, 28], [8, 6]] and found["a_max"].tolist() == [[1], [1]]


def test_onednn_is_used_where_it_is_asked_for_only(toy, tmp_path, monkeypatch):
    """Paddle switches it on by itself, and it fails on empty tensors: an image in which nothing is found."""
    export_network(build_network("toy_full"), toy(), COLOURS, tmp_path / "model", PHOTOS)
    asked = []
    create = paddle.inference.create_predictor
    monkeypatch.setattr(
        "paddle.inference.create_predictor", lambda config: asked.append(config.mkldnn_enabled()) or create(config)
    )
    for onednn in (False, True):
        PaddleInference(tmp_path / "model", onednn=onednn)
    assert asked == [False, True]


def test_all_runtimes_are_tried_and_the_report_is_kept(toy, tmp_path):
    report = export_network(
        build_network("toy_full"), toy("Export.try_runtimes=true"), COLOURS, tmp_path / "model", PHOTOS[:2]
    )
    trials = {trial["runtime"]: trial for trial in report["trials"]}
    assert trials["paddle"]["passed"] and "paddle_onednn" in trials
    assert trials[report["chosen"]]["median_ms"] == min(t["median_ms"] for t in trials.values() if t["passed"])
    kept = read_card(tmp_path / "model").runtimes
    assert kept["chosen"] == report["chosen"] and kept["images"] == 2 and kept["host"]["paddle"]
    assert choose.choose(read_card(tmp_path / "model"), "cpu").name == report["chosen"]


def test_out_of_tolerance_nothing_is_written_and_the_old_export_stays(toy, tmp_path, monkeypatch):
    network, folder = build_network("toy_full"), tmp_path / "model"
    export_network(network, toy(), COLOURS, folder, PHOTOS)
    before = (folder / "inference.pdiparams").read_bytes()
    reason = "output 'scores' of batch 0 is 0.5 where the network gives 0.4"
    trial = Trial(runtime="paddle", passed=False, reason=reason, max_error=0.1)
    monkeypatch.setattr(choose, "try_in_process", lambda *rest, **options: trial)
    network.head.fc.weight.set_value(network.head.fc.weight * 2)
    with pytest.raises(WorkFailedError, match=r"does not agree.*8 images.*0\.5 where.*0\.4.*Export\.rtol"):
        export_network(network, toy(), COLOURS, folder, PHOTOS)
    assert (folder / "inference.pdiparams").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_a_graph_that_really_differs_is_caught(toy, tmp_path):
    with pytest.raises(WorkFailedError, match="'mean' of batch 0"):
        export_network(Fickle(), toy(), COLOURS, tmp_path / "model", PHOTOS)
    assert not (tmp_path / "model").exists()


def test_without_photos_pictures_are_drawn_and_few_photos_are_said(toy, tmp_path, caplog):
    caplog.set_level("INFO")
    report = export_network(Boxes(), toy(), COLOURS, tmp_path / "model")
    assert report["drawn"] and report["images"] == 8 and "no photos" in caplog.text
    report = export_network(Boxes(), toy(), COLOURS, tmp_path / "model", PHOTOS[:3])
    assert report["images"] == 3 and "comparing on 3 photos" in caplog.text


def test_a_folder_that_holds_other_files_is_refused(toy, tmp_path):
    (tmp_path / "notes.txt").write_text("")
    with pytest.raises(PdxError, match="holds other files"):
        export_network(Boxes(), toy(), COLOURS, tmp_path, PHOTOS)


def test_a_damaged_or_mixed_up_export_is_explained(toy, tmp_path):
    folder = tmp_path / "model"
    export_network(build_network("toy_full"), toy(), COLOURS, folder, PHOTOS)
    card = read_card(folder)
    check_files(folder, card)
    with pytest.raises(PdxError, match="names 2 outputs but"):
        PaddleInference(folder, outputs=("a", "b"))
    parameters = bytearray((folder / "inference.pdiparams").read_bytes())
    parameters[len(parameters) // 2] ^= 1
    (folder / "inference.pdiparams").write_bytes(parameters)
    with pytest.raises(PdxError, match=r"inference\.pdiparams is not the file that was exported"):
        check_files(folder, card)
