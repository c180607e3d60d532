"""Training and evaluation must normalise alike, or nothing that was learned is seen."""

from __future__ import annotations

import pytest

np = pytest.importorskip("numpy")

from pdx_core.errors import ConfigError  # noqa: E402
from pdx_core.transforms.normalize import Normalize, require_same_pixels  # noqa: E402

HALVES = Normalize(mean=[0.5] * 3, std=[0.5] * 3)


def test_another_mean_in_evaluation_is_refused_with_both():
    with pytest.raises(ConfigError, match=r"mean \[0.485, .*eval_transforms with mean \[0.5, 0.5, 0.5\].*of ImageNet"):
        require_same_pixels(Normalize(), HALVES)


@pytest.mark.parametrize(
    ("train", "evaluation"),
    [
        (HALVES, Normalize(mean=[0.5] * 3, std=[0.5] * 3)),
        (Normalize(), Normalize(pad_multiple=32)),  # padding is no pixel of the picture
        (object(), HALVES),  # a stranger's own normalisation
    ],
)
def test_equal_normalisation_and_that_of_others_is_fine(train, evaluation):
    require_same_pixels(train, evaluation)


@pytest.mark.paddle
def test_a_training_stops_before_it_touches_the_folder_of_an_earlier_run(tmp_path, monkeypatch):
    pytest.importorskip("paddle")
    from pathlib import Path

    from pdx_core.config import resolve
    from pdx_core.plugins import get_registry
    from pdx_core.train.run import train

    monkeypatch.syspath_prepend(str(Path(__file__).parent / "toy_plugin"))
    get_registry.cache_clear()
    data, run = tmp_path / "data", tmp_path / "run"
    data.mkdir()
    run.mkdir()
    (data / "toy.txt").write_text("40 15")
    (run / "config.yaml").write_text("mine")
    flags = {"Global.dataset_dir": str(data), "Global.output": str(run), "Global.device": "cpu"}
    overrides = ["Data.eval_transforms=[{Normalize: {mean: [0.1, 0.1, 0.1]}}]"]
    with pytest.raises(ConfigError, match=r"Data.eval_transforms with mean \[0.1"):
        train(resolve("toy_plain", flags=flags, overrides=overrides))
    assert {path.name: path.read_text() for path in run.iterdir() if path.name[0] != "."} == {"config.yaml": "mine"}
    get_registry.cache_clear()
