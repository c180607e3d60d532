"""Reads the parameters of transforms: sizes, ranges and probabilities, with messages that name them."""

from __future__ import annotations

import numbers
from typing import Any

import attrs

from pdx_core.errors import ConfigError

Size = tuple[int, int]


def to_size(value: Any) -> Size:
    """Height and width from one number (a square) or two."""
    pair = (value, value) if _is_whole(value) else value
    if isinstance(pair, (list, tuple)) and len(pair) == 2 and all(_is_whole(side) and side > 0 for side in pair):
        return int(pair[0]), int(pair[1])
    raise ConfigError(f"a size is a positive whole number of pixels or [height, width]; got {value!r}")


def to_optional_size(value: Any) -> Size | None:
    return None if value is None else to_size(value)


def to_colour(value: Any) -> tuple[float, ...]:
    """Three values R G B from one number or three, in 0..255."""
    colour = (value,) * 3 if isinstance(value, numbers.Real) else value
    if isinstance(colour, (list, tuple)) and len(colour) == 3 and all(isinstance(v, numbers.Real) for v in colour):
        return tuple(float(channel) for channel in colour)
    raise ConfigError(f"a colour is one number or [red, green, blue] in 0..255; got {value!r}")


def to_range(value: Any) -> tuple[float, float]:
    """Two numbers, the first not above the second."""
    if isinstance(value, (list, tuple)) and len(value) == 2 and all(isinstance(v, numbers.Real) for v in value):
        low, high = float(value[0]), float(value[1])
        if low <= high:
            return low, high
    raise ConfigError(f"a range is [low, high]; got {value!r}")


def is_probability(instance: Any, attribute: attrs.Attribute, value: Any) -> None:
    if not isinstance(value, numbers.Real) or isinstance(value, bool) or not 0 <= value <= 1:
        raise ConfigError(f"{attribute.name} must be between 0 and 1; got {value!r}")


def is_positive(instance: Any, attribute: attrs.Attribute, value: Any) -> None:
    if not isinstance(value, numbers.Real) or isinstance(value, bool) or value <= 0:
        raise ConfigError(f"{attribute.name} must be greater than 0; got {value!r}")


def one_of(*allowed: str) -> Any:
    """A validator for one of a few words."""

    def check(instance: Any, attribute: attrs.Attribute, value: Any) -> None:
        if value not in allowed:
            raise ConfigError(f"{attribute.name} must be one of {', '.join(allowed)}; got {value!r}")

    return check


def _is_whole(value: Any) -> bool:
    return isinstance(value, numbers.Integral) and not isinstance(value, bool)
