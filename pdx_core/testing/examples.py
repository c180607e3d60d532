"""A handful of samples, a batch and a small model of any task, taken from the task's own demo.

The core knows no task; what a sample looks like is learnt from `TaskSpec.demo`, or from a reader's `example`.
"""

from __future__ import annotations

import atexit
import functools
import inspect
import shutil
import tempfile
from pathlib import Path
from typing import Any

import attrs

from pdx_core.config import resolve
from pdx_core.errors import UnknownNameError
from pdx_core.plugins import get_registry
from pdx_core.specs import ReaderSpec, TaskSpec, import_target
from pdx_core.testing.checks import NotCheckable

_TRAIN, _VAL = 4, 2  # pictures of an example (of each class, in some tasks)
HANDFUL, FEW = 4, 2  # images of a batch: to learn them, and where two show as much as four


@attrs.frozen
class TaskExample:
    """resolved: the configuration of a small model of the task; folder: a dataset of a few pictures."""

    resolved: Any
    folder: Path
    reader: Any
    task: Any

    @property
    def classes(self) -> tuple[str, ...]:
        return self.reader.classes

    def samples(self, count: int) -> list[Any]:
        """Samples as the reader gives them, from all over the dataset."""
        return list(_Spread(self.reader, count))

    def batch(self, size: int = HANDFUL, transforms: Any = None) -> Any:
        """A fresh batch of so many samples with their targets, or of all where there are fewer."""
        from pdx_core.data.loader import Loader
        from pdx_core.transforms.build import build

        size = min(size, len(self.reader))
        loader = Loader(
            _Spread(self.reader, size),
            build(transforms or self.resolved.config.data.eval_transforms),
            batch_size=size,
            collate=self.task.collate,
            workers=0,
            pad_multiple=getattr(self.task, "pad_multiple", 1),
            keep_truth=True,
        )
        return next(loader.epoch(0))


class _Spread:
    """Some of a reader's samples, evenly spaced: datasets may be sorted by class. Of too few, some come twice."""

    def __init__(self, reader: Any, count: int) -> None:
        self.reader, self.classes = reader, reader.classes
        self.chosen = [index * (len(reader) - 1) // max(count - 1, 1) for index in range(count)]

    def __len__(self) -> int:
        return len(self.chosen)

    def __getitem__(self, index: int) -> Any:
        return self.reader[self.chosen[index]]


@functools.cache
def task_example(name: str) -> TaskExample:
    """The example of a task. Raises NotCheckable when the task has none."""
    from pdx_core.data.reading import open_splits

    registry = get_registry()
    try:
        spec: TaskSpec = registry.find("tasks", name)
    except UnknownNameError as error:
        raise NotCheckable(f"no installed plugin offers the task {name!r}") from error
    folder = scratch()
    if spec.demo:
        demo = import_target(spec.demo)
        write_example(import_target(demo.draw), folder)
        model, overrides = demo.model, demo.overrides
    else:
        reader = next((item for item in registry.specs("dataset_readers") if item.task == name and item.example), None)
        models = [item for item in registry.specs("models") if item.task == name]
        if reader is None or not models:
            raise NotCheckable(
                f"the task {name!r} has no example: give TaskSpec.demo, or a model and ReaderSpec.example"
            )
        write_example(import_target(reader.example), folder)
        model, overrides = min(models, key=lambda item: item.params or 0).name, ()
    try:
        resolved = resolve(model, flags={"Global.dataset_dir": str(folder)}, overrides=overrides)
    except UnknownNameError as error:
        if not registry.problems:
            raise
        reason = str(error).partition("\n")[0]
        raise NotCheckable(
            f"the example of the task {name!r} needs what no plugin offers that could be loaded: {reason}"
        ) from error
    reader = open_splits(resolved, ("train",))[0]
    task = spec.load()(resolved.config, reader.classes)
    return TaskExample(resolved, folder, reader, task)


def reader_example(spec: ReaderSpec) -> Path:
    """A folder in the reader's format: its own example, else the demo of its task, converted where necessary."""
    folder = scratch()
    if spec.example:
        write_example(import_target(spec.example), folder)
        return folder
    from pdx_core.data.reading import recognise

    example = task_example(spec.task).folder
    detect = import_target(spec.detect) if spec.detect else None
    if detect is not None and detect(example):
        shutil.copytree(example, folder, dirs_exist_ok=True)
    elif spec.converter:
        import_target(spec.converter)(recognise(example, task=spec.task), folder)
    else:
        raise NotCheckable(
            "there is no dataset in this format to try; name a function that writes a tiny one into a folder: "
            'example="package.module:write_example" in the record'
        )
    return folder


def write_example(draw: Any, folder: Path) -> None:
    """Let `draw(folder)` write, as few pictures as it can be told to: parameters train... and val... are counts."""
    counts = {}
    for name in inspect.signature(draw).parameters:
        if name.startswith("train"):
            counts[name] = _TRAIN
        elif name.startswith("val"):
            counts[name] = _VAL
    draw(folder, **counts)


def scratch() -> Path:
    """An empty folder that is removed when the process ends."""
    folder = Path(tempfile.mkdtemp(prefix="pdx-check-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder
