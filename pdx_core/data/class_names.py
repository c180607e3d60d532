"""Reads the file with the names of the classes of a dataset, one per line."""

from __future__ import annotations

from pathlib import Path

from pdx_core.data.findings import Findings
from pdx_core.data.text_files import read_lines
from pdx_core.errors import DataError


def read_class_names(path: Path | None, findings: Findings) -> tuple[str, ...] | None:
    """The names in the order of their ids; None where there is no file, or nothing in it that can be used."""
    lines = read_class_lines(path, findings) if path is not None else None
    if lines is None:
        return None
    first: dict[str, int] = {}
    for number, name in lines:
        if name in first:
            findings.add(
                "class-duplicate",
                f"{name!r} stands in line {first[name]} too",
                file=path.name,
                location=f"line {number}",
                value=name,
                fix="name each class once",
            )
        first.setdefault(name, number)
    return tuple(first)


def read_class_lines(
    path: Path, findings: Findings, code: str = "class-file", line: str = "name"
) -> list[tuple[int, str]] | None:
    """The lines of a file with classes and their numbers, from 1; None after recording that there are none.

    code: of the findings, followed by `-unreadable` or `-empty`
    line: what stands in each line
    """
    try:
        lines = read_lines(path)
    except DataError as error:
        findings.add(f"{code}-unreadable", str(error), file=path.name, fix="save it as UTF-8 text")
        return None
    if not lines:
        findings.add(f"{code}-empty", "names no class", file=path.name, fix=f"write one {line} per line")
        return None
    return lines
