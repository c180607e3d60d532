"""The loop that trains any network of any task: updates, logs, evaluations, checkpoints, stops."""

from __future__ import annotations

import errno
import logging
import math
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NoReturn

import attrs
import numpy as np

from pdx_core.data.batch import Batch
from pdx_core.errors import DataError, WorkFailedError
from pdx_core.settings import TrainConfig
from pdx_core.train import checkpoint, distributed, guard, run_folder
from pdx_core.train.ema import ModelEma
from pdx_core.train.evaluate import EvaluationStopped
from pdx_core.train.interrupts import Interrupted, StopRequest
from pdx_core.train.logs import RunLog
from pdx_core.train.optim import optimizer_state, set_training_mode, trained_parameters
from pdx_core.train.schedule import Schedule
from pdx_core.train.state import LossMeter, TrainState, improves, seed_step
from pdx_core.train.step import StepOutcome, Stepper, scaler_state

logger = logging.getLogger(__name__)

_DISK_TROUBLE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO)


@attrs.define(kw_only=True)
class Training:
    """One run from wherever `state` says it stands to its end.

    loader:           `len(loader)` batches per epoch, `loader.epoch(index, start)` iterates them
    evaluate:         the metrics of the network as it is (EMA weights are lent to it when there are some)
    metric_key:       which of them chooses the best model
    log:              None in every process but the first
    """

    folder: Path
    model_name: str
    config: TrainConfig
    seed: int
    network: Any
    optimizer: Any
    schedule: Schedule
    stepper: Stepper
    ema: ModelEma | None
    loader: Any
    evaluate: Callable[[Callable[[], bool]], dict[str, float]]
    metric_key: str
    higher_is_better: bool
    state: TrainState
    log: RunLog | None
    stop: StopRequest
    _meter: LossMeter = attrs.field(factory=LossMeter)
    _images: int = 0
    _clock: float = 0.0
    _elapsed: float = 0.0

    # -- the course of a run -----------------------------------------------------------------------------------------
    def run(self) -> TrainState:
        """Train to the end. Raises Interrupted after a signal and WorkFailedError when the numbers or the disk fail."""
        self._meter = LossMeter(dict(self.state.meter.get("sums", {})), self.state.meter.get("count", 0))
        self._clock = time.monotonic()
        set_training_mode(self.network)
        try:
            with warnings.catch_warnings():
                # Said by Paddle at every first batch norm in training mode; nothing a user could change.
                warnings.filterwarnings("ignore", message="When training, we now always track global mean")
                finished = self._boundary() if self.state.pending else self._stopped_early()
                while not finished and self.state.iteration < self.schedule.total_steps:
                    finished = self._epoch()
        except (WorkFailedError, OSError) as error:
            disk = error if isinstance(error, OSError) else error.__cause__
            if not isinstance(disk, OSError) or disk.errno not in _DISK_TROUBLE:
                raise
            raise WorkFailedError(
                f"training stopped after iteration {self.state.iteration}: {error}. {self._last_good()} "
                f"Make room, then continue with: {run_folder.resume_command(self.folder)}"
            ) from error
        return self.state

    def _epoch(self) -> bool:
        """The rest of the present epoch; returns whether the run is finished."""
        state, per_update = self.state, self.config.accumulate_steps
        length = len(self.loader)
        batches = self.loader.epoch(state.epoch, start=state.batch)
        try:
            while state.batch < length:
                count = min(per_update, length - state.batch)
                stopping = self._update(batches, count)
                state.batch += count
                state.iteration += 1
                epoch_ended = state.batch >= length
                if epoch_ended:
                    state.epoch, state.batch = state.epoch + 1, 0
                if state.iteration % self.config.log_interval == 0:
                    self._log_interval()
                state.pending = self._due(self.config.eval_interval, epoch_ended)
                save = self._due(self.config.save_interval, epoch_ended)
                if stopping:
                    self._stop_now()
                if (state.pending or save) and self._boundary(save):
                    return True
                if epoch_ended or state.iteration >= self.schedule.total_steps:
                    return state.iteration >= self.schedule.total_steps
        except DataError as error:
            # The weights are those after the last update, so nothing done so far is lost.
            self._settle_clock()
            saved = self._save()
            raise DataError(
                f"{error}\nThe run was saved at iteration {state.iteration} in {saved}; to go on once this is mended: "
                f"{run_folder.resume_command(self.folder)}"
            ) from error
        finally:
            close = getattr(batches, "close", None)
            if close is not None:
                close()
        return False

    def _due(self, interval: int, epoch_ended: bool) -> bool:
        if self.state.iteration >= self.schedule.total_steps:
            return True
        if self.config.unit == "epoch":
            return epoch_ended and self.state.epoch % interval == 0
        return self.state.iteration % interval == 0

    # -- one update --------------------------------------------------------------------------------------------------
    def _update(self, batches: Iterator[Batch], count: int) -> bool:
        """Returns whether a stop was asked for, in any process."""
        state = self.state
        lr = self.schedule.lr_at(state.iteration)
        seed_step(self.seed, distributed.rank(), state.iteration)
        outcome, used = self.stepper.update(batches, count, lr, bool(self.stop))
        if outcome.finite:
            self._meter.add(outcome.losses)
        else:
            self._not_finite(outcome, used, lr)
        self._images += sum(len(batch) for batch in used) * distributed.world_size()
        if self.log is not None:
            self.log.step()
        return outcome.stop or (distributed.world_size() == 1 and bool(self.stop))

    def _not_finite(self, outcome: StepOutcome, batches: Sequence[Batch], lr: float) -> None:
        state = self.state
        norm = guard.gradient_norm(list(trained_parameters(self.network).values()))
        self.stepper.drop_gradients()
        report = None
        if self.log is not None:
            report = guard.write_nan_report(
                self.folder, state.iteration, state.epoch, outcome.losses, lr, norm, batches
            )
        state.skipped_nan_steps += 1
        if state.skipped_nan_steps > self.config.max_skipped_nan_steps:
            raise WorkFailedError(guard.nan_message(state.iteration, outcome.losses, lr, report, self._last_good()))
        logger.warning(
            "iteration %d skipped: the loss is not a finite number (%d of %d allowed); samples in %s",
            state.iteration, state.skipped_nan_steps, self.config.max_skipped_nan_steps, report,
        )  # fmt: skip

    def _last_good(self) -> str:
        kept = checkpoint.kept(self.folder)
        if not kept:
            return "No checkpoint had been saved yet."
        return f"The last good checkpoint is {kept[0]}."

    # -- evaluation and saving ---------------------------------------------------------------------------------------
    def _boundary(self, save: bool = True) -> bool:
        """Evaluate if that is due, then save; returns whether the run is finished."""
        self._settle_clock()
        distributed.average_statistics(self.network)
        if self.state.pending:
            self._evaluate()
            self.state.pending = False
        if save:
            self._save()
        self._clock = time.monotonic()  # evaluating and saving do not count as training time
        return self._stopped_early()

    def _evaluate(self) -> None:
        state = self.state
        started = time.monotonic()
        try:
            if self.ema is None:
                metrics = self.evaluate(lambda: bool(self.stop))
            else:
                with self.ema.applied():
                    metrics = self.evaluate(lambda: bool(self.stop))
        except EvaluationStopped:
            self._stop_now()
        score = metrics[self.metric_key]
        state.last_score = score
        better = improves(score, state.best_score, self.higher_is_better)
        if better:
            state.best_score, state.best_iteration = score, state.iteration
        state.evaluations_without_gain = 0 if better else state.evaluations_without_gain + 1
        if self.log is not None:
            self.log.evaluation(state.iteration, state.epoch, metrics)
            shown = " ".join(f"{name} {value:.4f}" for name, value in metrics.items())
            self.log.say(
                f"evaluation at epoch {state.epoch + bool(state.batch)} iteration {state.iteration}: {shown} "
                f"(best {self.metric_key} {state.best_score:.4f} at iteration {state.best_iteration}, "
                f"{time.monotonic() - started:.1f} s)"
            )
        if better:
            # Saved as it will be after this boundary, or a run resumed from it would evaluate once more.
            state.pending = False
            self._write(self.folder / checkpoint.BEST, checkpoint.BEST)

    def _stopped_early(self) -> bool:
        patience = self.config.early_stop_patience
        if patience is None or self.state.evaluations_without_gain < patience:
            return False
        if self.log is not None:
            self.log.say(
                f"stopped early: {self.state.evaluations_without_gain} evaluations without a better {self.metric_key} "
                f"than {self.state.best_score:.4f}"
            )
        return True

    def _save(self) -> Path:
        folder = self.folder / checkpoint.CHECKPOINTS / checkpoint.name(self.state, self.config.unit)
        self._write(folder, "model")
        if distributed.is_main():
            checkpoint.prune(self.folder, self.config.keep_checkpoints)
        return folder

    def _write(self, folder: Path, stem: str) -> None:
        """Write a checkpoint; process 0 does it."""
        if not distributed.is_main():
            return
        state = self.state
        state.meter = {"sums": dict(self._meter.sums), "count": self._meter.count}
        state.scaler = scaler_state(self.stepper.scaler)
        state.ema_updates = self.ema.updates if self.ema is not None else 0
        weights = {name: tensor.numpy() for name, tensor in self.network.state_dict().items()}
        broken = [name for name, array in weights.items() if not _finite(array)]
        if broken:
            raise WorkFailedError(
                f"training stopped: after iteration {state.iteration} the weights are not finite numbers any more "
                f"({len(broken)} tensors, first {broken[0]}), so they were not saved. {self._last_good()} "
                "Try a lower --lr, a longer warm-up or -o Train.optimizer.clip_norm=10"
            )
        snapshot = checkpoint.Snapshot(
            weights=weights,
            optimizer=optimizer_state(self.network, self.optimizer),
            state=state,
            ema=self.ema.state() if self.ema is not None else None,
        )
        checkpoint.write(folder, snapshot, stem)

    def _stop_now(self) -> NoReturn:
        """Save and leave because of a signal. Every process comes here in the same step."""
        self._settle_clock()
        distributed.average_statistics(self.network)
        saved = self._save()
        distributed.wait_for_all()
        name = {2: "Ctrl-C", 15: "SIGTERM"}.get(self.stop.signal_number, "another process")
        raise Interrupted(
            f"stopped by {name} after {checkpoint.describe(self.state)}; saved in {saved}. "
            f"To continue: {run_folder.resume_command(self.folder)}",
            self.stop.signal_number or 2,
        )

    # -- the log -----------------------------------------------------------------------------------------------------
    def _log_interval(self) -> None:
        elapsed = self._settle_clock()
        losses = self._meter.means()
        if self.log is not None and losses:
            iteration = self.state.iteration
            epoch = (iteration - 1) // self._updates_per_epoch()
            speed = self._images / max(elapsed, 1e-9)
            self.log.interval(iteration, epoch, self.schedule.lr_at(iteration - 1), losses, speed)
        self._meter.reset()
        self._images, self._elapsed = 0, 0.0

    def _updates_per_epoch(self) -> int:
        return math.ceil(len(self.loader) / self.config.accumulate_steps)

    def _settle_clock(self) -> float:
        """Add the time since the clock was looked at; returns the seconds since the last line of the log."""
        now = time.monotonic()
        self.state.seconds += now - self._clock
        self._elapsed += now - self._clock
        self._clock = now
        return self._elapsed


def _finite(array: np.ndarray) -> bool:
    return array.dtype.kind != "f" or bool(np.isfinite(array).all())
