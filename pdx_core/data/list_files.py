"""Finds and reads list files whose lines name an image and its annotation, or the annotation alone."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import attrs

from pdx_core.data.findings import Findings
from pdx_core.data.paths import path_problem
from pdx_core.data.text_files import read_lines
from pdx_core.errors import DataError

SPLITS = ("train", "val")
SPLIT_WORDS = {"train": ("train", "training", "trainval"), "val": ("val", "valid", "validation", "test")}
_NAMES = ("{}_list.txt", "{}_anno_list.txt", "{}.txt")


@attrs.frozen
class ListLine:
    """image: "" where the annotation has to name it; source: the list."""

    number: int
    image: str
    annotation: str
    source: str


def list_file(root: Path, split: str, suffixes: str | tuple[str, ...]) -> Path | None:
    """The list of a split whose first line ends in one of `suffixes` (lower case)."""
    for path in files_named(root, _NAMES, SPLIT_WORDS[split]):
        if _first_line(path).lower().rstrip('"').endswith(suffixes):
            return path
    return None


def list_problem(root: Path, split: str) -> tuple[str, str]:
    """Where `list_file` found nothing: the file that would be the list, and what is the matter with it."""
    path = next(files_named(root, _NAMES, SPLIT_WORDS[split]), None)
    if path is None:
        return f"{split}.txt", f"there is no list for {split}"
    try:
        lines = read_lines(path)
    except DataError as error:
        return path.name, str(error)
    return path.name, "names no image and annotation in its first line" if lines else "is empty"


def files_named(root: Path, patterns: Sequence[str], words: Sequence[str]) -> Iterator[Path]:
    """The files that are there, of all patterns with each word for `{}`; a pattern's words before the next pattern."""
    for pattern in patterns:
        for word in words:
            path = root / pattern.format(word)
            if path.is_file():
                yield path


def read_list(path: Path, root: Path, base: Path, findings: Findings, pairs: bool = False) -> list[ListLine]:
    """The lines of a list; wrong ones become findings and are left out. Raises nothing.

    base:  the folder that the paths in it are relative to
    pairs: every line has to name an image and its annotation
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
        fields = split_line(text, base, pairs)
        if pairs and len(fields) != 2:
            findings.add("list-line", _not_a_pair(text, fields), fix="write it as `images/a.jpg annotations/a.png`, "
                         "paths with blanks in quotes", **place)  # fmt: skip
            continue
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
    return f'"{path}"' if any(character.isspace() for character in path) else path


def split_line(text: str, folder: Path, pairs: bool = False) -> list[str]:
    """The paths of a line. Blanks belong to a path in quotes, beside a tab, and where such files exist.

    pairs: two paths are expected, and what cannot be divided into two without doubt is given back in pieces
    """
    if '"' in text:
        found = [first or second for first, second in re.findall(r'"([^"]+)"|(\S+)', text)]
        return found if pairs else found[:2]
    if "\t" in text:
        fields = [field.strip() for field in text.split("\t") if field.strip()]
        if len(fields) <= 2:
            return fields
    parts = text.split()
    if len(parts) <= 2:
        return parts
    if not pairs and (folder / text).is_file():
        return [text]
    cuts = [(" ".join(parts[:at]), " ".join(parts[at:])) for at in range(1, len(parts))]
    there = [cut for cut in cuts if (folder / cut[1]).is_file() and (not pairs or (folder / cut[0]).is_file())]
    if there and (not pairs or len(there) == 1):
        return list(there[0])
    return parts if pairs else [" ".join(parts[:-1]), parts[-1]]


def _not_a_pair(text: str, fields: list[str]) -> str:
    if len(fields) < 2 and re.search(r"\.\w+\s*[,;|]\s*\S", text):
        return "needs a blank between image and annotation, not another separator"
    if len(fields) < 2:
        return "names one file; an image and its annotation are needed"
    return f"can be read as {len(fields)} paths, not as an image and its annotation"


def _first_line(path: Path) -> str:
    try:
        lines = read_lines(path)
    except DataError:
        return ""
    return lines[0][1] if lines else ""
