"""Learning rate as a pure function of the step, so that a resumed run continues exactly where it was."""

from __future__ import annotations

import bisect
import math

import attrs

from pdx_core.settings import TrainConfig


@attrs.frozen(kw_only=True)
class Schedule:
    """Linear warm-up followed by a constant, cosine, piecewise or polynomial course.

    A step is one optimiser update, counted from 0. Warm-up rises from `warmup_start_lr` at step 0 to the full rate at
    step `warmup_steps`, as Paddle's LinearWarmup does. Cosine and poly span what follows the warm-up and would reach
    `end_lr` at `total_steps`; piecewise milestones count from step 0 (PaddleDetection's reading).
    """

    name: str
    base_lr: float
    total_steps: int
    warmup_steps: int = 0
    warmup_start_lr: float = 0.0
    end_lr: float = 0.0
    milestones: tuple[float, ...] = attrs.field(default=(), converter=lambda steps: tuple(sorted(steps)))
    gamma: float = 0.1
    power: float = 0.9

    def lr_at(self, step: int) -> float:
        """The learning rate of update `step`."""
        if step < self.warmup_steps:
            return self.warmup_start_lr + (self.base_lr - self.warmup_start_lr) * step / self.warmup_steps
        if self.name == "piecewise":
            return self.base_lr * self.gamma ** bisect.bisect_right(self.milestones, step)
        done = (step - self.warmup_steps) / max(1, self.total_steps - self.warmup_steps)
        remaining = 1.0 - min(1.0, done)
        if self.name == "cosine":
            return self.end_lr + (self.base_lr - self.end_lr) * (1.0 - math.cos(math.pi * remaining)) / 2.0
        if self.name == "poly":
            return self.end_lr + (self.base_lr - self.end_lr) * remaining**self.power
        return self.base_lr


def build_schedule(train: TrainConfig, steps_per_epoch: int) -> tuple[Schedule, str]:
    """The schedule of a run, and a sentence for the log when the warm-up had to be shortened (else "").

    A warm-up as long as the run would never reach the learning rate that was asked for (five epochs of warm-up in a
    first try of two epochs), so it is cut to a quarter of the run.
    """
    unit = steps_per_epoch if train.unit == "epoch" else 1
    total_steps = train.epochs_iters * unit
    warmup_steps = train.warmup_steps * (steps_per_epoch if train.warmup_unit == "epoch" else 1)
    notice = ""
    if warmup_steps and warmup_steps >= total_steps:
        notice = (
            f"warm-up of {warmup_steps} iterations is not shorter than the run ({total_steps}); "
            f"shortened to {total_steps // 4}"
        )
        warmup_steps = total_steps // 4
    schedule = Schedule(
        name=train.schedule.name,
        base_lr=train.learning_rate,
        total_steps=total_steps,
        warmup_steps=warmup_steps,
        warmup_start_lr=train.schedule.warmup_start_lr,
        end_lr=train.schedule.end_lr,
        milestones=tuple(milestone * unit for milestone in train.schedule.milestones),
        gamma=train.schedule.gamma,
        power=train.schedule.power,
    )
    return schedule, notice
