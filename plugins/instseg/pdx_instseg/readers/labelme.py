"""Reads LabelMe files with polygons: shapes of one label and one group are an object."""

from __future__ import annotations

import base64
import binascii
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pdx_core.data.findings import Findings, Severity
from pdx_core.data.list_files import SPLITS
from pdx_core.errors import DataError
from pdx_core.images import read_image
from pdx_det.api import Drawn, Listing, read_rectangle, scan_labelme
from pdx_instseg.outlines import outlines
from pdx_instseg.readers.mask_checks import MaskChecker
from pdx_instseg.readers.masks import Mask, area_of, box_of, joined
from pdx_instseg.run_lengths import RunLengths

_CIRCLE_CORNERS = 64
Shape = dict[str, Any]


def scan_labelme_masks(
    root: Path,
    findings: Findings,
    splits: Sequence[str] = SPLITS,
    bad_boxes: Severity = "error",
    thorough: bool = False,
) -> Listing:
    """See `scan_labelme`; `BoxTable.masks` are `masks.Mask`. thorough: nothing is left to compare here"""
    return scan_labelme(root, findings, splits, bad_boxes, read_objects)


def read_objects(
    shapes: Sequence[tuple[int, Shape]], size: tuple[int, int], file: str, findings: Findings, severity: Severity
) -> Iterator[Drawn]:
    """An object for each shape that encloses something, or for each group of them."""
    checker = MaskChecker(findings, severity)
    groups: dict[Any, list[tuple[int, str, Mask]]] = {}
    for number, shape in shapes:
        where = {"file": file, "location": f"shapes[{number}]", "field": "points"}
        mask = _mask(shape, size, where, checker)
        if mask is not None:
            group = shape.get("group_id")
            key = ("alone", number) if group is None else (shape["label"], str(group))
            groups.setdefault(key, []).append((number, shape["label"], mask))
    for parts in groups.values():
        number, label, _ = parts[0]
        if all(size) or not any(isinstance(mask, RunLengths) for _, _, mask in parts) or len(parts) == 1:
            mask = joined([mask for _, _, mask in parts], size[::-1])
            area = area_of(mask, size[::-1])
            if area:
                yield Drawn(number, label, _within(box_of(mask), size), mask, area)
                continue
            text = "the shape covers no pixel"
        else:
            text = "a group of drawn masks needs imageWidth and imageHeight"
        findings.add(
            "mask-empty",
            text,
            severity=severity,
            file=file,
            location=f"shapes[{number}]",
            field="points",
            fix="draw it again or remove it",
        )


def _within(box: tuple[float, float, float, float], size: tuple[int, int]) -> tuple[float, float, float, float]:
    """A box without what lies outside the image, as masks are cut too."""
    if not all(size):
        return box
    x1, y1, x2, y2 = box
    return max(x1, 0.0), max(y1, 0.0), min(x2, float(size[0])), min(y2, float(size[1]))


def _mask(shape: Shape, size: tuple[int, int], where: dict[str, str], checker: MaskChecker) -> Mask | None:
    kind = shape.get("shape_type") or "polygon"
    if kind == "rectangle":
        corners = read_rectangle(
            shape, {"file": where["file"], "location": where["location"]}, checker.findings, checker.severity
        )
        if corners is None:
            return None
        x1, y1, x2, y2 = corners
        return checker.polygons([[x1, y1, x2, y1, x2, y2, x1, y2]], size, where)
    points = shape.get("points")
    if not isinstance(points, list) or not all(isinstance(point, list) and len(point) == 2 for point in points):
        checker.findings.add(
            "polygon-not-a-number",
            "points must be a list of pairs x, y",
            severity=checker.severity,
            value=str(points)[:80],
            fix="draw it again",
            **where,
        )
        return None
    if kind in ("polygon", "oriented_rectangle"):
        return checker.polygons([[value for point in points for value in point]], size, where)
    if kind == "circle":
        return _circle(points, size, where, checker)
    if kind == "mask":
        return _drawn_mask(shape, points, size, where, checker)
    checker.findings.add(
        "shape-not-polygon",
        f"is a {kind}, which encloses nothing",
        severity=checker.severity,
        value=kind,
        fix="draw a polygon",
        **{**where, "field": "shape_type"},
    )
    return None


def _circle(points: list[list[Any]], size: tuple[int, int], where: dict[str, str], checker: MaskChecker) -> Mask | None:
    """LabelMe keeps the centre and a point on the circle."""
    values = [value for point in points for value in point]
    if len(values) != 4 or any(isinstance(value, bool) or not isinstance(value, (int, float)) for value in values):
        checker.findings.add(
            "polygon-not-a-number",
            "a circle needs its centre and a point on it",
            severity=checker.severity,
            value=str(points)[:80],
            fix="draw it again",
            **where,
        )
        return None
    x, y, edge_x, edge_y = values
    radius = math.hypot(edge_x - x, edge_y - y)
    angles = 2 * np.pi * np.arange(_CIRCLE_CORNERS) / _CIRCLE_CORNERS
    corners = np.column_stack([x + radius * np.cos(angles), y + radius * np.sin(angles)])
    return checker.polygons([corners.ravel()], size, where)


def _drawn_mask(
    shape: Shape, points: list[list[Any]], size: tuple[int, int], where: dict[str, str], checker: MaskChecker
) -> Mask | None:
    """A bitmap in its frame, as LabelMe has it since 5.3: points are the corners of its first and its last pixel."""

    def bad(message: str) -> None:
        checker.findings.add(
            "drawn-mask", message, severity=checker.severity, fix="draw it again", **{**where, "field": "mask"}
        )

    try:
        bitmap = read_image(base64.b64decode(str(shape.get("mask")), validate=True))[..., 0] > 0
        left, top = (round(float(value)) for value in points[0])
    except (DataError, binascii.Error, ValueError, TypeError, IndexError, OverflowError):
        bad("the mask is no picture with a corner")
        return None
    if not bitmap.any():
        bad("the mask is empty")
        return None
    found = outlines(bitmap, (left, top))
    if found is not None:
        return checker.polygons([part.ravel() for part in found], size, where)
    height, width = bitmap.shape
    if not all(size) or left < 0 or top < 0 or left + width > size[0] or top + height > size[1]:
        bad(
            f"the mask of {width} x {height} pixels at {left}, {top} does not lie in the image of {size[0]} x {size[1]}"
        )
        return None
    full = np.zeros(size[::-1], np.uint8)
    full[top : top + height, left : left + width] = bitmap
    return RunLengths.of_bitmap(full)
