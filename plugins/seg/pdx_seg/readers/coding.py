"""Turns what a mask file holds into class indices, and says what is wrong when it cannot."""

from __future__ import annotations

import functools
from collections.abc import Mapping

import attrs
import numpy as np

from pdx_core.data.findings import Severity
from pdx_core.opencv import require_cv2
from pdx_seg.labels import IGNORE, MAX_CLASSES
from pdx_seg.readers.mask_files import RawMask
from pdx_seg.remap import MAX_VALUE, Colour, Remap

_UNKNOWN = -1
_SHOWN = 8  # values in a message
_KEPT = 1024  # values or colours of one mask that are remembered; a photo has a million
_MANY = 40  # more values than this do not come from a person numbering classes


@attrs.frozen
class Defect:
    """Something wrong with a mask; see `pdx_core.data.findings.Finding` for the fields."""

    code: str
    message: str
    fix: str = ""
    severity: Severity = "error"
    value: str = ""


@attrs.define(eq=False)
class Coded:
    """A mask in class indices.

    label_map: uint8 [H, W], IGNORE for ignored pixels; None when the mask cannot be used
    counts:    int64 [256], pixels by class index
    raw:       pixels by what stands in the file: values, or colours
    defects:   what is wrong, or only strange (warnings)
    """

    label_map: np.ndarray | None
    counts: np.ndarray
    raw: dict[int | Colour, int]
    defects: list[Defect]


@attrs.frozen(eq=False, slots=False)  # cached properties need a __dict__
class MaskCoding:
    """How the masks of a dataset are to be read.

    ignore:  the value in the files for pixels that nobody has to judge; None: there is none
    remap:   what values and colours stand for, before anything else is said about them
    colours: of the classes, from a class file
    count:   of the classes; None while nobody knows
    """

    ignore: int | None = IGNORE
    remap: Remap = attrs.field(factory=Remap)
    colours: Mapping[Colour, int] = attrs.field(factory=dict)
    count: int | None = None

    @functools.cached_property
    def _by_colour(self) -> dict[Colour, int]:
        return {**self.colours, **self.remap.colours}

    @functools.cached_property
    def _labels(self) -> np.ndarray:
        """int16 [65536]: class index, IGNORE or _UNKNOWN by value."""
        table = np.full(MAX_VALUE + 1, _UNKNOWN, np.int16)
        table[:MAX_CLASSES] = np.arange(MAX_CLASSES)
        if self.ignore is not None:
            table[self.ignore] = IGNORE
        for value, label in self.remap.values.items():
            table[value] = label
        if self.count is not None:
            table[(table >= self.count) & (table != IGNORE)] = _UNKNOWN
        return table

    @functools.cached_property
    def _bytes(self) -> np.ndarray:
        """uint8 [256]: the same for the values of a byte; IGNORE where unknown, which is found out otherwise."""
        table = self._labels[:256]
        return np.where(table == _UNKNOWN, IGNORE, table).astype(np.uint8)

    @functools.cached_property
    def _packed(self) -> np.ndarray:
        """int16 [2^24]: class index, IGNORE or _UNKNOWN by colour."""
        table = np.full(1 << 24, _UNKNOWN, np.int16)
        for colour, label in self._by_colour.items():
            known = label == IGNORE or self.count is None or label < self.count
            table[_pack(np.array(colour))] = label if known else _UNKNOWN
        return table

    def apply(self, raw: RawMask) -> Coded:
        """The class indices of a mask."""
        coded = Coded(None, np.zeros(256, np.int64), {}, [])
        values = raw.values
        if raw.alpha:
            self._judge_alpha(raw, coded)
        if raw.coloured and not self._by_colour and _is_grey(values):
            values = np.ascontiguousarray(values[..., 0])
            if not raw.alpha and not raw.lossy:
                coded.defects.append(Defect(
                    "mask-grey-as-rgb", "is stored in three equal channels; they are read as one",
                    "save it with one channel: it is smaller and cannot be misread", "warning"))  # fmt: skip
        if values.ndim == 3:
            self._apply_colours(values, coded)
        elif values.dtype == np.uint8:
            self._apply_bytes(values, coded)
        else:
            self._apply_deep(values, coded)
        if raw.lossy:
            shown = f"{raw.lossy} changes the values it stores ({show_values(coded.raw)})"
            coded.defects = [
                Defect("mask-lossy", shown, "save the masks as PNG from the original labels", value=raw.lossy)
            ]
        if any(defect.severity == "error" for defect in coded.defects):
            coded.label_map = None
        return coded

    def _judge_alpha(self, raw: RawMask, coded: Coded) -> None:
        if raw.alpha == "opaque":
            coded.defects.append(Defect(
                "mask-alpha", "has an alpha channel; it is opaque everywhere and left out",
                "save it without alpha", "warning"))  # fmt: skip
            return
        coded.defects.append(Defect(
            "mask-alpha", "has an alpha channel that is not opaque everywhere: is the class in it, or in the colours?",
            "save the class indices as PNG with one channel and no alpha"))  # fmt: skip

    def _apply_bytes(self, values: np.ndarray, coded: Coded) -> None:
        cv2 = require_cv2()
        found = cv2.calcHist([values], [0], None, [256], [0, 256]).ravel()
        if values.size >= 1 << 24:  # what float32 counts exactly
            found = np.bincount(values.ravel(), minlength=256)
        present = np.flatnonzero(found)
        coded.raw = {int(value): int(found[value]) for value in present}
        np.add.at(coded.counts, self._bytes[present], found[present].astype(np.int64))
        same = (self._bytes[present] == present).all()
        coded.label_map = values if same else cv2.LUT(values, self._bytes)
        self._judge_values([int(value) for value in present if self._labels[value] == _UNKNOWN], coded)

    def _apply_deep(self, values: np.ndarray, coded: Coded) -> None:
        present, places, found = np.unique(values, return_inverse=True, return_counts=True)
        coded.raw = _most_frequent(present, found)
        inside = (present >= 0) & (present <= MAX_VALUE)
        labels = np.where(inside, self._labels[np.clip(present, 0, MAX_VALUE)], _UNKNOWN)
        table = np.where(labels == _UNKNOWN, IGNORE, labels).astype(np.uint8)
        coded.label_map = table[places.reshape(values.shape)]
        np.add.at(coded.counts, table, found)
        bad = bool((labels == _UNKNOWN).any())
        coded.defects.append(Defect(
            "mask-16-bit", f"holds more than 8 bits a pixel (values {show_values(coded.raw)})",
            "save it as 8-bit PNG" + (" of class indices" if bad else ""), "error" if bad else "warning"))  # fmt: skip

    def _apply_colours(self, values: np.ndarray, coded: Coded) -> None:
        if values.dtype != np.uint8:
            coded.defects.append(Defect("mask-16-bit", "is a colour picture with 16 bits a channel",
                                        "save the class indices as 8-bit PNG with one channel"))  # fmt: skip
            return
        packed = _pack(values)
        present, found = np.unique(packed, return_counts=True)
        coded.raw = {_unpack(value): count for value, count in _most_frequent(present, found).items()}
        if not self._by_colour:
            photo = len(present) > _MANY
            coded.defects.append(Defect(
                "mask-colour", "holds colours, not class indices, and nothing says which colour is which class "
                f"({show_values(coded.raw, packed.size)})",
                "so many colours are a photo or a smoothed picture: name the label pictures" if photo
                else "write what they stand for with --remap"))  # fmt: skip
            return
        labels = self._packed[packed]
        unknown = [_unpack(value) for value in present[self._packed[present] == _UNKNOWN].tolist()]
        if unknown:
            pixels = {colour: coded.raw[colour] for colour in unknown if colour in coded.raw}
            coded.defects.append(Defect(
                "mask-colour-unknown",
                f"holds {len(unknown)} colours that are no class ({show_values(pixels, packed.size)})",
                "add them to the class colours, or to the remap; were the masks resized or saved with smoothing?",
                value=" ".join(map(str, unknown[0]))))  # fmt: skip
            return
        coded.label_map = labels.astype(np.uint8)
        np.add.at(coded.counts, self._packed[present], found)

    def _judge_values(self, unknown: list[int], coded: Coded) -> None:
        if not unknown:
            return
        allowed = f"0..{(self.count or MAX_CLASSES) - 1}"
        ignored = "nothing is ignored" if self.ignore is None else f"{self.ignore} is ignored"
        many = "; so many values come from smoothing or resizing, not from labels" if len(coded.raw) > _MANY else ""
        coded.defects.append(Defect(
            "mask-values", f"holds values that are no class (classes are {allowed}, {ignored}): "
            f"{show_values({value: coded.raw[value] for value in unknown}, sum(coded.raw.values()))}{many}",
            "add these classes to the file of names, map the values with --remap, or correct the mask",
            value=", ".join(map(str, unknown[:_SHOWN]))))  # fmt: skip


def show_values(raw: Mapping[int | Colour, int], total: int | None = None) -> str:
    """ "0 61 %, 255 39 %": the most frequent values or colours and their shares."""
    total = total or sum(raw.values()) or 1
    ordered = sorted(raw.items(), key=lambda item: -item[1])
    parts = [f"{key if isinstance(key, int) else _colour_text(key)}: {_percent(n / total)}" for key, n in ordered]
    more = f" and {len(parts) - _SHOWN} more" if len(parts) > _SHOWN else ""
    return ", ".join(parts[:_SHOWN]) + more


def _percent(share: float) -> str:
    return f"{share:.1%}" if share >= 0.001 else "<0.1%"


def _colour_text(colour: Colour) -> str:
    return "({} {} {})".format(*colour)


def _most_frequent(present: np.ndarray, found: np.ndarray) -> dict[int, int]:
    """Counts by value, the smaller values first; of very many only the most frequent ones."""
    if len(present) > _KEPT:
        chosen = np.sort(np.argsort(-found, kind="stable")[:_KEPT])
        present, found = present[chosen], found[chosen]
    return dict(zip(present.tolist(), found.tolist(), strict=True))


def _is_grey(values: np.ndarray) -> bool:
    return bool((values[..., 0] == values[..., 1]).all() and (values[..., 1] == values[..., 2]).all())


def _pack(values: np.ndarray) -> np.ndarray:
    """uint8 [..., 3] to int32 [...]."""
    wide = values.astype(np.int32)
    return (wide[..., 0] << 16) | (wide[..., 1] << 8) | wide[..., 2]


def _unpack(value: int) -> Colour:
    return value >> 16, value >> 8 & 255, value & 255
