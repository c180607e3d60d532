"""Small parts of the training: state, log, advice, run folder."""

import logging

import numpy as np
import pytest

pytest.importorskip("paddle")

from pdx_core.errors import WeightsError, WorkFailedError
from pdx_core.train import checkpoint, guard, run_folder
from pdx_core.train.logs import RunLog, read_table
from pdx_core.train.state import LossMeter, TrainState, improves, seed_step


def snapshot(iteration=3, **values):
    state = TrainState(iteration=iteration, epoch=1, best_score=0.5, **values)
    weights = {"fc.weight": np.arange(6, dtype=np.float32).reshape(2, 3)}
    return checkpoint.Snapshot(
        weights=weights, optimizer={"fc.weight@velocity": np.ones((2, 3), np.float32)}, state=state
    )


@pytest.mark.parametrize(
    ("score", "best", "higher", "expected"),
    [
        (0.5, None, True, True),
        (float("nan"), None, True, True),
        (0.6, 0.5, True, True),
        (0.5, 0.5, True, False),
        (0.4, 0.5, False, True),
        (float("nan"), 0.5, True, False),
        (0.1, float("nan"), True, True),
    ],
)
def test_what_counts_as_better(score, best, higher, expected):
    assert improves(score, best, higher) is expected


def test_random_numbers_of_a_step_are_a_function_of_seed_process_and_step():
    import paddle

    def draw(*arguments):
        seed_step(*arguments)
        return (*np.random.rand(2), *paddle.rand([2]).tolist())

    assert draw(0, 0, 7) == draw(0, 0, 7)
    assert len({draw(0, 0, 7), draw(1, 0, 7), draw(0, 1, 7), draw(0, 0, 8)}) == 4


def test_meter_by_hand():
    meter = LossMeter()
    meter.add({"loss": 1.0})
    meter.add({"loss": 2.0})
    assert meter.means() == {"loss": 1.5}
    meter.reset()
    assert meter.means() == {}


def test_a_checkpoint_comes_back_as_it_was(tmp_path):
    saved = snapshot(meter={"sums": {"loss": 0.1 + 0.2}, "count": 2}, settings={"model": "x"})
    checkpoint.write(tmp_path / "one", saved)
    found, loaded = checkpoint.find(tmp_path / "one" / "model.pdparams")
    assert found == tmp_path / "one" and loaded.state == saved.state and loaded.ema is None
    np.testing.assert_array_equal(loaded.weights["fc.weight"], saved.weights["fc.weight"])


def test_a_checkpoint_without_optimiser_is_no_place_to_resume_from(tmp_path):
    checkpoint.write(tmp_path / "one", snapshot())
    (tmp_path / "one" / "model.pdopt").unlink()
    with pytest.raises(WeightsError, match=r"model\.pdopt is missing.*--pretrained"):
        checkpoint.find(tmp_path / "one")


def test_state_of_a_newer_pdx_is_refused(tmp_path):
    with pytest.raises(WeightsError, match="newer pdx"):
        TrainState.from_mapping({"format": 99}, "x.pdstates")
    with pytest.raises(WeightsError, match="not the state of a pdx training"):
        TrainState.from_mapping({"epoch": 3}, "x.pdstates")


def test_the_newest_checkpoints_are_kept(tmp_path):
    for iteration in (5, 20, 100):
        folder = tmp_path / "checkpoints" / checkpoint.name(TrainState(iteration=iteration, epoch=iteration), "epoch")
        checkpoint.write(folder, snapshot(iteration))
    checkpoint.prune(tmp_path, 2)
    assert [checkpoint.state_of(folder).iteration for folder in checkpoint.kept(tmp_path)] == [100, 20]


def test_what_a_killed_process_left_is_removed_and_nothing_else(tmp_path):
    for name in (".epoch_1.part", ".epoch_2.old"):
        (tmp_path / "checkpoints" / name).mkdir(parents=True)
    (tmp_path / ".best_model.old").mkdir()
    (tmp_path / ".best_model.old" / "best_model.pdparams").touch()
    (tmp_path / ".config.yaml.abc.part").touch()
    (tmp_path / ".download.part").touch()  # the user's
    run_folder.clean(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".download.part", "best_model", "checkpoints"]
    assert not list((tmp_path / "checkpoints").iterdir())
    assert (tmp_path / "best_model" / "best_model.pdparams").exists()


def test_the_table_of_a_resumed_run_is_cut_where_it_continues(tmp_path):
    with RunLog(tmp_path, total=10) as log:
        log.interval(2, 0, 0.1, {"loss": 1.0}, 10.0)
        log.interval(4, 0, 0.1, {"loss": 0.5}, 10.0)
        log.evaluation(4, 1, {"top1": 0.25})
        log.interval(6, 1, 0.1, {"loss": 0.25}, 10.0)
    with (tmp_path / "log.csv").open("a") as stream:
        stream.write("8,1,0.")  # killed while it wrote
    with RunLog(tmp_path, total=10, start=4) as log:
        assert [row["iteration"] for row in log.rows] == [2, 4, 4]
        log.interval(6, 1, 0.1, {"loss": 0.2}, 10.0)
    _, rows = read_table(tmp_path / "log.csv")
    assert [(row["iteration"], row.get("loss"), row.get("top1")) for row in rows] == [
        (2, 1.0, None), (4, 0.5, None), (4, None, 0.25), (6, 0.2, None),
    ]  # fmt: skip
    with RunLog(tmp_path, total=10, start=4, pending=True) as log:  # its evaluation will be done again
        assert [row["iteration"] for row in log.rows] == [2, 4]


def test_train_log_is_written_even_when_a_program_shows_warnings_only(tmp_path):
    logging.getLogger("pdx_core").setLevel(logging.WARNING)
    try:
        with RunLog(tmp_path, total=1) as log:
            log.say("hello")
    finally:
        logging.getLogger("pdx_core").setLevel(logging.NOTSET)
    assert "hello" in (tmp_path / "train.log").read_text(encoding="utf-8")


@pytest.mark.parametrize("error", [MemoryError("Out of memory error on GPU 0"), RuntimeError("std::bad_alloc")])
def test_out_of_memory_gets_advice(error):
    words = r"batches of 12 images of 224 x 320; use --batch-size 6 .*steps=2"
    with pytest.raises(WorkFailedError, match=words), guard.memory_advice("ResNet50", 12, (12, 224, 320)):
        raise error


def test_other_errors_pass():
    with pytest.raises(RuntimeError, match="shape mismatch"), guard.memory_advice("ResNet50", 12, (12, 224, 224)):
        raise RuntimeError("shape mismatch")


def test_pickled_state_is_read_without_running_code(tmp_path):
    import pickle

    folder = checkpoint.write(tmp_path / "one", snapshot())

    class Hostile:
        def __reduce__(self):
            return (open, (str(tmp_path / "touched"), "w"))

    (folder / "model.pdopt").write_bytes(pickle.dumps({"fc.weight@velocity": Hostile()}))
    with pytest.raises(WeightsError):
        checkpoint.read(folder)
    assert not (tmp_path / "touched").exists()
