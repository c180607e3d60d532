"""Prints rows under headings, in columns."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

import click


def echo_table(headings: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[str] = ()) -> None:
    """Write a table to stdout; the columns named in `right` are aligned to the right."""
    columns = list(zip(headings, *rows, strict=True))
    widths = [max(map(_width, column)) for column in columns]
    for row in (headings, *rows):
        cells = []
        for heading, cell, width in zip(headings, row, widths, strict=True):
            blanks = " " * (width - _width(cell))
            cells.append(blanks + cell if heading in right else cell + blanks)
        click.echo("  ".join(cells).rstrip())


def _width(text: str) -> int:
    """Columns on a terminal; East Asian characters take two."""
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)
