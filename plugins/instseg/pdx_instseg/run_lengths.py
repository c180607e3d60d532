"""Masks as the lengths of their runs, as COCO stores them: down the columns, background first.

Rasterising and coding are those of pycocotools. It trusts what it is given, so runs that come from a file are read and
counted here first.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs
import numpy as np
from pycocotools import mask as coco_mask

_PIXELS = 1 << 30  # more than any image has; pycocotools counts in 32 bits
_LONGEST = 6  # characters of a number of 30 bits
_MORE, _SIGN = 32, 16  # bits of a character: others follow; the number is below zero


class RunLengthError(ValueError):
    """Run lengths that are no mask; says why."""


@attrs.frozen
class RunLengths:
    """A mask. size: height and width; counts: the compressed runs of pycocotools."""

    size: tuple[int, int]
    counts: bytes = attrs.field(repr=False)

    @classmethod
    def of_bitmap(cls, bitmap: np.ndarray) -> RunLengths:
        """bitmap: bool or uint8 [H, W] of 0 and 1."""
        return cls.of_coco(coco_mask.encode(np.asfortranarray(bitmap.astype(np.uint8, copy=False))))

    @classmethod
    def of_polygons(cls, polygons: Sequence[np.ndarray], size: tuple[int, int]) -> RunLengths:
        """The union of polygons, each float [corners, 2], at least 3 corners not far from the image."""
        flat = [np.asarray(part, np.float64).reshape(-1) for part in polygons]
        return cls.of_coco(coco_mask.merge(coco_mask.frPyObjects(flat, *size)))

    @classmethod
    def of_runs(cls, runs: np.ndarray, size: tuple[int, int]) -> RunLengths:
        """runs: int [n], background first, which sum to the number of pixels."""
        return cls.of_coco(coco_mask.frPyObjects({"size": list(size), "counts": runs.tolist()}, *size))

    @classmethod
    def of_coco(cls, value: dict[str, Any]) -> RunLengths:
        """What pycocotools made: {"size": [H, W], "counts": bytes}."""
        height, width = value["size"]
        return cls((int(height), int(width)), value["counts"])

    @classmethod
    def of_file(cls, value: Any) -> RunLengths:
        """What stands in a file: {"size": [H, W], "counts": text or a list of runs}. Raises RunLengthError."""
        if not isinstance(value, dict) or "size" not in value or "counts" not in value:
            raise RunLengthError("it is not {size, counts}")
        size, counts = value["size"], value["counts"]
        whole = isinstance(size, list) and len(size) == 2
        if not whole or not all(isinstance(side, int) and not isinstance(side, bool) and side > 0 for side in size):
            raise RunLengthError(f"size is {size!r}; it must be height and width")
        if size[0] * size[1] > _PIXELS:
            raise RunLengthError(f"size is {size!r}; no image is that large")
        runs = _expanded(counts) if isinstance(counts, str) else _whole_numbers(counts)
        if len(runs) and runs.min() < 0:
            raise RunLengthError("a run is shorter than nothing")
        if len(runs) and runs.max() > _PIXELS:
            raise RunLengthError(f"a run has {int(runs.max())} pixels; no image is that large")
        if int(runs.sum()) != size[0] * size[1]:
            raise RunLengthError(
                f"the runs sum to {int(runs.sum())}, the mask of {size} has {size[0] * size[1]} pixels"
            )
        return cls.of_runs(runs, (size[0], size[1]))

    @property
    def coco(self) -> dict[str, Any]:
        """For pycocotools."""
        return {"size": list(self.size), "counts": self.counts}

    @property
    def json(self) -> dict[str, Any]:
        """For files."""
        return {"size": list(self.size), "counts": self.counts.decode("ascii")}

    @property
    def area(self) -> int:
        """Pixels of the mask."""
        return int(coco_mask.area(self.coco))

    @property
    def frame(self) -> tuple[int, int, int, int]:
        """x1 y1 x2 y2 of the pixels, x2 and y2 exclusive; all 0 for none."""
        x, y, width, height = (int(value) for value in coco_mask.toBbox(self.coco))
        return x, y, x + width, y + height

    def bitmap(self) -> np.ndarray:
        """uint8 [H, W] of 0 and 1."""
        return coco_mask.decode(self.coco)


def union(masks: Sequence[RunLengths]) -> RunLengths:
    """The pixels of any of some masks of one size."""
    return RunLengths.of_coco(coco_mask.merge([mask.coco for mask in masks]))


def _whole_numbers(counts: Any) -> np.ndarray:
    if not isinstance(counts, list):
        raise RunLengthError(f"counts is {type(counts).__name__}; it must be text or a list of runs")
    try:
        runs = np.asarray(counts)
    except ValueError:  # lists in the list
        raise RunLengthError("counts holds something that is not a number") from None
    if runs.ndim != 1 or (len(runs) and runs.dtype.kind not in "iu"):
        raise RunLengthError("counts holds something that is not a whole number")
    return runs.astype(np.int64)


def _expanded(text: str) -> np.ndarray:
    """The runs behind compressed counts, int64 [n].

    Five bits to a character, the lowest first, the sixth bit says that others follow; from the fourth number on it is
    the difference to the number two before.
    """
    codes = np.frombuffer(text.encode("utf-8"), np.uint8).astype(np.int64) - 48
    if not len(codes):
        return np.zeros(0, np.int64)
    if codes.min() < 0 or codes.max() > 63:
        raise RunLengthError("counts holds characters that compressed runs do not have")
    last = (codes & _MORE) == 0
    if not last[-1]:
        raise RunLengthError("counts breaks off in the middle of a number")
    starts = np.concatenate([[0], np.flatnonzero(last)[:-1] + 1])
    lengths = np.diff(np.append(starts, len(codes)))
    if lengths.max() > _LONGEST:
        raise RunLengthError("counts holds an impossible number")
    places = np.arange(len(codes)) - np.repeat(starts, lengths)
    numbers = np.add.reduceat((codes & 31) << (5 * places), starts)
    numbers -= ((codes[last] & _SIGN) != 0) * (np.int64(1) << (5 * lengths))
    runs = numbers.copy()
    runs[1::2] = np.cumsum(numbers[1::2])
    runs[2::2] = np.cumsum(numbers[2::2])
    return runs
