"""Writes the pixels of a label map as JSON without ever holding them as Python numbers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO

import numpy as np

from pdx_seg.counting import bands


def runs_of(label_map: np.ndarray) -> Iterator[tuple[int, int]]:
    """(value, number of pixels) of each run of equal pixels, row after row from the top left; runs go round corners.

    label_map: uint8 or int [H, W]
    """
    value, length = None, 0
    for rows in bands(label_map.shape):
        pixels = label_map[rows].ravel()
        starts = np.concatenate([[0], np.flatnonzero(pixels[1:] != pixels[:-1]) + 1])
        lengths = np.diff(starts, append=len(pixels))
        for found, count in zip(pixels[starts].tolist(), lengths.tolist(), strict=True):
            if found == value:
                length += count
                continue
            if value is not None:
                yield value, length
            value, length = found, count
    if value is not None:
        yield value, length


def write_rows(stream: IO[str], label_map: np.ndarray) -> None:
    """The JSON of a label map as [1, H, W], a row of the picture in a line."""
    separator = "[["
    for row in label_map:
        stream.write(f"{separator}\n{row.tolist()}")
        separator = ","
    stream.write("\n]]")


def write_runs(stream: IO[str], label_map: np.ndarray) -> None:
    """The JSON of {"size": [H, W], "runs": [[value, pixels], ...]}."""
    stream.write(f'{{"size": {list(label_map.shape)}, "runs": [')
    separator = "\n"
    for value, length in runs_of(label_map):
        stream.write(f"{separator}[{value}, {length}]")
        separator = ",\n"
    stream.write("\n]}")
