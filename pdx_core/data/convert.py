"""Turns a dataset of one format into another of the same task."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from pathlib import Path

from pdx_core.data.reading import Format, recognise
from pdx_core.errors import ConfigError
from pdx_core.plugins import get_registry
from pdx_core.settings import Component
from pdx_core.specs import ReaderSpec, import_target

logger = logging.getLogger(__name__)


def convert_dataset(source: Format, target: ReaderSpec, destination: str | os.PathLike) -> dict[str, int]:
    """Write the dataset in the format `target` into an empty folder; returns the number of samples per split."""
    destination = Path(destination)
    if target.converter is None:
        readers = get_registry().specs("dataset_readers")
        offers = [spec.name for spec in readers if spec.converter is not None and spec.task == source.spec.task]
        raise ConfigError(
            f"nothing converts to {target.name}; there are converters to: {', '.join(offers) or 'nothing'}"
        )
    if target.task != source.spec.task:
        raise ConfigError(f"{target.name} is a format for {target.task}; {source.root} holds {source.spec.task} data")
    if target.name == source.spec.name:
        raise ConfigError(f"{source.root} already is a {target.name}")
    if destination.exists() and any(destination.iterdir()):
        raise ConfigError(f"{destination} is not empty; choose a new folder")
    counts = import_target(target.converter)(source, destination)
    logger.info("Convert dataset successfully ! %s", destination)
    return counts


def source_and_target(
    folder: str | os.PathLike,
    name: str,
    reader: Component | None = None,
    task: str | None = None,
    options: Mapping[str, str] | None = None,
) -> tuple[Format, ReaderSpec]:
    """What is in a folder, and the format `name` to write it in.

    Formats of several tasks may be called `name`: without `task` the data say which one is meant.
    options: of the reader, as in `reading.recognise`
    """
    registry = get_registry()
    source = None
    if task is None and len(registry.tasks_with("dataset_readers", name)) > 1:
        source = recognise(folder, reader, None, options)
        task = source.spec.task
    target = registry.find("dataset_readers", name, "--to", task)
    return source or recognise(folder, reader, task or target.task, options), target


def convert_for_task(folder: str, task: str, source_type: str | None, destination: Path) -> str:
    """What `CheckDataset.convert` asks for: to the main format of the task; returns the new folder."""
    registry = get_registry()
    wanted = registry.find("tasks", task).reader
    if wanted is None:
        raise ConfigError(f"there is no conversion for {task}; set CheckDataset.convert.enable=False")
    target = registry.find("dataset_readers", wanted, task=task)
    reader = Component(name=source_type) if source_type else None
    if reader is not None:
        registry.find("dataset_readers", reader.name, "CheckDataset.convert.src_dataset_type", task)
    convert_dataset(recognise(folder, reader, task), target, destination)
    return str(destination)
