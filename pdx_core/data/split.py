"""Divides a dataset into train and val anew."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import attrs
import numpy as np

from pdx_core.data.findings import Findings
from pdx_core.errors import ConfigError, DataError
from pdx_core.specs import import_target

if TYPE_CHECKING:
    from pdx_core.data.reading import Format

logger = logging.getLogger(__name__)

UNSPLIT = "all"  # the split of a dataset that nobody has divided yet

Item = TypeVar("Item")


@attrs.frozen
class SplitReport:
    """folder: the dataset to train on next; counts: samples per split."""

    folder: Path
    counts: dict[str, int]


def split_dataset(
    found: Format, output: Path | None, train_percent: int | None, val_percent: int | None, seed: int = 0
) -> SplitReport:
    """Pool all samples, shuffle them and write new lists.

    found:  from `reading.recognise`
    output: folder for the new lists, which refer to the original images; None writes into the dataset itself and
            renames what is in the way to `.bak`
    Raises ConfigError for percentages that do not add up and DataError for formats that cannot be split.
    """
    if train_percent is None and val_percent is None:
        raise ConfigError("say how to split: train_percent and val_percent, for example 90 and 10")
    train_percent = train_percent if train_percent is not None else 100 - int(val_percent or 0)
    val_percent = val_percent if val_percent is not None else 100 - train_percent
    if train_percent + val_percent != 100 or min(train_percent, val_percent) < 1:
        raise ConfigError(
            f"train_percent and val_percent must be whole numbers above 0 that sum to 100; got {train_percent} and "
            f"{val_percent}"
        )
    target = found.root if output is None else Path(output)
    if output is not None and target.resolve() == found.root.resolve():
        raise ConfigError(f"{target} is the dataset itself; choose another output folder, or allow it with --in-place")
    checker = _checker(found)
    counts = checker.split(target, train_percent, val_percent, seed)
    logger.info("Split dataset successfully ! %s", ", ".join(f"{split} {count}" for split, count in counts.items()))
    logger.info("the new lists are in %s; train on them with -o Global.dataset_dir=%s", target, target)
    return SplitReport(target, counts)


def divide(items: Sequence[Item], train_percent: int, seed: int) -> tuple[list[Item], list[Item]]:
    """Shuffle and cut; both parts hold at least one item. The same seed gives the same parts."""
    if len(items) < 2:
        raise DataError(f"{len(items)} sample(s) cannot be divided into train and val")
    order = np.random.default_rng(seed).permutation(len(items))
    cut = min(len(items) - 1, max(1, round(len(items) * train_percent / 100)))
    return [items[index] for index in order[:cut]], [items[index] for index in order[cut:]]


def divide_by_class(
    items: Sequence[Item], classes: Sequence[int], train_percent: int, seed: int
) -> tuple[list[Item], list[Item]]:
    """Like `divide`, with the percentage kept within every class; each class keeps at least one train item.

    What rounding leaves over per class is made up in the classes with the largest remainder, so that the total is
    round(n * percent / 100) wherever the classes allow it.
    """
    if len(items) < 2:
        raise DataError(f"{len(items)} sample(s) cannot be divided into train and val")
    rng = np.random.default_rng(seed)
    groups: dict[int, list[Item]] = {}
    for index in rng.permutation(len(items)):
        groups.setdefault(classes[index], []).append(items[index])
    exact = {key: len(group) * train_percent / 100 for key, group in groups.items()}
    cuts = {key: max(1, int(value)) for key, value in exact.items()}
    missing = min(len(items) - 1, max(1, round(len(items) * train_percent / 100))) - sum(cuts.values())
    for key in sorted(groups, key=lambda key: (-(exact[key] - int(exact[key])), key)):
        if missing > 0 and cuts[key] < len(groups[key]):
            cuts[key] += 1
            missing -= 1
    train = [item for key, group in groups.items() for item in group[: cuts[key]]]
    val = [item for key, group in groups.items() for item in group[cuts[key] :]]
    if not val:
        raise DataError("every class has one image only; nothing is left for val")
    return [train[index] for index in rng.permutation(len(train))], [val[index] for index in rng.permutation(len(val))]


def set_aside(path: Path) -> Path | None:
    """Rename an existing file to `<name>.bak` (`.bak2`, `.bak3` ... while older ones exist); returns the new name."""
    if not path.exists():
        return None
    number = 1
    while True:
        backup = path.with_name(f"{path.name}.bak{number if number > 1 else ''}")
        if not backup.exists():
            path.replace(backup)
            logger.info("renamed %s to %s", path, backup.name)
            return backup
        number += 1


def _checker(found: Format) -> Any:
    from pdx_core.data.check import CheckSettings

    if getattr(found.spec, "checker", None) is None:
        raise DataError(f"datasets in the format {found.spec.name} cannot be split")
    return import_target(found.spec.checker)(found.root, CheckSettings(options=found.options))


def require_clean(findings: Findings, root: Path) -> None:
    """Refuse to split what the reader cannot understand."""
    findings.raise_errors(f"{root} cannot be split before this is mended")
