"""Whole trainings of the toy models in this process."""

import csv
import errno
import json
import os
import signal

import numpy as np
import pytest

paddle = pytest.importorskip("paddle")

from pdx_core.config import resolve  # noqa: E402
from pdx_core.errors import (  # noqa: E402
    ConfigError,
    DataError,
    PdxError,
    UnreachableError,
    WeightsError,
    WorkFailedError,
)
from pdx_core.plugins import get_registry  # noqa: E402
from pdx_core.train import checkpoint, logs, session  # noqa: E402
from pdx_core.train.interrupts import Interrupted  # noqa: E402
from pdx_core.train.run import evaluate, train  # noqa: E402
from pdx_core.weight_files import read_weights, save_weights  # noqa: E402


@pytest.fixture
def toy(request, tmp_path, monkeypatch):
    """`toy(model, *overrides, output=..., data="40 15")` gives a resolved configuration of a toy model."""
    from pathlib import Path

    monkeypatch.syspath_prepend(str(Path(__file__).parent / "toy_plugin"))
    monkeypatch.setattr(session, "_export", lambda *arguments: None)
    if "leaves_the_published_files" not in request.node.name:
        monkeypatch.setattr(logs, "draw_curves", lambda *arguments: None)  # takes longer than these trainings
    get_registry.cache_clear()

    def make(model, *overrides, output="run", data="40 15"):
        folder = tmp_path / f"data {data}"
        folder.mkdir(exist_ok=True)
        (folder / "toy.txt").write_text(data)
        flags = {
            "Global.dataset_dir": str(folder),
            "Global.output": str(tmp_path / output),
            "Global.device": "cpu",
        }
        return resolve(model, flags=flags, overrides=overrides)

    yield make
    get_registry.cache_clear()


def best(folder):
    return read_weights(folder / "best_model" / "best_model.pdparams")


def newest(folder):
    return checkpoint.read(checkpoint.kept(folder)[0])


def table(folder):
    with (folder / "log.csv").open(encoding="utf-8") as stream:
        return [{k: v for k, v in row.items() if k != "images_per_second"} for row in csv.DictReader(stream)]


def same(one, other):
    assert one.keys() == other.keys()
    for name, array in one.items():
        np.testing.assert_array_equal(array, other[name], err_msg=name)


def test_a_run_learns_and_leaves_the_published_files(toy, tmp_path):
    result = train(toy("toy_full", "Train.keep_checkpoints=2"))
    run = tmp_path / "run"
    assert result["done_flag"] and result["best_score"] > 0.9
    written = json.loads((run / "train_result.json").read_text(encoding="utf-8"))
    assert list(written["models"]) == ["last_1", "last_2", "last_3", "last_4", "last_5", "best"]
    for key in ("pdparams", "pdopt", "pdstates", "pdema"):
        assert written["models"]["best"][key] == f"best_model/best_model.{key}"
        assert (run / written["models"]["last_1"][key]).is_file()
    assert written["models"]["last_3"]["pdparams"] == ""  # two are kept
    assert written["label_dict"] == "label_dict.txt"
    assert (run / "label_dict.txt").read_text(encoding="utf-8") == "0 red\n1 green\n2 blue\n"
    assert "Global:" in (run / "config.yaml").read_text(encoding="utf-8")
    assert (run / "curves.png").read_bytes().startswith(b"\x89PNG")
    assert "evaluation at epoch 4" in (run / "train.log").read_text(encoding="utf-8")
    rows = table(run)
    assert [row["iteration"] for row in rows if row["loss"]] == [str(n) for n in range(2, 21, 2)]
    assert [row["iteration"] for row in rows if row["val.accuracy"]] == ["5", "10", "15", "20"]
    assert float(rows[-2]["loss"]) < float(rows[0]["loss"])
    assert not list(run.rglob("*.part"))


def test_weights_are_plain_paddle_state_dicts(toy, tmp_path):
    train(toy("toy_full", "Train.epochs_iters=1"))
    for suffix in ("pdparams", "pdema", "pdopt"):
        loaded = paddle.load(str(tmp_path / "run" / "best_model" / f"best_model.{suffix}"))
        assert loaded and all(hasattr(value, "shape") for value in loaded.values()), suffix


def test_evaluate_writes_the_published_result(toy, tmp_path):
    resolved = toy("toy_full")
    trained = train(resolved)
    result = evaluate(resolved)
    assert result["metrics"]["val.accuracy"] == pytest.approx(trained["best_score"])
    assert result["metrics"]["val.samples"] == 15
    written = json.loads((tmp_path / "run" / "evaluate_result.json").read_text(encoding="utf-8"))
    assert written == {"done_flag": True, "metrics": result["metrics"]}


def test_accumulation_equals_a_large_batch(toy, tmp_path):
    common = ("Train.epochs_iters=3", "Train.optimizer.weight_decay=0.01", "Train.optimizer.clip_norm=0.5")
    train(toy("toy_plain", *common, "Train.batch_size=8", output="large"))
    train(toy("toy_plain", *common, "Train.batch_size=2", "Train.accumulate_steps=4", output="small"))
    one, other = newest(tmp_path / "large"), newest(tmp_path / "small")
    assert one.state.iteration == other.state.iteration == 15
    for name, array in one.weights.items():
        np.testing.assert_allclose(array, other.weights[name], rtol=1e-5, atol=1e-6)
    for mine, yours in zip(table(tmp_path / "large"), table(tmp_path / "small"), strict=True):
        assert mine["loss"] == "" or float(mine["loss"]) == pytest.approx(float(yours["loss"]), rel=1e-5)


def test_the_same_seed_gives_the_same_run_and_another_does_not(toy, tmp_path):
    train(toy("toy_full", output="a"))
    train(toy("toy_full", "Data.workers=2", output="b"))
    train(toy("toy_full", "Global.seed=1", output="c"))
    same(best(tmp_path / "a"), best(tmp_path / "b"))
    assert table(tmp_path / "a") == table(tmp_path / "b") != table(tmp_path / "c")


@pytest.mark.parametrize("evaluating", [False, True], ids=["in a step", "in an evaluation"])
def test_ctrl_c_saves_and_the_resumed_run_is_the_same(toy, tmp_path, monkeypatch, evaluating):
    train(toy("toy_full", output="whole"))
    resolved = toy("toy_full", output="cut")
    calls = []

    def interrupt(*arguments):
        calls.append(1)
        if len(calls) == (7 if evaluating else 8):
            os.kill(os.getpid(), signal.SIGINT)

    if evaluating:
        import pdx_toy_parts

        plain = pdx_toy_parts.ToyTask.results
        monkeypatch.setattr(
            pdx_toy_parts.ToyTask, "results", lambda self, *values: (interrupt(), plain(self, *values))[1]
        )
    else:
        from pdx_core.train import loop

        monkeypatch.setattr(loop, "seed_step", lambda *values, plain=loop.seed_step: (interrupt(), plain(*values)))
    with pytest.raises(Interrupted, match=r"Ctrl-C.*pdx train --resume --output") as caught:
        train(resolved)
    assert caught.value.exit_code == 130
    assert not json.loads((tmp_path / "cut" / "train_result.json").read_text(encoding="utf-8"))["done_flag"]
    state = newest(tmp_path / "cut").state
    assert state.pending == evaluating and (state.batch > 0) != evaluating
    monkeypatch.undo()
    monkeypatch.syspath_prepend(str(__import__("pathlib").Path(__file__).parent / "toy_plugin"))
    monkeypatch.setattr(session, "_export", lambda *arguments: None)
    train(toy("toy_full", "Train.resume_path=last", output="cut"))
    assert table(tmp_path / "whole") == table(tmp_path / "cut")
    same(best(tmp_path / "whole"), best(tmp_path / "cut"))
    one, other = newest(tmp_path / "whole"), newest(tmp_path / "cut")
    for part in ("weights", "optimizer", "ema"):
        same(getattr(one, part), getattr(other, part))


def test_a_finished_run_is_extended(toy, tmp_path):
    train(toy("toy_full", "Train.epochs_iters=2", "Train.schedule.name=constant"))
    train(toy("toy_full", "Train.epochs_iters=3", "Train.schedule.name=constant", "Train.resume_path=last"))
    train(toy("toy_full", "Train.epochs_iters=3", "Train.schedule.name=constant", output="whole"))
    same(newest(tmp_path / "run").weights, newest(tmp_path / "whole").weights)


def test_a_damaged_checkpoint_is_passed_over_and_said(toy, tmp_path, caplog):
    train(toy("toy_full"))
    whole = newest(tmp_path / "run").weights
    broken = checkpoint.kept(tmp_path / "run")[0] / "model.pdparams"
    content = bytearray(broken.read_bytes())
    content[len(content) // 2] ^= 4
    broken.write_bytes(bytes(content))
    train(toy("toy_full", "Train.resume_path=last"))
    assert any("skipped the checkpoint" in record.message for record in caplog.records)
    same(newest(tmp_path / "run").weights, whole)


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        (["Train.optimizer.name=adam"], "optimizer 'momentum' -> 'adam'"),
        (["Train.batch_size=4"], "images_per_iteration 8 -> 4"),
    ],
)
def test_another_run_is_not_resumed(toy, overrides, words):
    train(toy("toy_full", "Train.epochs_iters=1"))
    with pytest.raises(ConfigError, match=words):
        train(toy("toy_full", "Train.resume_path=last", *overrides))


def test_resume_without_a_run(toy, tmp_path):
    with pytest.raises(PdxError, match="nothing to resume: there is no run in"):
        train(toy("toy_full", "Train.resume_path=last"))
    with pytest.raises(PdxError, match="does not exist"):
        train(toy("toy_full", f"Train.resume_path={tmp_path}/nowhere"))


def test_resume_into_another_folder_keeps_the_first(toy, tmp_path):
    train(toy("toy_full", "Train.epochs_iters=2", output="a"))
    before = sorted(path.name for path in (tmp_path / "a").rglob("*"))
    train(toy("toy_full", "Train.epochs_iters=3", f"Train.resume_path={tmp_path / 'a'}", output="b"))
    assert sorted(path.name for path in (tmp_path / "a").rglob("*")) == before
    assert newest(tmp_path / "b").state.epoch == 3


def test_an_earlier_run_is_moved_aside(toy, tmp_path):
    train(toy("toy_full", "Train.epochs_iters=1"))
    (tmp_path / "run" / "mine.txt").write_text("keep me")
    first = best(tmp_path / "run")
    for _ in range(2):
        train(toy("toy_full", "Train.epochs_iters=1", "Global.seed=5"))
    same(best(tmp_path / "run" / "previous_1"), first)
    assert (tmp_path / "run" / "previous_2" / "train_result.json").exists()
    assert (tmp_path / "run" / "mine.txt").read_text() == "keep me"


def test_two_trainings_in_one_folder_are_refused(toy, tmp_path):
    from pdx_core.train.run_folder import locked

    with locked(tmp_path / "run"), pytest.raises(PdxError, match="another training is writing"):
        train(toy("toy_full"))


def test_a_bad_setting_leaves_the_earlier_run_in_place(toy, tmp_path):
    train(toy("toy_full", "Train.epochs_iters=1"))
    with pytest.raises(ConfigError, match="matches no parameter"):
        train(toy("toy_full", "Train.freeze=[nonsense]"))
    assert not (tmp_path / "run" / "previous_1").exists() and best(tmp_path / "run")


def test_nan_stops_at_once_and_names_the_batch(toy, tmp_path, monkeypatch):
    monkeypatch.setenv("TOY_NAN", "7")
    resolved = toy("toy_full", "Train.unit=iteration", "Train.epochs_iters=20", "Train.save_interval=1")
    with pytest.raises(WorkFailedError, match="not a finite number at iteration"):
        train(resolved)
    report, *others = (tmp_path / "run").glob("nan_batch_iter_*.json")
    values = json.loads(report.read_text(encoding="utf-8"))
    assert not others and values["gradient_norm"] == "nan"
    assert [sample["path"] for sample in values["samples"] if sample["id"] == "7"] == ["photo_7.jpg"]
    kept = checkpoint.kept(tmp_path / "run")
    if kept:
        assert all(np.isfinite(array).all() for array in newest(tmp_path / "run").weights.values())


def test_nan_batches_are_skipped_when_allowed(toy, tmp_path, monkeypatch):
    """Batch norm has seen them, so its running statistics have to be put back."""
    monkeypatch.setenv("TOY_NAN", "7")
    train(toy("toy_full", "Train.max_skipped_nan_steps=4"))
    snapshot = newest(tmp_path / "run")
    assert snapshot.state.skipped_nan_steps == 4 and snapshot.state.iteration == 20
    assert all(np.isfinite(array).all() for array in snapshot.weights.values())


def test_a_learning_rate_far_too_high_never_reaches_a_checkpoint(toy, tmp_path):
    with pytest.raises(WorkFailedError, match="finite"):
        train(toy("toy_plain", "Train.learning_rate=1e30", "Train.save_interval=1", "Train.unit=iteration"))
    for folder in checkpoint.kept(tmp_path / "run"):
        assert all(np.isfinite(array).all() for array in checkpoint.read(folder).weights.values())


def test_a_broken_image_saves_before_it_stops(toy, tmp_path):
    # all samples are read in the first epoch; some batches before that of sample 39 are done
    with pytest.raises(DataError, match=r"photo_39.*\n.*saved at iteration"):
        train(toy("toy_full", "Data.workers=0", data="40 15 broken 39"))
    assert checkpoint.kept(tmp_path / "run")


def test_a_full_disk_keeps_the_last_checkpoint(toy, tmp_path, monkeypatch):
    from pdx_core import weight_files

    resolved, writes = toy("toy_full"), []
    plain = weight_files.atomic_write

    def full(path, *arguments):
        writes.append(path)
        if len(writes) > 14:
            error = OSError(errno.ENOSPC, "No space left on device")
            raise WorkFailedError(f"cannot finish writing {path}: {error.strerror}") from error
        return plain(path, *arguments)

    monkeypatch.setattr(weight_files, "atomic_write", full)
    with pytest.raises(WorkFailedError, match=r"No space left.*last good checkpoint is .*Make room"):
        train(resolved)
    assert newest(tmp_path / "run").state.iteration > 0
    assert not list((tmp_path / "run").rglob(".*.part"))


def test_early_stop(toy, tmp_path):
    train(toy("toy_plain", "Train.epochs_iters=30", "Train.learning_rate=1e-9", "Train.early_stop_patience=2"))
    state = newest(tmp_path / "run").state
    assert state.epoch == 3 and state.best_iteration == 5
    assert "stopped early" in (tmp_path / "run" / "train.log").read_text(encoding="utf-8")


def test_pretrained_weights_with_another_number_of_classes(toy, tmp_path, caplog):
    train(toy("toy_full", "Train.epochs_iters=1", output="first"))
    weights = best(tmp_path / "first")
    weights["head.fc.weight"] = np.zeros((24, 7), np.float32)
    weights["head.fc.bias"] = np.zeros(7, np.float32)
    save_weights(weights, tmp_path / "seven.pdparams")
    resolved = toy("toy_full", f"Train.pretrain_weight_path={tmp_path / 'seven.pdparams'}", "Train.learning_rate=1e-12")
    train(resolved)
    log = (tmp_path / "run" / "train.log").read_text(encoding="utf-8")
    anew = "2 tensors such as head.fc.weight) starts anew"
    assert f"; the classifier ({anew}: 7 classes in the file, 3 here" in log
    np.testing.assert_allclose(
        best(tmp_path / "run")["backbone.conv.weight"], weights["backbone.conv.weight"], atol=1e-6
    )
    weights["head.fc.bias"] = np.zeros(8, np.float32)  # no number of classes explains both shapes
    save_weights(weights, tmp_path / "odd.pdparams")
    train(toy("toy_full", f"Train.pretrain_weight_path={tmp_path / 'odd.pdparams'}", "Train.epochs_iters=1"))
    log = (tmp_path / "run" / "train.log").read_text(encoding="utf-8")
    assert f"{anew} for 3 classes: it has another shape in the file" in log
    del weights["backbone.conv.weight"]
    save_weights(weights, tmp_path / "part.pdparams")
    with pytest.raises(WeightsError, match="pretrained none"):
        train(toy("toy_full", f"Train.pretrain_weight_path={tmp_path / 'part.pdparams'}"))


def test_wrong_number_of_classes(toy):
    with pytest.raises(ConfigError, match=r"Train\.num_classes is 5.*3 classes"):
        train(toy("toy_full", "Train.num_classes=5"))


def test_mixed_precision_is_left_off_on_a_cpu(toy, caplog):
    assert train(toy("toy_full", "Train.amp.level=O1"))["best_score"] > 0.6
    assert any("GPUs only" in record.message for record in caplog.records)


def test_an_unwritable_output_is_refused(toy, tmp_path):
    (tmp_path / "run").write_text("a file")
    with pytest.raises(PdxError, match="cannot write to"):
        train(toy("toy_full"))


def test_an_unreachable_default_is_said_aloud_and_an_asked_for_one_stops(toy, tmp_path, monkeypatch):
    def unreachable(spec, tag=None):
        raise UnreachableError("http://weights.invalid: no connection")

    monkeypatch.setattr("pdx_core.train.pretrained.official_weights", unreachable)
    asked_for = toy("toy_full", "Train.pretrain_weight_path=official", "Train.epochs_iters=1")
    with pytest.raises(UnreachableError):
        train(asked_for)
    asked_for.origins["Train.pretrain_weight_path"] = "model toy_full"  # as if its record had said so
    train(asked_for)
    assert "TRAINING FROM SCRATCH" in (tmp_path / "run" / "train.log").read_text(encoding="utf-8")
