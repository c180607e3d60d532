"""One training in one process: put the parts together, continue where it stood, train, export."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pdx_core.config import dump
from pdx_core.errors import ConfigError, PdxError
from pdx_core.files import write_text
from pdx_core.paddle_support import require_paddle
from pdx_core.train import assemble, checkpoint, distributed, guard, run, run_folder
from pdx_core.train.ema import ModelEma
from pdx_core.train.evaluate import evaluate
from pdx_core.train.interrupts import StopRequest, listening
from pdx_core.train.logs import RunLog
from pdx_core.train.loop import Training
from pdx_core.train.network import build_network
from pdx_core.train.optim import build_optimizer, freeze_parameters, load_optimizer_state
from pdx_core.train.pretrained import load_pretrained
from pdx_core.train.result import write_train_result
from pdx_core.train.schedule import build_schedule
from pdx_core.train.state import TrainState, seed_step
from pdx_core.train.step import Stepper, load_scaler_state
from pdx_core.transforms.normalize import require_same_pixels
from pdx_core.weights import load_weights

require_paddle()

if TYPE_CHECKING:
    from pdx_core.config import Resolved

logger = logging.getLogger(__name__)


def run_session(resolved: Resolved, device: str) -> dict:
    """Train in this process, which may be one of several; returns the content of train_result.json."""
    config = resolved.config
    folder = Path(config.global_.output)
    # Everything a user may have got wrong is found before an earlier run in the folder is touched.
    reader, val_reader = assemble.open_splits(resolved, "train", "val")
    classes = tuple(reader.classes)
    count = assemble.count_classes(resolved, classes)
    task = assemble.build_task(resolved, classes)
    choice = assemble.choose_metric(resolved, task, classes)
    loader = assemble.train_loader(resolved, reader, task, count)
    val_loader = assemble.eval_loader(resolved, val_reader, task)
    require_same_pixels(loader.pipeline.normalize, val_loader.pipeline.normalize)
    settings = _settings(resolved, count, len(reader))
    if distributed.is_main():
        run_folder.clean(folder)
    distributed.wait_for_all()
    snapshot, in_place = _snapshot(resolved, settings)

    seed_step(config.global_.seed, 0, 2**31)  # the same start in every process, apart from the numbers of the steps
    network = build_network(resolved.spec.name, count, config.model)
    if snapshot is None:
        start = load_pretrained(network, resolved, count)
    else:
        load_weights(network, snapshot.weights)
        start = f"continuing after {checkpoint.describe(snapshot.state)}"
    frozen = freeze_parameters(network, config.train.freeze)
    if config.train.sync_batch_norm:
        network = distributed.convert_sync_batch_norm(network, device)
    state = snapshot.state if snapshot is not None else TrainState()
    state.settings = settings
    updates = -(-len(loader) // config.train.accumulate_steps)
    schedule, notice = build_schedule(config.train, updates)
    optimizer = build_optimizer(network, config.train.optimizer, schedule.lr_at(state.iteration))
    ema = ModelEma(network, config.train.ema.decay) if config.train.ema.enable else None
    stepper = Stepper(
        network, optimizer, config.train.amp, ema, device, may_skip_nan=config.train.max_skipped_nan_steps > 0
    )
    if snapshot is not None:
        load_optimizer_state(network, optimizer, snapshot.optimizer)
        load_scaler_state(stepper.scaler, state.scaler)
        if ema is not None and snapshot.ema is not None:
            ema.load(snapshot.ema, state.ema_updates)

    log = None
    if distributed.is_main():
        if not in_place:
            run_folder.move_aside(folder)
        write_text(folder / run_folder.CONFIG, dump(resolved))
        run.write_labels(folder, classes)
        log = RunLog(folder, schedule.total_steps, state.iteration, state.pending)

    def evaluate_now(should_stop: Any) -> dict[str, float]:
        return evaluate(network, val_loader, task, choice.new(), should_stop=should_stop)

    def training(stop: StopRequest) -> Training:
        return Training(
            folder=folder,
            model_name=resolved.spec.name,
            config=config.train,
            seed=config.global_.seed,
            network=network,
            optimizer=optimizer,
            schedule=schedule,
            stepper=stepper,
            ema=ema,
            loader=loader,
            evaluate=evaluate_now,
            metric_key=choice.key,
            higher_is_better=choice.higher_is_better,
            state=state,
            log=log,
            stop=stop,
        )

    shape = (config.train.batch_size, *_image_size(resolved))
    try:
        with listening() as stop, guard.memory_advice(resolved.spec.name, config.train.batch_size, shape):
            if log is None:
                training(stop).run()
            else:
                with log:
                    log.say(
                        f"{resolved.spec.name}: {len(reader)} training and {len(val_reader)} validation samples, "
                        f"{count} {'class' if count == 1 else 'classes'}, "
                        f"{schedule.total_steps} iterations ({updates} per epoch), {device}"
                        + (f", {distributed.world_size()} processes" if distributed.world_size() > 1 else "")
                    )
                    for line in (start, notice, f"{len(frozen)} tensors frozen" if frozen else ""):
                        if line:
                            log.say(line)
                    training(stop).run()
                    log.say(
                        f"finished: best {choice.key} {state.best_score:.4f} at iteration {state.best_iteration}, "
                        f"{state.seconds:.0f} s of training; results in {folder}"
                    )
    except PdxError as error:
        if log is not None:
            _note_failure(folder, resolved.spec.name, error)
        raise
    finally:
        loader.close()
        val_loader.close()
    if not distributed.is_main():
        return {}
    assert log is not None
    problem = _export(resolved, network, classes, folder, val_reader)
    result = write_train_result(folder, resolved.spec.name, log.visualdl_folder)
    if problem is not None:
        raise run.export_failed(problem, folder) from problem
    return {**result, "metric": choice.key, "best_score": state.best_score, "output": str(folder)}


def _snapshot(resolved: Resolved, settings: dict[str, Any]) -> tuple[checkpoint.Snapshot | None, bool]:
    """The checkpoint to continue from, and whether it is that of the run in the output folder itself."""
    source = run.resume_source(resolved)
    if source is None:
        return None, False
    folder = Path(resolved.config.global_.output)
    if source == folder and not checkpoint.kept(folder) and not (folder / checkpoint.BEST).is_dir():
        logger.info("the run in %s was stopped before its first checkpoint; it starts from the beginning", folder)
        return None, True
    found, snapshot = checkpoint.find(source)
    _compare(snapshot.state.settings, settings, found)
    return snapshot, folder.resolve() in found.resolve().parents


def _settings(resolved: Resolved, num_classes: int, samples: int) -> dict[str, Any]:
    """What decides whether a resumed run can be the same run."""
    train = resolved.config.train
    return {
        "model": resolved.spec.name,
        "num_classes": num_classes,
        "optimizer": train.optimizer.name,
        "ema": train.ema.enable,
        "samples": samples,
        "images_per_iteration": train.batch_size * train.accumulate_steps * distributed.world_size(),
        "accumulate_steps": train.accumulate_steps,
        "processes": distributed.world_size(),
        "seed": resolved.config.global_.seed,
        "epochs_iters": train.epochs_iters,
        "learning_rate": train.learning_rate,
    }


_MUST_AGREE = ("model", "num_classes", "optimizer", "ema", "samples", "images_per_iteration", "accumulate_steps")


def _compare(saved: dict[str, Any], present: dict[str, Any], origin: Path) -> None:
    """Refuse to continue a different run; warn of what changes its course.

    Another number of processes is fine as long as an iteration sees as many images: the global batches stay the same,
    only dropout and batch statistics differ.
    """
    different = [name for name in present if name in saved and saved[name] != present[name]]
    forbidden = [name for name in different if name in _MUST_AGREE]
    if forbidden:
        listed = ", ".join(f"{name} {saved[name]!r} -> {present[name]!r}" for name in forbidden)
        raise ConfigError(
            f"cannot resume {origin}: {listed}. Resume with the settings of the run (its config.yaml), or start a "
            "new one from its weights with --pretrained"
        )
    for name in different:
        logger.warning("resuming with %s %r instead of %r", name, present[name], saved[name])


def _image_size(resolved: Resolved) -> tuple[int, int]:
    return resolved.spec.input_size


def _note_failure(folder: Path, model: str, error: PdxError) -> None:
    """Record the failure; a full disk must not hide it."""
    try:
        write_train_result(folder, model, failure=error)
    except PdxError as second:
        logger.warning("could not write %s: %s", run_folder.RESULT, second)


def _export(resolved: Resolved, network: Any, classes: tuple[str, ...], folder: Path, reader: Any) -> PdxError | None:
    """Export the best model beside it; returns the error instead of raising, because the training is done."""
    from pdx_core.train.export import export_network

    best = run_folder.best_weights(folder, resolved.config.evaluate.use_ema)
    assert best is not None, "a finished run has a best model"
    load_weights(network, best)
    network.eval()
    target = Path(resolved.config.export.output or folder / checkpoint.BEST / "inference")
    try:
        images: list[np.ndarray] = run.parity_images(reader, resolved.config.export.parity_images)
        export_network(network, resolved, classes, target, images=images)
    except PdxError as error:
        return error
    logger.info("exported to %s", target)
    return None
