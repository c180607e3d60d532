"""Finds what is installed in the group `pdx.plugins`, also where the metadata of some distribution is damaged."""

from __future__ import annotations

import importlib.metadata
import re

ENTRY_POINT_GROUP = "pdx.plugins"


def installed_plugins() -> tuple[list[importlib.metadata.EntryPoint], list[tuple[str, str, Exception]]]:
    """The entry points of all plugins, and (distribution, version, error) of each whose list cannot be read.

    One damaged `entry_points.txt`, of whatever package, makes Python's own search for all packages fail.
    """
    try:
        return list(importlib.metadata.entry_points(group=ENTRY_POINT_GROUP)), []
    except Exception:  # noqa: BLE001 - metadata of strangers: any kind of damage; each is looked at below
        return _one_by_one()


def _one_by_one() -> tuple[list[importlib.metadata.EntryPoint], list[tuple[str, str, Exception]]]:
    found: list[importlib.metadata.EntryPoint] = []
    damaged = []
    for distribution in importlib.metadata.distributions():
        try:
            found += [point for point in distribution.entry_points if point.group == ENTRY_POINT_GROUP]
        except Exception as error:  # noqa: BLE001 - as above
            damaged.append((*_name_and_version(distribution), error))
    return found, damaged


def distribution_of(entry_point: importlib.metadata.EntryPoint) -> tuple[str, str]:
    """Name and version of what was installed; "?" where its metadata is missing or damaged."""
    return _name_and_version(entry_point.dist)


def _name_and_version(distribution: importlib.metadata.Distribution) -> tuple[str, str]:
    """From the head of the metadata; Python's own way parses all of it, the README of the package included."""
    try:
        head = (distribution.read_text("METADATA") or distribution.read_text("PKG-INFO") or "").partition("\n\n")[0]
    except (AttributeError, UnicodeDecodeError, OSError):
        return "?", "?"
    fields = dict(re.findall(r"^(Name|Version):[ \t]*(\S+)", head, re.MULTILINE))
    return fields.get("Name", "?"), fields.get("Version", "?")
