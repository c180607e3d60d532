"""`pdx train` and `pdx eval` from a resolved configuration to the files they leave.

Light at import, so that a launcher does not load Paddle for itself.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pdx_core.errors import DataError, PdxError, WorkFailedError
from pdx_core.files import write_json, write_text
from pdx_core.train import launch, run_folder

if TYPE_CHECKING:
    from pdx_core.config import Resolved

logger = logging.getLogger(__name__)

_RESUME_HERE = "last"  # Train.resume_path: the newest checkpoint in Global.output


def train(resolved: Resolved, processes: int | None = None) -> dict:
    """Train as the configuration says, evaluate, keep the best model and export it.

    processes: None for one, or one per card that Global.device lists
    returns:   the content of train_result.json, and "metric" and "best_score"

    An earlier run in Global.output is moved to `previous_<n>` there unless Train.resume_path continues it ("last", a
    checkpoint, or a run folder). Raises PdxError for bad input, Interrupted (exit code 130 or 143) after a signal with
    everything saved, WorkFailedError when the numbers, the disk or the export fail; what was saved before stays.
    """
    devices = launch.devices_of(resolved.config.global_.device, processes)
    run = Path(resolved.config.global_.output)
    if launch.world_size() > 1:
        return train_one(resolved, devices[launch.rank() % len(devices)])
    with run_folder.locked(run):
        if len(devices) == 1:
            return train_one(resolved, devices[0])
        return launch.launch("pdx_core.train.run:train_one", resolved, devices)


def train_one(resolved: Resolved, device: str) -> dict:
    """The part of one process in a training; processes find each other by Paddle's environment variables."""
    from pdx_core.paddle_support import set_device

    device = set_device(device)
    from pdx_core.train import distributed, session

    distributed.join_group()
    return session.run_session(resolved, device)


def evaluate(resolved: Resolved) -> dict:
    """Evaluate weights on the val split and write evaluate_result.json below Global.output.

    Evaluate.weight_path: a weight file, or "official"; None takes the best model of the run in Global.output, else the
    published weights.
    returns: {"done_flag": true, "metrics": {...}, "weights": ..., "samples": ..., "pictures": [...]}
    """
    from pdx_core.paddle_support import set_device

    config = resolved.config
    # The first card only: a metric over several processes is what training does.
    set_device(config.global_.device.split(",")[0])
    from pdx_core.train import assemble
    from pdx_core.train.evaluate import evaluate as evaluate_network
    from pdx_core.train.network import build_network
    from pdx_core.weights import load_weights, official_weights

    (reader,) = assemble.open_splits(resolved, "val")
    count = assemble.count_classes(resolved, reader.classes)
    task = assemble.build_task(resolved, reader.classes)
    choice = assemble.choose_metric(resolved, task, reader.classes)
    output = Path(config.global_.output)
    path = config.evaluate.weight_path or run_folder.best_weights(output, config.evaluate.use_ema) or "official"
    if str(path).lower() == "official":
        if not resolved.spec.weights:
            raise PdxError(f"nothing to evaluate: {output} holds no best model; give --weights FILE")
        path = official_weights(resolved.spec)
    _check_classes(path, reader.classes, config.global_.dataset_dir)
    network = build_network(resolved.spec.name, count, config.model)
    logger.info("%s", load_weights(network, path))
    metric = choice.new()
    loader = assemble.eval_loader(resolved, reader, task)
    metrics = evaluate_network(network, loader, task, metric)
    result = {"done_flag": True, "metrics": metrics}
    write_json(output / run_folder.EVALUATION, result)
    pictures = [str(picture) for picture in metric.draw(output)] if hasattr(metric, "draw") else []
    if loader.skipped:
        logger.warning("%d broken images were left out", loader.skipped)
    return {**result, "weights": str(path), "samples": len(reader) - loader.skipped, "pictures": pictures}


def _check_classes(weights: str | Path, classes: Sequence[str], dataset: str | None) -> None:
    """Refuse data whose classes stand in another order than those the weights were trained on."""
    from pdx_core.train.restore import find_run, read_labels

    run = None if "://" in str(weights) else find_run(Path(weights))
    trained = read_labels(run / run_folder.LABELS) if run is not None else ()
    if trained and tuple(trained) != tuple(classes):
        raise DataError(
            f"the classes of {dataset} ({_shown(classes)}) are not those that {weights} was trained on "
            f"({_shown(trained)}); give the dataset the same class list"
        )


def _shown(classes: Sequence[str]) -> str:
    return f"{len(classes)}: {', '.join(classes[:5])}{' ...' if len(classes) > 5 else ''}"


def write_labels(run: Path, classes: Sequence[str]) -> None:
    """label_dict.txt: "<id> <name>" a line, as in the published class lists."""
    write_text(run / run_folder.LABELS, "".join(f"{index} {name}\n" for index, name in enumerate(classes)))


def resume_source(resolved: Resolved) -> Path | None:
    """What to continue from: None for a new run. "last" means the run in Global.output, which must exist."""
    wanted = resolved.config.train.resume_path
    if not wanted:
        return None
    run = Path(resolved.config.global_.output)
    if wanted != _RESUME_HERE:
        return Path(wanted)
    if not run_folder.holds_run(run):
        raise PdxError(f"nothing to resume: there is no run in {run}; leave --resume out to start one")
    return run


def parity_images(reader: Any, count: int) -> list[Any]:
    """Some pictures, uint8 [H, W, 3] RGB, spread over the dataset; unreadable ones are passed over."""
    step = max(1, len(reader) // count)
    images = []
    for index in range(0, len(reader), step):
        if len(images) == count:
            break
        try:
            images.append(reader[index].image)
        except DataError:
            continue
    return images


def export_failed(error: PdxError, run: Path) -> WorkFailedError:
    """The training is done and saved, only its export is not."""
    return WorkFailedError(
        f"the training is complete and its best model is in {run / 'best_model'}, but the export failed: {error}"
    )
