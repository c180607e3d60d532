"""Reads list files whose lines name an image and its annotation, or the annotation alone."""

from __future__ import annotations

import re
from pathlib import Path

import attrs

from pdx_core.data.findings import Findings
from pdx_core.data.text_files import read_lines
from pdx_core.errors import DataError
from pdx_det.readers.paths import path_problem


@attrs.frozen
class ListLine:
    """image: "" where the annotation has to name it; source: the list."""

    number: int
    image: str
    annotation: str
    source: str


def read_list(path: Path, root: Path, base: Path, findings: Findings) -> list[ListLine]:
    """The lines of a list; wrong ones become findings and are left out. Raises nothing.

    base: the folder that the paths in it are relative to
    """
    name = path.relative_to(root).as_posix()
    try:
        lines = read_lines(path)
    except DataError as error:
        findings.add("list-unreadable", str(error), file=name, fix="save it as UTF-8 text")
        return []
    found, first = [], {}
    for number, text in lines:
        place = {"file": name, "location": f"line {number}", "value": text}
        fields = _split(text, base)
        problem = next((problem for field in fields if (problem := path_problem(field))), "")
        if problem:
            findings.add("path-outside-dataset", problem, fix="write it relative to the dataset", **place)
            continue
        image, annotation = fields if len(fields) == 2 else ("", fields[0])
        if annotation in first:
            findings.add(
                "image-listed-twice",
                f"{annotation} stands in line {first[annotation]} too",
                fix="list it once",
                **place,
            )
            continue
        first[annotation] = number
        found.append(ListLine(number, image.replace("\\", "/"), annotation.replace("\\", "/"), name))
    return found


def quoted(path: str) -> str:
    """A path as it stands in a list."""
    return f'"{path}"' if " " in path else path


def _split(text: str, folder: Path) -> list[str]:
    """One or two paths. Blanks belong to a path in quotes, and where such a file exists."""
    if '"' in text:
        quoted = re.findall(r'"([^"]+)"|(\S+)', text)
        return [first or second for first, second in quoted][:2]
    parts = text.split()
    if len(parts) <= 2:
        return parts
    if (folder / text).is_file():
        return [text]
    for at in range(1, len(parts)):
        pair = [" ".join(parts[:at]), " ".join(parts[at:])]
        if (folder / pair[1]).is_file():
            return pair
    return [" ".join(parts[:-1]), parts[-1]]
