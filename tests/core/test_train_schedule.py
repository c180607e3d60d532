"""Learning rates against numbers worked out by hand."""

import math

import pytest

from pdx_core.settings import ScheduleConfig, TrainConfig
from pdx_core.train.schedule import Schedule, build_schedule


def test_warm_up_rises_linearly_from_its_start_to_the_full_rate():
    schedule = Schedule(name="constant", base_lr=0.4, total_steps=100, warmup_steps=4, warmup_start_lr=0.2)
    assert [schedule.lr_at(step) for step in range(6)] == pytest.approx([0.2, 0.25, 0.3, 0.35, 0.4, 0.4])


def test_cosine_reaches_half_in_the_middle_and_its_end_at_the_end():
    schedule = Schedule(name="cosine", base_lr=1.0, total_steps=110, warmup_steps=10, end_lr=0.2)
    assert schedule.lr_at(10) == pytest.approx(1.0)
    assert schedule.lr_at(60) == pytest.approx(0.6)  # (1 + 0.2) / 2
    assert schedule.lr_at(35) == pytest.approx(0.2 + 0.8 * (1 + math.sqrt(0.5)) / 2)
    assert schedule.lr_at(110) == pytest.approx(0.2)
    assert schedule.lr_at(500) == pytest.approx(0.2)  # a run that was made longer later


def test_piecewise_falls_at_its_milestones():
    schedule = Schedule(name="piecewise", base_lr=1.0, total_steps=90, milestones=(60, 30), gamma=0.1)
    assert [schedule.lr_at(step) for step in (0, 29, 30, 59, 60, 89)] == pytest.approx([1, 1, 0.1, 0.1, 0.01, 0.01])


def test_poly():
    schedule = Schedule(name="poly", base_lr=1.0, total_steps=100, power=0.5, end_lr=0.0)
    assert schedule.lr_at(75) == pytest.approx(0.5)  # sqrt(1/4)
    assert schedule.lr_at(100) == 0.0


def test_epochs_become_steps():
    train = TrainConfig(
        epochs_iters=3,
        learning_rate=1.0,
        warmup_steps=1,
        schedule=ScheduleConfig(name="piecewise", milestones=(2,), gamma=0.5),
    )
    schedule, notice = build_schedule(train, steps_per_epoch=10)
    assert (schedule.total_steps, schedule.warmup_steps, schedule.milestones, notice) == (30, 10, (20,), "")


def test_iterations_and_steps_stay_as_they_are():
    train = TrainConfig(unit="iteration", epochs_iters=300, warmup_steps=25, warmup_unit="iteration")
    schedule, _ = build_schedule(train, steps_per_epoch=10)
    assert (schedule.total_steps, schedule.warmup_steps) == (300, 25)


def test_a_warm_up_longer_than_the_run_is_shortened_and_said():
    schedule, notice = build_schedule(TrainConfig(epochs_iters=2, warmup_steps=5), steps_per_epoch=10)
    assert schedule.warmup_steps == 5 and "shortened to 5" in notice
