"""Whether four numbers can be a box of an image, and what to say when they cannot."""

from __future__ import annotations

import math
import numbers
from typing import Any

import attrs

from pdx_core.data.findings import Findings, Severity

_HUGE = 1e7  # pixels; no image is as large
_TOLERANCE = 1.0  # pixels that a box may reach beyond the image: rounding, and counting from 1

Corners = tuple[float, float, float, float]


@attrs.frozen
class Place:
    """Where a box stands; see `Finding` for the fields."""

    file: str
    location: str
    field: str


def read_numbers(value: Any, place: Place, findings: Findings, severity: Severity = "error") -> Corners | None:
    """Four finite numbers, or None after a finding."""
    where = {"severity": severity, "file": place.file, "location": place.location, "field": place.field, "value": value}
    if value is None:
        findings.add(
            "bbox-missing", f"has no {place.field}", fix="add it, or remove the annotation", **{**where, "value": ""}
        )
        return None
    if not isinstance(value, (list, tuple)) or len(value) != 4:
        count = f"{len(value)} values" if isinstance(value, (list, tuple)) else type(value).__name__
        findings.add("bbox-length", f"{place.field} must be four numbers, it is {count}", fix="correct it", **where)
        return None
    if any(isinstance(item, bool) or not isinstance(item, numbers.Real) for item in value):
        findings.add(
            "bbox-not-a-number", f"{place.field} holds something that is not a number", fix="write numbers", **where
        )
        return None
    if any(abs(item) > _HUGE for item in value if not _is_nan(item)):
        infinite = any(math.isinf(item) for item in value if isinstance(item, float))
        code, what = ("bbox-not-finite", "an infinite value") if infinite else ("bbox-huge", "an impossible value")
        findings.add(code, f"{place.field} holds {what}", fix="correct the box or remove it", **where)
        return None
    if any(_is_nan(item) for item in value):
        findings.add("bbox-not-finite", f"{place.field} holds NaN", fix="correct the box or remove it", **where)
        return None
    return tuple(float(item) for item in value)  # type: ignore[return-value]


class BoxChecker:
    """Looks at the boxes of one split and keeps count of mix-ups that show in many of them.

    severity: of boxes that cannot be used
    """

    def __init__(self, findings: Findings, severity: Severity = "error") -> None:
        self.findings = findings
        self.severity = severity
        self.seen = 0
        self._beyond_as_corners = 0  # boxes that leave the image, and would not if they were x1 y1 x2 y2
        self._beyond_place: Place | None = None

    def usable(self, xyxy: Corners, size: tuple[int, int], place: Place, raw: Any = None) -> bool:
        """Whether a box can be trained on; findings say why not, and warn of those that stick out.

        size: width and height of the image, 0 where unknown
        raw:  what stands in the file
        """
        self.seen += 1
        x1, y1, x2, y2 = xyxy
        shown = list(raw if raw is not None else xyxy)
        where = {"file": place.file, "location": place.location, "field": place.field, "value": shown}
        width, height = x2 - x1, y2 - y1
        if width < 0 or height < 0:
            self._bad("bbox-negative-size", f"the box is {width:g} x {height:g} pixels", where,
                      "correct it: the second corner must lie to the right of and below the first")  # fmt: skip
            return False
        if width == 0 or height == 0:
            self._bad(
                "bbox-zero-size", f"the box is {width:g} x {height:g} pixels", where, "draw it again or remove it"
            )
            return False
        known = all(size)
        if known and max(size) > 2 and max(x2, y2) <= 1 and min(x1, y1) >= 0:
            self._bad("bbox-normalised", "all coordinates lie between 0 and 1: they look like shares of the image",
                      where, f"multiply x by {size[0]} and y by {size[1]}")  # fmt: skip
            return False
        if not known:
            return True
        image_width, image_height = size
        if x1 >= image_width or y1 >= image_height or x2 <= 0 or y2 <= 0:
            self._bad("bbox-outside", f"the box lies outside the image of {image_width} x {image_height} pixels",
                      where, "correct the box or remove it")  # fmt: skip
            return False
        excess = max(-x1, -y1, x2 - image_width, y2 - image_height)
        if excess > _TOLERANCE:
            fix = "correct it; training clips it to the image"
            if raw is not None and _fits_as_corners(raw, size):
                self._beyond_as_corners += 1
                self._beyond_place = self._beyond_place or place
                fix = "is it written as x1 y1 x2 y2? COCO wants x y width height"
            self.findings.warn(
                "bbox-partly-outside",
                f"the box reaches {excess:g} pixels beyond the image of {image_width} x {image_height} pixels",
                fix=fix, **where,
            )  # fmt: skip
        return True

    def report_mix_ups(self) -> None:
        """Findings about the split as a whole; called at its end."""
        place = self._beyond_place
        if place is not None and self._beyond_as_corners >= max(3, 0.2 * self.seen):
            self._bad(
                "bbox-corners",
                f"{self._beyond_as_corners} of {self.seen} boxes leave their image, and would fit if the four numbers "
                "were x1 y1 x2 y2",
                {"file": place.file, "location": place.location, "field": place.field},
                "write x y width height",
            )

    def _bad(self, code: str, message: str, where: dict[str, Any], fix: str) -> None:
        self.findings.add(code, message, severity=self.severity, fix=fix, **where)


def _fits_as_corners(raw: Any, size: tuple[int, int]) -> bool:
    x1, y1, x2, y2 = raw
    return 0 <= x1 < x2 <= size[0] + 1 and 0 <= y1 < y2 <= size[1] + 1


def _is_nan(value: Any) -> bool:
    return isinstance(value, float) and math.isnan(value)
