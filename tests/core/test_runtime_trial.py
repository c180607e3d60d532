"""Runtimes are tried in processes of their own: a crash, a hang or a wrong number is a reason, never an end."""

import re

import attrs
import numpy as np
import pytest

from pdx_core.errors import MissingDependencyError, PdxError, UnknownNameError
from pdx_core.model_card import ModelCard
from pdx_core.plugins import get_registry
from pdx_core.runtimes import choose, trial
from pdx_core.runtimes.machine import fingerprint
from pdx_core.specs import RuntimeSpec

RUNTIMES = """
import os, time

class Good:
    def __init__(self, folder, device, *, add=0.0, pause=0.0, threads=None, outputs=()):
        self.add, self.pause, self.name = add, pause, outputs[0]
    def __call__(self, inputs):
        time.sleep(self.pause)
        return {self.name: inputs["images"].mean(axis=(2, 3)) + self.add}

class Crashes(Good):
    def __call__(self, inputs):
        os.abort()

class Raises(Good):
    def __call__(self, inputs):
        raise RuntimeError("frame 1\\nframe 2\\nno kernel for this operator")

class Leaves(Good):
    def __call__(self, inputs):
        os._exit(3)

class Hangs(Good):
    def __call__(self, inputs):
        time.sleep(60)

class WrongShape(Good):
    def __call__(self, inputs):
        return {self.name: inputs["images"]}

class Nan(Good):
    def __call__(self, inputs):
        return {self.name: inputs["images"].mean(axis=(2, 3)) * float("nan")}
"""


@pytest.fixture
def attempt(tmp_path, monkeypatch):
    (tmp_path / "trial_runtimes.py").write_text(RUNTIMES)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    feeds = [{"images": np.full((1, 3, 4, 4), value, np.float32)} for value in (0.25, 0.5)]
    expected = [{"scores": feed["images"].mean(axis=(2, 3))} for feed in feeds]

    def run(name, **arguments):
        spec = RuntimeSpec(name="r", target=f"trial_runtimes:{name}", arguments=arguments)
        return trial.try_runtime(spec, tmp_path, feeds, expected)

    return run


def test_a_good_runtime_passes_and_is_timed(attempt):
    found = attempt("Good", pause=0.002)
    assert found.passed and found.max_error == 0.0 and 2 <= found.median_ms < 50


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("Crashes", r"crashed \(SIGABRT\)"),
        ("Raises", "^no kernel for this operator$"),
        ("Leaves", "ended with code 3"),
        ("WrongShape", r"shape \(1, 3, 4, 4\), the network's has \(1, 3\)"),
        ("Nan", "holds NaN"),
        ("NoSuchClass", "has no 'NoSuchClass'"),
    ],
)
def test_a_bad_runtime_is_not_used_and_the_reason_is_kept(attempt, name, words):
    found = attempt(name)
    assert not found.passed
    assert re.search(words, found.reason), found.reason


def test_a_runtime_that_hangs_is_given_up(attempt, monkeypatch):
    monkeypatch.setattr(trial, "_TIMEOUT_SECONDS", 2)
    assert "did not finish within 2 s" in attempt("Hangs").reason


def test_wrong_numbers_are_named(attempt):
    found = attempt("Good", add=0.01)
    assert not found.passed and found.max_error == pytest.approx(0.01)
    assert "'scores'" in found.reason and "0.26" in found.reason and "0.25" in found.reason


def test_tolerance_by_hand():
    limits = trial.Tolerance(rtol=0.01, atol=0.1)

    def judge(given, right):
        return trial.compare([{"x": np.array(given)}], [{"x": np.array(right)}], limits)

    # the largest value is 10: 0.1 + 0.01 * 10 = 0.2 is allowed there, 0.1 at zero
    assert judge([10.19, 0.09], [10.0, 0.0])[1] == ""
    assert judge([10.21, 0.0], [10.0, 0.0])[1] != ""
    # the largest value is 0.5: only 0.05 at zero
    assert judge([0.5, 0.04], [0.5, 0.0])[1] == ""
    assert judge([0.5, 0.06], [0.5, 0.0])[1] != ""
    assert judge(np.zeros((0, 6)), np.zeros((0, 6))) == (0.0, "")


# -- choosing --------------------------------------------------------------------------------------------------------
def card(**report):
    return ModelCard(name="m", task="cls", transforms=(), runtimes=report)


def test_auto_takes_the_report_of_this_machine_only():
    here = {"chosen": "paddle_onednn", "device": "cpu", "host": fingerprint()}
    pytest.importorskip("paddle")
    assert choose.choose(card(**here), "cpu").name == "paddle_onednn"
    assert choose.choose(card(), "cpu").name == "paddle"
    assert choose.choose(card(**{**here, "host": {**fingerprint(), "cpu": "another"}}), "cpu").name == "paddle"
    assert choose.choose(card(**here), "gpu:0").name == "paddle"
    assert choose.choose(card(**here), "cpu", "paddle").name == "paddle"


@pytest.mark.paddle
@pytest.mark.parametrize(("published", "ours"), [("mkldnn", "paddle_onednn"), ("mkldnn_bf16", "paddle_onednn_bf16")])
def test_run_modes_of_paddlex(published, ours):
    assert choose.find_runtime(published).name == ours


def test_runtimes_that_are_not_there():
    with pytest.raises(PdxError, match="TensorRT is not available"):
        choose.find_runtime("trt_fp16")
    with pytest.raises(UnknownNameError, match="Did you mean 'paddle'"):
        choose.find_runtime("paddel")


def test_what_a_runtime_needs_is_named_with_its_command(monkeypatch):
    spec = RuntimeSpec(name="fast", target="a:b", requires=("not_there_at_all",), install="pip install fast")
    monkeypatch.setattr(get_registry(), "find", lambda *arguments: spec)
    with pytest.raises(MissingDependencyError, match="needs not_there_at_all; install it with: pip install fast"):
        choose.find_runtime("fast")


def test_lower_precision_is_never_chosen_by_itself():
    names = [spec.name for spec in choose.candidates("cpu")]
    assert "paddle" in names and "paddle_onednn_bf16" not in names and "dygraph" not in names


def test_the_fastest_that_passed_is_chosen(monkeypatch, tmp_path):
    plain = trial.Trial(runtime="paddle", passed=True, median_ms=9.0, max_error=0.0)
    outcomes = {
        "paddle": plain,
        "paddle_onednn": attrs.evolve(plain, runtime="paddle_onednn", median_ms=2.0),
    }
    monkeypatch.setattr(choose, "try_runtime", lambda spec, *rest, **options: outcomes[spec.name])
    monkeypatch.setattr(choose.importlib.util, "find_spec", lambda name: True)
    monkeypatch.setattr(
        choose, "candidates", lambda device: [RuntimeSpec(name=name, target="a:b") for name in outcomes]
    )
    assert choose.try_all(tmp_path, [], [])["chosen"] == "paddle_onednn"
    outcomes["paddle_onednn"] = trial.Trial(runtime="paddle_onednn", passed=False, reason="crashed", median_ms=1.0)
    report = choose.try_all(tmp_path, [], [])
    assert report["chosen"] == "paddle"
    assert [item["reason"] for item in report["trials"]] == ["", "crashed"]


@pytest.mark.paddle
def test_a_model_from_elsewhere_is_tried_once_and_again_when_it_changes(monkeypatch, tmp_path):
    monkeypatch.setenv("PDX_HOME", str(tmp_path / "cache"))
    for name in ("inference.json", "inference.pdiparams"):
        (tmp_path / name).write_text("x")
    calls = []

    def tried(*arguments):
        calls.append(arguments)
        return {"chosen": "paddle_onednn"}

    monkeypatch.setattr(choose, "_try_against_plain", tried)
    for _ in range(2):
        assert choose.try_here(tmp_path, card(), "cpu").name == "paddle_onednn"
    assert len(calls) == 1
    (tmp_path / "inference.pdiparams").write_text("another model")
    choose.try_here(tmp_path, card(), "cpu")
    assert len(calls) == 2
    here = {"chosen": "paddle", "device": "cpu", "host": fingerprint()}
    assert choose.try_here(tmp_path, card(**here), "cpu").name == "paddle" and len(calls) == 2
