"""The keys of the configuration's classes: what a section may hold, and how its keys are written."""

from __future__ import annotations

import functools
import typing
from typing import Any

import attrs


@functools.cache
def fields_by_key(wanted: type) -> dict[str, tuple[attrs.Attribute, Any]]:
    """Field and type of every key of an attrs class, other spellings excluded."""
    hints = typing.get_type_hints(wanted)
    return {field.metadata.get("key", field.alias): (field, hints[field.name]) for field in attrs.fields(wanted)}


@functools.cache
def aliases_of(wanted: type) -> dict[str, str]:
    """Other spelling -> key."""
    return {
        alias: field.metadata.get("key", field.alias)
        for field in attrs.fields(wanted)
        for alias in field.metadata.get("aliases", ())
    }


def join(path: str, key: str) -> str:
    """The dotted path of a key below `path`, which is "" at the top."""
    return f"{path}.{key}" if path else key
