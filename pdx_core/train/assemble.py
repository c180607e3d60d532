"""Builds what a training or an evaluation works with from a resolved configuration: data, task, metric."""

from __future__ import annotations

from typing import Any

import attrs

from pdx_core.errors import ConfigError, DataError
from pdx_core.plugins import get_registry
from pdx_core.train import distributed


@attrs.frozen
class MetricChoice:
    """A metric's record made usable: `new()` gives a fresh one, `key` is the published name of the deciding number."""

    target: Any
    arguments: dict[str, Any]
    classes: tuple[str, ...]
    key: str
    higher_is_better: bool

    def new(self) -> Any:
        return self.target(self.classes, **self.arguments)


def open_splits(resolved: Any, *splits: str) -> list[Any]:
    """The readers of splits; raises DataError when no dataset is given or a split is empty."""
    from pdx_core.data.reading import open_splits

    folder = resolved.config.global_.dataset_dir
    if not folder:
        raise DataError("no dataset: give --data FOLDER (or -o Global.dataset_dir=FOLDER)")
    readers = open_splits(resolved, splits)
    for split, reader in zip(splits, readers, strict=True):
        if not len(reader):
            raise DataError(f"{folder}: the {split} split has no samples")
    return readers


def count_classes(resolved: Any, classes: tuple[str, ...]) -> int:
    """Number of classes of the data, checked against Train.num_classes when that was given for this run."""
    wanted = resolved.config.train.num_classes
    if wanted is None or wanted == len(classes):
        return len(classes)
    origin = resolved.origins.get("Train.num_classes", "")
    folder = resolved.config.global_.dataset_dir
    raise ConfigError(
        f"Train.num_classes is {wanted}{f' (from {origin})' if origin else ''}, but the data in {folder} have "
        f"{len(classes)} classes ({', '.join(classes[:5])}{' ...' if len(classes) > 5 else ''}); "
        f"leave the key out, or give -o Train.num_classes={len(classes)}"
    )


def build_task(resolved: Any, classes: tuple[str, ...]) -> Any:
    """The task of the model, told the classes of the data."""
    return get_registry().find("tasks", resolved.spec.task).load()(resolved.config, classes)


def choose_metric(resolved: Any, task: Any, classes: tuple[str, ...]) -> MetricChoice:
    """The metric of the configuration, else that of the task."""
    registry = get_registry()
    component = resolved.config.evaluate.metric
    name = component.name if component else registry.find("tasks", resolved.spec.task).metric
    spec = registry.resolve("metrics", name, resolved.origins.get("Evaluate.metric", ""))
    task_name = resolved.spec.task
    if getattr(spec, "task", task_name) != task_name:  # one given as "package.module:Class" belongs to no task
        fitting = ", ".join(found.name for found in registry.specs("metrics") if found.task == task_name)
        raise ConfigError(
            f"Evaluate.metric: {name!r} judges results of task {spec.task!r}, {resolved.spec.name} is a model of "
            f"{task_name!r}; metrics for it: {fitting or 'none is installed'}"
        )
    target = spec.load()
    key = getattr(spec, "key", "") or getattr(target, "key", "")
    if not key:
        raise ConfigError(
            f"metric {name!r} does not say which of its numbers decides: give its class an attribute `key`"
        )
    higher = getattr(spec, "higher_is_better", getattr(target, "higher_is_better", True))
    options = dict(component.options) if component else {}
    prefix = getattr(task, "metric_prefix", "")
    return MetricChoice(target, {**spec.arguments, **options}, classes, f"{prefix}{key}", higher)


def train_loader(resolved: Any, reader: Any, task: Any, num_classes: int) -> Any:
    """Shuffled batches with targets. The last, smaller batch of an epoch is left out unless it is the only one:
    batch normalisation suffers from a batch of one, and processes must get equal shares."""
    from pdx_core.data.loader import Loader
    from pdx_core.transforms.build import build, build_batch

    config = resolved.config
    size = config.train.batch_size * distributed.world_size()
    if distributed.world_size() > 1 and len(reader) < size:
        raise ConfigError(
            f"{len(reader)} training samples do not fill one batch of {config.train.batch_size} for each of "
            f"{distributed.world_size()} processes; use --batch-size {max(1, len(reader) // distributed.world_size())}"
        )
    return Loader(
        reader,
        build(config.data.train_transforms, origin="Data.train_transforms"),
        batch_size=config.train.batch_size,
        collate=task.collate,
        batch_transforms=build_batch(config.data.batch_transforms, num_classes, origin="Data.batch_transforms"),
        shuffle=True,
        drop_last=True,
        seed=config.global_.seed,
        **_loading(config, task),
    )


def eval_loader(resolved: Any, reader: Any, task: Any) -> Any:
    """Every sample once, over all processes, in the order of the dataset."""
    from pdx_core.data.loader import Loader
    from pdx_core.transforms.build import build

    config = resolved.config
    return Loader(
        reader,
        build(config.data.eval_transforms, origin="Data.eval_transforms"),
        batch_size=config.evaluate.batch_size or config.train.batch_size,
        **_loading(config, task),
    )


def _loading(config: Any, task: Any) -> dict[str, Any]:
    """What the loaders of training and evaluation have in common."""
    return {
        "workers": config.data.workers,
        "worker_kind": config.data.worker_kind,
        "rank": distributed.rank(),
        "world_size": distributed.world_size(),
        "broken_images": config.data.broken_images,
        "pad_multiple": getattr(task, "pad_multiple", 1),
    }
