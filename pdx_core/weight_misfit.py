"""Says why weights do not fit a network, and what to do about it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from pdx_core.dialects import OWN

if TYPE_CHECKING:
    from pdx_core.weights import LoadReport, Mismatch

_SHOWN = 10
_STATISTICS = ("_mean", "_variance")  # of batch normalisation; not counted as parameters


def explain_misfit(
    report: LoadReport, table: Mapping[str, str], state: Mapping[str, Any], arrays: Mapping[str, Any]
) -> str:
    """The message for weights whose differences, those in `report`, are not allowed.

    table: name in the network -> key that was looked for; state: what the network holds; arrays: what the file holds
    """
    lines = [f"{report.source} does not fit the network ({len(report.loaded)} of {len(table)} tensors do):"]
    if report.mismatched:
        lines.append(f"  {len(report.mismatched)} do not fit: {shown(map(str, report.mismatched))}")
    if report.missing:
        names = (name if table[name] == name else f"{name} ({table[name]})" for name in report.missing)
        lines.append(f"  {len(report.missing)} missing in the file: {shown(names)}")
    if report.unexpected:
        lines.append(f"  {len(report.unexpected)} of the file have no place: {shown(report.unexpected)}")
    lines.append(_advice(report, table, state, arrays))
    return "\n".join(lines)


def shown(names: Iterable[str]) -> str:
    """The first ten names, and how many more there are; unprintable characters of a file's names are escaped."""
    listed = [name if name.isprintable() else repr(name) for name in names]
    more = len(listed) - _SHOWN
    return ", ".join(name[:120] for name in listed[:_SHOWN]) + (f" and {more} more" if more > 0 else "")


def _advice(report: LoadReport, table: Mapping[str, str], state: Mapping[str, Any], arrays: Mapping[str, Any]) -> str:
    counts = _class_counts(report.mismatched)
    if counts and not report.missing and not report.unexpected:
        ours, theirs = counts
        patterns = ",".join(sorted({item.name.rpartition(".")[0] + ".*" for item in report.mismatched})[:5])
        return (
            f"The weights are for {theirs} classes, the network is built for {ours}. Use -o Train.num_classes={theirs} "
            f"(in Python: num_classes={theirs}) for the same classes. To train a new head on other classes, let it "
            f"differ: -o 'Train.partial_weights=[{patterns}]' (in Python: partial={patterns.split(',')})."
        )
    if len(report.loaded) < 0.5 * len(table):
        total = _parameters(arrays)
        if total == _parameters(state):
            return (
                f"The file has as many parameters as the network ({total:,}), under names that it does not know: "
                "it comes from another release or library. Rename its tensors, or use the official file."
            )
        likely = _models_of_that_size(total)
        if likely:
            return f"The weights seem to be those of {' or '.join(likely)}: build that model, or use its own file."
        return "The weights are those of another model: compare `pdx weights FILE` with the names above."
    looked = "" if report.dialect == OWN else f" The names were taken for those of {report.dialect}."
    return (
        f"Use the file of this very model.{looked} If these may differ, say so with patterns: -o "
        "'Train.partial_weights=[...]' (in Python: partial=[...])."
    )


def _class_counts(mismatched: list[Mismatch]) -> tuple[int, int] | None:
    """(classes of the network, of the file) when all shapes differ in one axis, and by the same two numbers."""
    pairs = set()
    for item in mismatched:
        if len(item.expected) != len(item.found):
            return None
        differing = [pair for pair in zip(item.expected, item.found, strict=True) if pair[0] != pair[1]]
        if len(differing) != 1:
            return None
        pairs.update(differing)
    return pairs.pop() if len(pairs) == 1 else None


def _models_of_that_size(total: int) -> list[str]:
    """Known models with exactly as many parameters as the file has."""
    from pdx_core.plugins import get_registry

    return [spec.name for spec in get_registry().specs("models") if spec.params == total][:3]


def _parameters(tensors: Mapping[str, Any]) -> int:
    """Elements of everything but batch normalisation statistics."""
    return sum(
        math.prod(getattr(tensor, "shape", ())) for name, tensor in tensors.items() if not name.endswith(_STATISTICS)
    )
