"""Which class a value or a colour in a mask file stands for, as users write it: `{0: 0, 255: 1, 128 0 0: ignore}`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import attrs

from pdx_seg.labels import IGNORE, MAX_CLASSES

Colour = tuple[int, int, int]  # RGB

MAX_VALUE = 65535
_RANGE = re.compile(r"(\d+)\s*-\s*(\d+)")
_HEX = re.compile(r"#([0-9a-fA-F]{2})([0-9a-fA-F]{2})([0-9a-fA-F]{2})")
_TRIPLE = re.compile(r"\(?\s*(\d+)[\s,;]+(\d+)[\s,;]+(\d+)\s*\)?")


@attrs.frozen
class Remap:
    """Class indices, or IGNORE, by value and by colour."""

    values: dict[int, int] = attrs.field(factory=dict)
    colours: dict[Colour, int] = attrs.field(factory=dict)


def parse_remap(written: Mapping[Any, Any] | None) -> Remap:
    """Read what an option says.

    Keys are values (7), ranges (1-150) or colours (128 0 0, #800000); a range goes to one class or to a range of as
    many. What they stand for is a class index or `ignore`.

    Raises ValueError saying which entry is wrong.
    """
    found = Remap()
    for key, target in (written or {}).items():
        colour = _read_colour(key)
        if colour is not None:
            found.colours[colour] = _read_class(target, key)
            continue
        first, last = _read_values(key)
        targets = _read_targets(target, key, last - first + 1)
        for number, value in enumerate(range(first, last + 1)):
            if value in found.values:
                raise ValueError(f"the value {value} is named twice")
            found.values[value] = targets[number]
    return found


def check_remap(instance: Any, attribute: attrs.Attribute, value: Any) -> None:
    """The same as a validator of attrs."""
    parse_remap(value)


def remap_text(entries: Iterable[tuple[int | Colour, int]]) -> str:
    """Entries as they can be written after `--remap`."""
    parts = [f"{_key_text(key)}: {'ignore' if label == IGNORE else label}" for key, label in entries]
    return "{" + ", ".join(parts) + "}"


def remap_json(remap: Remap) -> dict[str, Any]:
    """What `parse_remap` reads back."""
    entries = [*sorted(remap.values.items()), *remap.colours.items()]
    return {_key_text(key): "ignore" if label == IGNORE else label for key, label in entries}


def _key_text(key: int | Colour) -> str:
    return " ".join(map(str, key)) if isinstance(key, tuple) else str(key)


def _read_colour(key: Any) -> Colour | None:
    if isinstance(key, (tuple, list)):
        key = " ".join(map(str, key))
    match = _HEX.fullmatch(str(key).strip())
    if match:
        return int(match[1], 16), int(match[2], 16), int(match[3], 16)
    match = _TRIPLE.fullmatch(str(key).strip())
    if match is None:
        return None
    colour = int(match[1]), int(match[2]), int(match[3])
    if max(colour) > 255:
        raise ValueError(f"the colour {key!r} has a channel above 255")
    return colour


def _read_values(key: Any) -> tuple[int, int]:
    text = str(key).strip()
    match = _RANGE.fullmatch(text)
    if match is None and not text.isdigit():
        raise ValueError(f"{key!r} is neither a value (7), a range (1-150) nor a colour (128 0 0)")
    first, last = (int(match[1]), int(match[2])) if match else (int(text), int(text))
    if not first <= last <= MAX_VALUE:
        raise ValueError(f"{key!r} is no range of values from 0 to {MAX_VALUE}")
    return first, last


def _read_targets(target: Any, key: Any, count: int) -> list[int]:
    match = _RANGE.fullmatch(str(target).strip())
    if match is None:
        return [_read_class(target, key)] * count
    first, last = _read_class(match[1], key), _read_class(match[2], key)
    if last - first + 1 != count:
        raise ValueError(f"{key!r} holds {count} values and {target!r} holds {last - first + 1}")
    return list(range(first, last + 1))


def _read_class(target: Any, key: Any) -> int:
    text = str(target).strip().lower()
    if text == "ignore":
        return IGNORE
    if isinstance(target, bool) or not text.isdigit() or int(text) >= MAX_CLASSES:
        raise ValueError(f"{key!r} goes to {target!r}; write a class from 0 to {MAX_CLASSES - 1}, or ignore")
    return int(text)
