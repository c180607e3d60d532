"""Reads the text files of datasets as people's editors write them: with or without BOM, UTF-16, any line ends."""

from __future__ import annotations

import codecs
from pathlib import Path

from pdx_core.errors import DataError

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark is its beginning
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def read_text(path: Path) -> str:
    """The decoded file; DataError naming it when it is missing or in no known encoding."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise DataError(f"{path}: no such file") from None
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror or error}") from error
    encoding = next((name for mark, name in _MARKS if data.startswith(mark)), "utf-8")
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        # Guessing an old code page would silently give wrong class names.
        raise DataError(f"{path}: is not UTF-8 text (byte {error.start}); save it as UTF-8") from error


def read_lines(path: Path) -> list[tuple[int, str]]:
    """(line number from 1, text without blanks at its ends) of every line that holds something."""
    lines = read_text(path).replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return [(number, line.strip()) for number, line in enumerate(lines, 1) if line.strip()]
