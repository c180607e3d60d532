"""Prints rows under headings, in columns."""

from __future__ import annotations

import os
import shutil
import sys
import textwrap
import unicodedata
from collections.abc import Sequence

import click

_LEAST_TO_FOLD = 24  # columns; a narrower last column would be a ribbon, so its lines are left to the terminal


def echo_table(
    headings: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[str] = (), fold: bool = False
) -> None:
    """Write a table to stdout; the columns named in `right` are aligned to the right.

    fold: break the last column into several lines where the terminal is narrower
    """
    columns = list(zip(headings, *rows, strict=True))
    widths = [max(map(_width, column)) for column in columns]
    room = (line_width() or 0) - sum(widths[:-1]) - 2 * len(widths[:-1]) if fold else 0
    for row in (headings, *rows):
        cells = []
        for heading, cell, width in zip(headings, row, widths, strict=True):
            blanks = " " * (width - _width(cell))
            cells.append(blanks + cell if heading in right else cell + blanks)
        if room >= _LEAST_TO_FOLD and _width(row[-1]) > room:
            first, *others = textwrap.wrap(row[-1], room)
            indent = " " * (sum(widths[:-1]) + 2 * len(widths[:-1]))
            click.echo("  ".join([*cells[:-1], first]).rstrip())
            for line in others:
                click.echo(indent + line)
        else:
            click.echo("  ".join(cells).rstrip())


def line_width() -> int | None:
    """Columns of the terminal, or None where stdout goes elsewhere and one line per row is of more use."""
    if sys.stdout.isatty() or os.environ.get("COLUMNS", "").isdigit():
        return shutil.get_terminal_size().columns
    return None


def _width(text: str) -> int:
    """Columns on a terminal; East Asian characters take two."""
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)
