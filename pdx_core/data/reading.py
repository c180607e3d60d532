"""Opens a dataset: finds its root, recognises its format, builds its reader."""

from __future__ import annotations

import inspect
import logging
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs

from pdx_core.errors import ConfigError, DataError
from pdx_core.plugins import get_registry
from pdx_core.specs import ReaderSpec, import_target

if TYPE_CHECKING:
    from pdx_core.config import Resolved
    from pdx_core.contracts import Reader
    from pdx_core.settings import Component

logger = logging.getLogger(__name__)

_SEARCH_DEPTH = 3  # levels below the given folder in which a dataset is looked for


@attrs.frozen
class Format:
    """Where a dataset is and how it is read."""

    root: Path
    spec: ReaderSpec
    options: dict[str, Any] = attrs.field(factory=dict)


def open_dataset(
    source: Resolved | str | os.PathLike, split: str, reader: Component | None = None, task: str | None = None
) -> Reader:
    """The reader of one split ("train" or "val") of a dataset.

    source: a resolved configuration, which names folder, task and reader, or the folder itself

    Raises DataError when the folder is missing, its format is not recognised, or the split cannot be used.
    """
    return open_splits(source, (split,), reader, task)[0]


def open_splits(
    source: Resolved | str | os.PathLike,
    splits: Sequence[str],
    reader: Component | None = None,
    task: str | None = None,
) -> list[Reader]:
    """Like `open_dataset` for several splits of one dataset, which is recognised once."""
    max_megapixels = None
    if not isinstance(source, (str, os.PathLike)):
        config = source.config
        reader = reader or config.data.reader
        task = task or source.spec.task
        max_megapixels = config.data.max_megapixels
        source = dataset_folder(config.global_.dataset_dir)
    found = recognise(source, reader, task)
    arguments = {**found.spec.arguments, **found.options}
    target = found.spec.load()
    if max_megapixels is not None and "max_megapixels" in inspect.signature(target).parameters:
        arguments.setdefault("max_megapixels", max_megapixels)
    try:
        return [target(found.root, split, **arguments) for split in splits]
    except TypeError as error:
        raise ConfigError(f"reader {found.spec.name} cannot be built with {arguments}: {error}") from error


def dataset_folder(folder: str | None) -> str:
    """The configured dataset folder; ConfigError when there is none."""
    if not folder:
        raise ConfigError("no dataset is given; say where it is: --data DIR, or -o Global.dataset_dir=DIR")
    return folder


def recognise(
    folder: str | os.PathLike,
    reader: Component | None = None,
    task: str | None = None,
    options: Mapping[str, str] | None = None,
) -> Format:
    """The format of a dataset: as `reader` says, else found out from the files.

    options: of the reader, by name, in the spelling of the command line; ConfigError for what it does not take

    A folder that holds exactly one dataset somewhere below is accepted. Where a folder fits several formats of a task
    the one that its plugin offers first is taken (for classification: lists before folders), and the log says so.
    """
    root = Path(folder)
    if not root.exists():
        raise DataError(f"{root}: no such folder; check the path of the dataset")
    if not root.is_dir():
        raise DataError(f"{root}: is a file; give the folder that holds the dataset")
    if reader is not None:
        if task is None and len(get_registry().tasks_with("dataset_readers", reader.name)) > 1:
            task = recognise(root).spec.task  # the data say which task's reader is meant
        spec = get_registry().resolve("dataset_readers", reader.name, task=task)
        return Format(_root_for([spec], root) or root, spec, {**reader.options, **_typed(spec, options)})
    specs = _candidates(task)
    found = _root_for(specs, root)
    if found is None:
        raise DataError(_nothing_fits(root, specs, task))
    fitting = [spec for spec in specs if _detects(spec, found)]
    tasks = sorted({spec.task for spec in fitting})
    if len(tasks) > 1:
        raise DataError(f"{found} could be a dataset for {' or '.join(tasks)}; say which with --task")
    if len(fitting) > 1:
        others = ", ".join(spec.name for spec in fitting[1:])
        logger.info(
            "%s is read as %s; it would fit %s too (choose with --reader or -o Data.reader=NAME)",
            found,
            fitting[0].name,
            others,
        )
    return Format(found, fitting[0], _typed(fitting[0], options))


def _typed(spec: ReaderSpec, options: Mapping[str, str] | None) -> dict[str, Any]:
    """Options that were typed, as values of the types that the record declares."""
    if not options:
        return {}
    from pdx_core.config_types import Structurer
    from pdx_core.config_values import read_typed

    items = {key: read_typed(text, flag_of(key)) for key, text in options.items()}
    if spec.options is None:
        raise ConfigError(f"the reader {spec.name} takes no option; leave out {', '.join(map(flag_of, options))}")
    return Structurer(spec.task).options(spec, items, spec.name)


def flag_of(option: str) -> str:
    """The flag of the command line for an option of a reader."""
    return "--" + option.replace("_", "-")


def _candidates(task: str | None) -> list[ReaderSpec]:
    """The readers of a task, its own choice first."""
    registry = get_registry()
    specs = [spec for spec in registry.specs("dataset_readers") if task is None or spec.task == task]
    preferred = {(spec.name, spec.reader) for spec in registry.specs("tasks")}
    specs.sort(key=lambda spec: (spec.task, spec.name) not in preferred)  # stable: else as offered
    if not specs:
        wanted = f"the task {registry.find('tasks', task).name}" if task else "any task"  # names unknown tasks
        raise DataError(f"no installed plugin reads datasets for {wanted}" + registry.problem_note())
    return specs


def _root_for(specs: Iterable[ReaderSpec], root: Path) -> Path | None:
    """The folder itself, else the only one below it that fits; DataError when there are several."""
    specs = list(specs)
    level = [root]
    for _ in range(_SEARCH_DEPTH):
        fitting = [folder for folder in level if any(_detects(spec, folder) for spec in specs)]
        if len(fitting) == 1:
            if fitting[0] != root:
                logger.info("the dataset is in %s", fitting[0])
            return fitting[0]
        if fitting:
            names = ", ".join(str(folder) for folder in fitting[:5])
            raise DataError(f"{root} holds {len(fitting)} datasets ({names}); give the folder of one of them")
        level = [child for folder in level for child in _folders(folder)][:200]
    return None


def _detects(spec: ReaderSpec, folder: Path) -> bool:
    detect = getattr(spec, "detect", None)  # a "package.module:Class" reader has none
    if detect is None:
        return False
    try:
        return bool(import_target(detect)(folder))
    except OSError as error:
        raise DataError(f"{folder}: cannot be read: {error.strerror or error}") from error


def _folders(folder: Path) -> list[Path]:
    try:
        return sorted(child for child in folder.iterdir() if child.is_dir() and not child.name.startswith("."))
    except OSError:
        return []  # a folder that may not be entered holds no dataset for us


def _nothing_fits(root: Path, specs: list[ReaderSpec], task: str | None) -> str:
    entries = sorted(child.name + ("/" if child.is_dir() else "") for child in root.iterdir())
    holds = ", ".join(entries[:8]) + (f" and {len(entries) - 8} more" if len(entries) > 8 else "") or "nothing"
    layouts = "\n".join(f"  {spec.name}: {spec.layout}" for spec in specs)
    wanted = f" for {task}" if task else ""
    return f"{root} is not a dataset{wanted} in a known layout; it holds {holds}. Known layouts:\n{layouts}"
