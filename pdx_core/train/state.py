"""Where a training stands: everything but weights, optimiser and averages that a resumed run needs."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping
from typing import Any

import attrs
import numpy as np

from pdx_core.errors import WeightsError

FORMAT = 1  # of `.pdstates`; raised when an older pdx could not continue from the file


@attrs.define(kw_only=True)
class TrainState:
    """Position and memory of a run.

    iteration: finished optimiser updates, over all epochs
    epoch:     finished epochs
    batch:     finished batches of the epoch after those
    pending:   the evaluation due at this iteration has not been done yet
    meter:     sums of the losses since the last line of the log, see `LossMeter`
    scaler:    state of the AMP loss scaler
    settings:  what may not differ when the run is resumed
    """

    iteration: int = 0
    epoch: int = 0
    batch: int = 0
    pending: bool = False
    best_score: float | None = None
    best_iteration: int = 0
    last_score: float | None = None
    evaluations_without_gain: int = 0
    skipped_nan_steps: int = 0
    ema_updates: int = 0
    seconds: float = 0.0  # spent training, over all sessions
    meter: dict[str, Any] = attrs.field(factory=dict)
    scaler: dict[str, Any] = attrs.field(factory=dict)
    settings: dict[str, Any] = attrs.field(factory=dict)

    def to_mapping(self) -> dict[str, Any]:
        """Plain numbers, texts and dictionaries, for `.pdstates`."""
        return {"format": FORMAT, **attrs.asdict(self)}

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any], origin: str) -> TrainState:
        """The state saved in the file `origin`; raises WeightsError when it is not one of ours or newer."""
        if not isinstance(values, Mapping) or not isinstance(values.get("format"), int):
            raise WeightsError(f"{origin}: not the state of a pdx training; resume from a folder that pdx wrote")
        if values["format"] > FORMAT:
            raise WeightsError(f"{origin}: written by a newer pdx (state format {values['format']}); upgrade pdx-core")
        known = {field.name for field in attrs.fields(cls)}
        return cls(**{name: value for name, value in values.items() if name in known})


@attrs.define
class LossMeter:
    """Mean losses and speed since the last line of the log; saved with the run so that a resumed curve is the same."""

    sums: dict[str, float] = attrs.field(factory=dict)
    count: int = 0

    def add(self, losses: Mapping[str, float]) -> None:
        for name, value in losses.items():
            self.sums[name] = self.sums.get(name, 0.0) + value
        self.count += 1

    def means(self) -> dict[str, float]:
        return {name: total / self.count for name, total in self.sums.items()} if self.count else {}

    def reset(self) -> None:
        self.sums, self.count = {}, 0


def seed_step(seed: int, rank: int, iteration: int) -> None:
    """Set every random generator for one step, as a function of the seed and the step only.

    So there is no random state to save: dropout draws the same numbers in step 1000 whether the run was
    interrupted or not, on any device. The loader seeds each sample by itself in the same way. About 0.07 ms.
    """
    import paddle

    mixed = int(np.random.SeedSequence([seed, rank, iteration]).generate_state(1, np.uint64)[0]) >> 1
    random.seed(mixed)
    np.random.seed(mixed & 0xFFFFFFFF)
    paddle.seed(mixed)


def improves(score: float, best: float | None, higher_is_better: bool) -> bool:
    """Whether a score beats the best so far; NaN never does, unless there is none yet."""
    if best is None:
        return True
    if math.isnan(score):
        return False
    if math.isnan(best):
        return True
    return score > best if higher_is_better else score < best
