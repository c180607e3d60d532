"""Begins to read a dataset: its folder, its classes, and how its masks are coded."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import attrs

from pdx_core.data.findings import Findings
from pdx_core.data.image_root import image_root
from pdx_core.data.text_files import read_text
from pdx_core.errors import ConfigError, DataError
from pdx_seg.labels import IGNORE
from pdx_seg.readers.class_files import read_class_file
from pdx_seg.readers.coding import MaskCoding
from pdx_seg.readers.listing import Listing
from pdx_seg.readers_light import CODING_NAME
from pdx_seg.remap import MAX_VALUE, Remap, parse_remap, remap_json

_UNSET: Any = object()


def open_listing(
    root: Path, findings: Findings, *, ignore: int | None = _UNSET, remap: Any = None, preset: Remap | None = None
) -> Listing:
    """A listing without pairs yet.

    ignore, remap: options of the reader; where they are not given, masks.json of the dataset says
    preset:        what the format itself says about values

    Raises ConfigError for options that are wrong.
    """
    stored = _read_coding(root, findings)
    ignore = stored.get("ignore", IGNORE) if ignore is _UNSET else ignore
    if ignore is not None and (isinstance(ignore, bool) or not isinstance(ignore, int) or not 0 <= ignore <= MAX_VALUE):
        raise ConfigError(f"ignore must be a value from 0 to {MAX_VALUE}, or none; got {ignore!r}")
    try:
        given = parse_remap(remap or stored.get("remap"))
    except ValueError as error:
        raise ConfigError(f"remap: {error}") from None
    if preset is not None:
        given = Remap({**preset.values, **given.values}, {**preset.colours, **given.colours})
    listing = Listing(root=root, base=image_root(root, findings), coding=MaskCoding(ignore, given))
    found = read_class_file(root, findings)
    if found is not None:
        listing.coding = attrs.evolve(listing.coding, colours=found.colours)
        listing.set_classes(found.names, found.path.relative_to(root).as_posix())
    return listing


def coding_json(coding: MaskCoding) -> dict[str, Any]:
    """What masks.json of lists that stand elsewhere has to hold; {} when the masks are nothing special."""
    written: dict[str, Any] = {}
    if coding.ignore != IGNORE:
        written["ignore"] = coding.ignore
    table = remap_json(Remap(coding.remap.values, {**coding.colours, **coding.remap.colours}))
    return {**written, "remap": table} if table else written


def _read_coding(root: Path, findings: Findings) -> dict[str, Any]:
    path = root / CODING_NAME
    if not path.is_file():
        return {}
    try:
        content = json.loads(read_text(path))
        if not isinstance(content, dict) or set(content) - {"ignore", "remap"}:
            raise ValueError("it must hold `ignore` and `remap` only")
        parse_remap(content.get("remap"))
    except (DataError, ValueError, AttributeError, RecursionError) as error:
        findings.add("coding-file", f"cannot be used: {error}", file=CODING_NAME,
                     fix='write {"ignore": 255, "remap": {"0": 0}}, or remove it')  # fmt: skip
        return {}
    return content
