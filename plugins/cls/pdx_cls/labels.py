"""Reads the file with the class names of a dataset."""

from __future__ import annotations

import re
from pathlib import Path

from pdx_core.data.class_names import read_class_lines
from pdx_core.data.findings import Findings

_SYNSET = re.compile(r"n\d{8}\s+(.+)")  # the WordNet id before a name in ImageNet's lists


def read_classes(path: Path, findings: Findings) -> tuple[str, ...] | None:
    """Class names by id, or None after recording why not.

    label.txt has `id name` per line, ids 0..K-1 in any order. Other names may also hold one name per line, in order of
    id; that is assumed unless every line starts with a number of its own.
    """
    lines = read_class_lines(path, findings, "label-file", "`id name`")
    if lines is None:
        return None
    if path.name != "label.txt" and not _all_numbered(lines):
        return _checked_names({number: name for number, (_, name) in enumerate(lines)}, path, findings)
    before = findings.error_count
    names: dict[int, str] = {}
    for line, text in lines:
        place = {"file": path.name, "location": f"line {line}", "value": text}
        fields = text.split(maxsplit=1)
        if len(fields) < 2:
            findings.add("label-line", "needs an id and a name", fix="write it as `0 cat`", **place)
        elif not re.fullmatch(r"[+-]?\d+", fields[0]):
            findings.add("label-id-not-integer", f"{fields[0]!r} is not a class id", fix="write it as `0 cat`", **place)
        elif int(fields[0]) in names:
            findings.add(
                "label-id-twice", f"class id {fields[0]} occurs twice", fix="give each class its own id", **place
            )
        else:
            names[int(fields[0])] = fields[1]
    if names and min(names) != 0:
        findings.add(
            "label-ids-start",
            f"class ids start at {min(names)}",
            file=path.name,
            value=min(names),
            fix="class ids start at 0; renumber them here and in the lists",
        )
    elif names and max(names) != len(names) - 1:
        missing = next(number for number in range(max(names)) if number not in names)
        findings.add(
            "label-ids-gap", f"class id {missing} is missing", file=path.name, value=missing, fix="ids run 0, 1, 2 ..."
        )
    return _checked_names(names, path, findings) if findings.error_count == before else None


def _checked_names(names: dict[int, str], path: Path, findings: Findings) -> tuple[str, ...]:
    ordered = [names[number] for number in sorted(names)]
    synsets = [_SYNSET.fullmatch(name) for name in ordered]
    if all(synsets):
        return tuple(match[1] for match in synsets if match)
    for name in sorted(
        {name for name in ordered if ordered.count(name) > 1} if len(set(ordered)) < len(ordered) else ()
    ):
        findings.warn(
            "class-name-twice", f"two classes are called {name!r}", file=path.name, value=name, fix="rename one of them"
        )
    return tuple(ordered)


def _all_numbered(lines: list[tuple[int, str]]) -> bool:
    numbers = [text.split(maxsplit=1)[0] for _, text in lines if len(text.split(maxsplit=1)) == 2]
    return (
        len(numbers) == len(lines) and all(number.isdigit() for number in numbers) and len(set(numbers)) == len(numbers)
    )
