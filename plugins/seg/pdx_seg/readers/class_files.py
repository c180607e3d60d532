"""Reads the files that name the classes of masks, with or without their colours."""

from __future__ import annotations

import re
from pathlib import Path

import attrs

from pdx_core.data.findings import Findings
from pdx_core.data.text_files import read_lines
from pdx_core.errors import DataError, fold_name
from pdx_seg.labels import IGNORE, MAX_CLASSES
from pdx_seg.readers_light import BACKGROUND, COLOUR_FILES, IGNORED, NAME_FILES
from pdx_seg.remap import Colour

_NUMBERED = re.compile(r"(\d+)\s*[:,;\t ]\s*(.+)")
_CHANNELS = r"(\d{1,3})[,;\s]+(\d{1,3})[,;\s]+(\d{1,3})"
_COLOUR_FIRST = re.compile(_CHANNELS + r"[,;:\s]+(.*\S)")
_COLOUR_LAST = re.compile(r"(.*?\S)[,;:\s]+" + _CHANNELS + r"(?:\s*[,;:].*)?")
_VOID = frozenset({"void", "unlabelled", "unlabeled", IGNORED})  # class names whose pixels nobody judges


@attrs.frozen
class ClassFile:
    """names: by class index; path: the file they come from; colours: class index, or IGNORE, by colour."""

    names: tuple[str, ...]
    path: Path
    colours: dict[Colour, int] = attrs.field(factory=dict)


def read_class_file(root: Path, findings: Findings) -> ClassFile | None:
    """The classes of a dataset; None where no file names them, or after a finding.

    A file of names decides about the order; a file of colours says which colour is which of them.
    """
    names_path = next((root / name for name in NAME_FILES if (root / name).is_file()), None)
    colours_path = next((root / name for name in COLOUR_FILES if (root / name).is_file()), None)
    coloured = _read_colours(colours_path, findings) if colours_path else None
    if names_path is None:
        if coloured is None or colours_path is None:
            return None
        return _from_colours(coloured, colours_path)
    names = _read_names(names_path, findings)
    if names is None:
        return None
    table = _match(coloured, names, colours_path, names_path, findings) if coloured and colours_path else {}
    return ClassFile(names, names_path, table)


def _read_names(path: Path, findings: Findings) -> tuple[str, ...] | None:
    """One name per line, or `id name` or `id: name` when every line has an id of its own."""
    lines = _lines(path, findings)
    if lines is None:
        return None
    named = _numbered(lines)
    if named is None:
        named = [(number, name) for number, (_, name) in enumerate(item for item in lines if item[1] != IGNORED)]
    names = tuple(name for _, name in sorted(named))
    if not names:
        findings.add("class-file-empty", "names no class", file=path.name, fix="write one name per line")
        return None
    if len(names) > MAX_CLASSES:
        findings.add("too-many-classes", f"names {len(names)} classes; a mask holds at most {MAX_CLASSES}",
                     file=path.name, value=len(names), fix="merge some of them")  # fmt: skip
        return None
    for name in sorted({name for name in names if names.count(name) > 1}):
        findings.warn("class-duplicate", f"two classes are called {name!r}", file=path.name, value=name,
                      fix="rename one of them")  # fmt: skip
    return names


def _numbered(lines: list[tuple[int, str]]) -> list[tuple[int, str]] | None:
    """Ids and names, when the ids without that of ignored pixels run 0, 1, 2 ..."""
    matches = [_NUMBERED.fullmatch(text) for _, text in lines]
    if not all(matches):
        return None
    named = [(int(match[1]), match[2].strip()) for match in matches if match]
    named = [(number, name) for number, name in named if name != IGNORED and number != IGNORE]
    return named if sorted(number for number, _ in named) == list(range(len(named))) else None


def _read_colours(path: Path, findings: Findings) -> list[tuple[str, Colour]] | None:
    """Names and colours of `name,r,g,b`, `r g b name` or CVAT's `name:r,g,b::` lines."""
    lines = _lines(path, findings)
    if lines is None:
        return None
    found: list[tuple[str, Colour]] = []
    for number, text in lines:
        if text.startswith("#") or (number == lines[0][0] and not re.search(r"\d", text)):
            continue  # a comment, or the head of a table
        match = _COLOUR_FIRST.fullmatch(text)
        values, name = (match.groups()[:3], match[4]) if match else ((), "")
        match = _COLOUR_LAST.fullmatch(text) if not match else None
        if match:
            values, name = match.groups()[1:4], match[1]
        if not name or not values or max(map(int, values)) > 255:
            findings.add("class-colour", "needs a name and three numbers from 0 to 255", file=path.name,
                         location=f"line {number}", value=text, fix="write it as `name,r,g,b`")  # fmt: skip
            continue
        colour = (int(values[0]), int(values[1]), int(values[2]))
        twice = next((other for other, known in found if known == colour), None)
        if twice is not None:
            findings.add("class-colour", f"{name!r} has the colour of {twice!r}", file=path.name,
                         location=f"line {number}", value=text, fix="give each class its own colour")  # fmt: skip
        found.append((name, colour))
    return found or None


def _from_colours(coloured: list[tuple[str, Colour]], path: Path) -> ClassFile:
    """The classes in the order of the file; void ones are ignored, and the background comes first where it is named."""
    kept = [(name, colour) for name, colour in coloured if fold_name(name) not in _VOID]
    kept.sort(key=lambda item: fold_name(item[0]) not in ("background", fold_name(BACKGROUND)))
    table = {colour: IGNORE for name, colour in coloured if fold_name(name) in _VOID}
    table.update({colour: number for number, (_, colour) in enumerate(kept)})
    return ClassFile(tuple(name for name, _ in kept), path, table)


def _match(
    coloured: list[tuple[str, Colour]], names: tuple[str, ...], path: Path, names_path: Path, findings: Findings
) -> dict[Colour, int]:
    """Class index by colour, through the names; classes that only one file knows become findings."""
    indices = {fold_name(name): number for number, name in enumerate(names)}
    table = {}
    for name, colour in coloured:
        if fold_name(name) in indices:
            table[colour] = indices[fold_name(name)]
        elif fold_name(name) in _VOID:
            table[colour] = IGNORE
        else:
            findings.warn("class-colour", f"has a colour for {name!r}, which {names_path.name} does not name",
                          file=path.name, value=name, fix="name the class in both files")  # fmt: skip
    return table


def _lines(path: Path, findings: Findings) -> list[tuple[int, str]] | None:
    try:
        lines = read_lines(path)
    except DataError as error:
        findings.add("class-file-unreadable", str(error), file=path.name, fix="save it as UTF-8 text")
        return None
    if not lines:
        findings.add("class-file-empty", "names no class", file=path.name, fix="write one name per line")
        return None
    return lines
