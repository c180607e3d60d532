"""Two real gloo processes against one."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("paddle")

from pdx_core.config import resolve
from pdx_core.errors import ConfigError, DataError, WorkFailedError
from pdx_core.plugins import get_registry
from pdx_core.train import checkpoint, launch

_PLUGIN = str(Path(__file__).parent / "toy_plugin")


@pytest.fixture
def toy(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(_PLUGIN)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([_PLUGIN, os.environ.get("PYTHONPATH", "")]))
    get_registry.cache_clear()

    def make(model, *overrides, output="run", data="40 15"):
        folder = tmp_path / "data"
        folder.mkdir(exist_ok=True)
        (folder / "toy.txt").write_text(data)
        flags = {"Global.dataset_dir": str(folder), "Global.output": str(tmp_path / output), "Global.device": "cpu"}
        return resolve(model, flags=flags, overrides=overrides)

    yield make
    get_registry.cache_clear()


def train(resolved, processes):
    """In processes of their own, whatever their number, and without the export."""
    return launch.launch("train_job:train_without_export", resolved, ["cpu"] * processes)


@pytest.fixture(autouse=True)
def job(tmp_path, monkeypatch):
    """A module for the workers that leaves the export out and writes down every process's statistics."""
    (tmp_path / "train_job.py").write_text(
        """
import numpy as np
from pdx_core.train import distributed, session
from pdx_core.train.run import train_one

def train_without_export(resolved, device):
    session._export = lambda *arguments: None
    build = session.build_network
    def remember(*arguments):
        remember.network = build(*arguments)
        return remember.network
    session.build_network = remember
    result = train_one(resolved, device)
    np.savez(f"{resolved.config.global_.output}_{distributed.rank()}.npz",
             **{name: tensor.numpy() for name, tensor in remember.network.state_dict().items()})
    return result
"""
    )
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")]))


def weights(run):
    return checkpoint.read(checkpoint.kept(run)[0]).weights


def test_two_processes_train_like_one(toy, tmp_path):
    common = ("Train.epochs_iters=2", "Train.optimizer.weight_decay=0.01", "Train.accumulate_steps=2")
    one = train(toy("toy_plain", "Train.batch_size=8", *common, output="one"), 1)
    two = train(toy("toy_plain", "Train.batch_size=4", *common, output="two"), 2)
    for name, array in weights(tmp_path / "one").items():
        np.testing.assert_allclose(array, weights(tmp_path / "two")[name], rtol=1e-5, atol=1e-6)
    assert one["best_score"] == pytest.approx(two["best_score"])
    log = (tmp_path / "two" / "train.log").read_text(encoding="utf-8")
    assert "val.samples 15.0000" in log and "2 processes" in log  # 8 + 7 samples, each counted once


def test_batch_norm_statistics_are_those_of_both_and_saved_so(toy, tmp_path):
    train(toy("toy_full", "Train.batch_size=4", "Train.epochs_iters=1"), 2)
    first, second = (dict(np.load(tmp_path / f"run_{rank}.npz")) for rank in range(2))
    saved = weights(tmp_path / "run")
    for name in ("backbone.norm._mean", "backbone.norm._variance"):
        np.testing.assert_array_equal(first[name], second[name])
        np.testing.assert_array_equal(first[name], saved[name])
    np.testing.assert_array_equal(first["head.fc.weight"], second["head.fc.weight"])


def test_a_process_that_dies_ends_the_group_with_a_word(toy, tmp_path, monkeypatch):
    """Killed from outside, as by the kernel when memory runs out."""
    monkeypatch.setenv("TOY_SECONDS_PER_SAMPLE", "0.05")
    victims = []
    plain = launch._start
    monkeypatch.setattr(launch, "_start", lambda *values: (victims.append(plain(*values)), victims[-1])[1])

    def kill():
        deadline = time.monotonic() + 90
        log = tmp_path / "run" / "train.log"
        while time.monotonic() < deadline and not (log.exists() and "iteration 2/" in log.read_text()):
            time.sleep(0.1)
        victims[1].send_signal(signal.SIGKILL)

    threading.Thread(target=kill).start()
    started = time.monotonic()
    with pytest.raises(WorkFailedError, match=r"process 2 of 2 was killed by signal 9 \(SIGKILL\)"):
        train(toy("toy_plain", "Train.epochs_iters=50"), 2)
    assert time.monotonic() - started < 100
    assert all(victim.poll() is not None for victim in victims)


def test_an_error_of_one_process_arrives_as_itself(toy):
    with pytest.raises(DataError.__mro__[1], match=r"photo_3\.jpg") as caught:
        train(toy("toy_plain", data="40 15 broken 3"), 2)
    assert caught.value.exit_code == 2


def test_a_signal_to_the_command_saves_once(toy, tmp_path, monkeypatch):
    monkeypatch.setenv("TOY_SECONDS_PER_SAMPLE", "0.05")
    toy("toy_plain")
    command = [sys.executable, "-c", "from pdx_core.cli import main; main()", "train", "toy_plain"]
    command += ["--data", str(tmp_path / "data"), "--output", str(tmp_path / "run"), "--device", "cpu", "--nproc", "2"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    for line in process.stderr:
        if " training and " in line:
            break
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    _, talk = process.communicate(timeout=90)
    assert process.returncode == 130, talk
    assert "pdx train --resume --output" in talk
    assert f"saved in {checkpoint.kept(tmp_path / 'run')[0]}" in talk
    assert json.loads((tmp_path / "run" / "train_result.json").read_text())["done_flag"] is False


@pytest.mark.parametrize(
    ("device", "processes", "expected"),
    [
        ("cpu", None, ["cpu"]),
        ("cpu", 2, ["cpu", "cpu"]),
        ("auto", None, ["auto"]),
        ("gpu:0,2", None, ["gpu:0", "gpu:2"]),
        ("gpu", 2, ["gpu:0", "gpu:1"]),
        ("gpu:1", 1, ["gpu:1"]),
    ],
)
def test_devices(device, processes, expected):
    assert launch.devices_of(device, processes) == expected


@pytest.mark.parametrize(("device", "processes"), [("gpu:0,1", 3), ("auto", 2)])
def test_devices_that_contradict_each_other(device, processes):
    with pytest.raises(ConfigError, match="nproc"):
        launch.devices_of(device, processes)
