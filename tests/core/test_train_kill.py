"""Runs killed with SIGKILL at random moments, and continued, end as if nothing had happened."""

import csv
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("paddle")

from pdx_core.errors import WeightsError
from pdx_core.train import checkpoint

_SCRIPT = Path(__file__).parent / "train_toy.py"
_OVERRIDES = ("Train.epochs_iters=12", "Train.keep_checkpoints=2", "Data.workers=1")


def start(data, output, *overrides, pause):
    return subprocess.Popen(
        [sys.executable, str(_SCRIPT), str(data), str(output), *_OVERRIDES, *overrides],
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1", "TOY_SECONDS_PER_SAMPLE": str(pause)},
    )


def finish(process):
    _, talk = process.communicate(timeout=300)
    assert process.returncode == 0, talk


def table(run):
    with (run / "log.csv").open(encoding="utf-8") as stream:
        return [{k: v for k, v in row.items() if k != "images_per_second"} for row in csv.DictReader(stream)]


def assert_nothing_half_written(run):
    """Every file under a visible name is complete: it can be read, and its checksum is right."""
    for folder in [*checkpoint.kept(run), run / checkpoint.BEST]:
        if folder.exists():
            try:
                checkpoint.read(folder)
            except WeightsError as error:
                pytest.fail(f"{folder}: {error}")


def kill_and_resume(tmp_path, kills, seed):
    data = tmp_path / "data"
    data.mkdir()
    (data / "toy.txt").write_text("40 15")
    finish(start(data, tmp_path / "whole", pause=0))
    cut, rng, done = tmp_path / "cut", random.Random(seed), 0
    started_from = []
    while done < kills:
        resume = ["Train.resume_path=last"] if (cut / "config.yaml").exists() else []
        process = start(data, cut, *resume, pause=0.02)
        # wait until it has started to train, so that no kill is wasted on the imports
        deadline = time.monotonic() + 120
        for line in process.stderr:
            if "training samples" in line or " training and " in line:
                break
            assert time.monotonic() < deadline, line
        time.sleep(rng.uniform(0, 2.0))
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
            done += 1
        process.communicate()
        assert_nothing_half_written(cut)
        kept = checkpoint.kept(cut)
        started_from.append(checkpoint.state_of(kept[0]).iteration if kept else 0)
        if process.returncode == 0:
            break
    finish(start(data, cut, "Train.resume_path=last", pause=0))
    assert table(tmp_path / "whole") == table(cut), started_from
    for place in ("best", "last"):
        one, other = (
            checkpoint.read(run / checkpoint.BEST if place == "best" else checkpoint.kept(run)[0])
            for run in (tmp_path / "whole", cut)
        )
        for part in ("weights", "optimizer", "ema"):
            for name, array in getattr(one, part).items():
                np.testing.assert_array_equal(array, getattr(other, part)[name], err_msg=f"{place} {part} {name}")
        assert one.state.best_score == other.state.best_score
    assert not [path for path in cut.rglob(".*") if path.suffix in (".part", ".old")]
    return done


def test_two_kills(tmp_path):
    assert kill_and_resume(tmp_path, kills=2, seed=1) >= 1


@pytest.mark.sweep
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_ten_kills(tmp_path, seed):
    assert kill_and_resume(tmp_path, kills=10, seed=seed) == 10


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_saves_and_says_how_to_go_on(tmp_path, number, code):
    data = tmp_path / "my data"
    data.mkdir()
    (data / "toy.txt").write_text("40 15")
    process = start(data, tmp_path / "a run", pause=0.02)
    for line in process.stderr:
        if " training and " in line:
            break
    time.sleep(0.5)
    process.send_signal(number)
    _, talk = process.communicate(timeout=60)
    assert process.returncode == code, talk
    assert f"pdx train --resume --output '{tmp_path / 'a run'}'" in talk
    assert checkpoint.kept(tmp_path / "a run")
