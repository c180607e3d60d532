"""Whether a segmentation can be the mask of an object, and what to say when it cannot."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from pdx_core.data.findings import Findings, Severity
from pdx_instseg.readers.masks import Mask, Polygons, area_of, box_of, of_run_lengths, to_run_lengths
from pdx_instseg.run_lengths import RunLengthError, RunLengths

_TOLERANCE = 1.0  # pixels that a polygon may reach beyond the image: rounding, and counting from 1
_FAR = 1e5  # pixels; where the image's size is unknown
_SLIVER = 1.0  # square pixels; a smaller polygon may well cover the centre of no pixel

Place = dict[str, str]  # file and location of an annotation, see `Finding`


class MaskChecker:
    """Reads the masks of annotations; everything wrong becomes a finding.

    severity: of masks that cannot be used
    thorough: also compares masks with boxes and areas, which takes rasterising each of them
    """

    def __init__(self, findings: Findings, severity: Severity = "error", thorough: bool = False) -> None:
        self.findings, self.severity, self.thorough = findings, severity, thorough

    def read_annotation(
        self, item: dict[str, Any], crowd: bool, size: tuple[int, int], place: Place
    ) -> tuple[Mask, float] | None:
        """The mask of a COCO annotation and its area, or nothing after a finding.

        size: width and height of the image, 0 where unknown
        """
        value = item.get("segmentation")
        where = {**place, "field": "segmentation"}
        if value is None or value in ([], {}, ""):
            self._bad(
                "segmentation-missing",
                "has no mask",
                where,
                value,
                "draw its outline, or remove the annotation; for boxes alone take a detector (task det)",
            )
            return None
        mask = self._run_lengths(value, crowd, size, where) if isinstance(value, dict) else None
        if not isinstance(value, dict):
            mask = self._polygons(value, crowd, size, where)
        if mask is None:
            return None
        area = area_of(mask, size[::-1]) if self.thorough or "area" not in item else 0.0
        if self.thorough:
            if not area:
                self._bad("mask-empty", "the mask covers no pixel", where, _short(value), "draw it again or remove it")
                return None
            self._compare(mask, area, item, size, place)
        return mask, area

    def polygons(self, parts: Sequence[Any], size: tuple[int, int], where: Place) -> Polygons | None:
        """Polygons from flat lists x, y, x, y ...; those that enclose nothing are left out.

        where: place and field
        """
        found: list[np.ndarray] = []
        worthless: list[tuple[str, str, Any]] = []
        for part in parts:
            points = self._points(part, where)
            if points is None:
                return None
            if len(points) < 3:
                worthless.append(("polygon-too-short", f"a polygon has {len(points)} points, not three or more", part))
            elif not self._within(points, size, where, part):
                return None
            elif _encloses_nothing(points):
                worthless.append(("polygon-empty", "a polygon encloses nothing", part))
            else:
                found.append(points)
        for code, message, part in worthless:
            if found:
                self.findings.warn(
                    code, f"{message}; the others are used", value=_short(part), fix="remove it", **where
                )
            else:
                self._bad(code, message, where, _short(part), "draw it again, or remove the annotation")
        return tuple(found) or None

    # -- COCO --------------------------------------------------------------------------------------------------------
    def _polygons(self, value: Any, crowd: bool, size: tuple[int, int], where: Place) -> Mask | None:
        if not isinstance(value, list):
            self._bad(
                "segmentation-type",
                f"the mask is {type(value).__name__}, neither polygons nor {{size, counts}}",
                where,
                _short(value),
                "export it again",
            )
            return None
        if not isinstance(value[0], (list, tuple)):
            self.findings.warn(
                "segmentation-not-nested",
                "the mask is one polygon instead of a list of polygons",
                value=_short(value),
                fix="put it into a list: [[x, y, ...]]",
                **where,
            )
            value = [value]
        if crowd:
            self.findings.warn(
                "crowd-without-run-lengths",
                "iscrowd is 1, and the mask is polygons, not run lengths",
                value=_short(value),
                fix="write it as {size, counts}, or set iscrowd to 0; the polygons are used as they are",
                **where,
            )
        return self.polygons(value, size, where)

    def _run_lengths(self, value: dict[str, Any], crowd: bool, size: tuple[int, int], where: Place) -> Mask | None:
        try:
            mask = RunLengths.of_file(value)
        except RunLengthError as error:
            self._bad("run-lengths-malformed", str(error), where, _short(value), "export it again")
            return None
        if all(size) and mask.size != size[::-1]:
            self._bad(
                "mask-size-differs",
                _other_size(mask.size, size),
                where,
                list(mask.size),
                "export it for this image, or correct the image's size",
            )
            return None
        if not mask.area:
            self._bad("mask-empty", "the mask covers no pixel", where, _short(value), "draw it again or remove it")
            return None
        return mask if crowd else of_run_lengths(mask)

    def _compare(self, mask: Mask, area: float, item: dict[str, Any], size: tuple[int, int], place: Place) -> None:
        """The mask against the box and the area that were annotated with it."""
        x, y, width, height = (float(value) for value in item["bbox"])
        frame = to_run_lengths(mask, size[::-1]).frame if all(size) else box_of(mask)
        low, high = np.array([x, y]), np.array([x + width, y + height])
        if (np.maximum(low, frame[:2]) >= np.minimum(high, frame[2:])).any():
            self._bad(
                "mask-outside-box",
                f"the mask, {_box_text(frame)}, lies outside the box",
                {**place, "field": "bbox"},
                item["bbox"],
                "one of the two belongs to another object; correct it",
            )
            return
        if all(size):
            low, high = np.clip(low, 0, size), np.clip(high, 0, size)
        apart = np.abs(np.concatenate([low, high]) - np.array(frame))
        if (apart > np.tile(np.maximum(2.0, 0.1 * (high - low)), 2)).any():
            self.findings.warn(
                "mask-box-differ",
                f"the mask reaches over {_box_text(frame)}, the box is another one",
                field="bbox",
                value=item["bbox"],
                fix="compute the box from the mask",
                **place,
            )
        known = item.get("area")
        given = isinstance(known, (int, float)) and not isinstance(known, bool) and known > 0
        if given and abs(known - area) > 20 and not 0.7 < known / area < 1.4:
            self.findings.warn(
                "area-differs",
                f"area is {known:g}, the mask covers {area:g} pixels",
                field="area",
                value=known,
                fix="compute it from the mask: the figures for small, medium and large objects go by it",
                **place,
            )

    # -- polygons ----------------------------------------------------------------------------------------------------
    def _points(self, part: Any, where: Place) -> np.ndarray | None:
        """float64 [corners, 2], or nothing after a finding."""
        try:
            values = np.asarray(part)
        except ValueError:  # lists of different lengths
            values = np.asarray("?")
        if values.ndim != 1 or (len(values) and values.dtype.kind not in "iuf"):
            self._bad(
                "polygon-not-a-number",
                "a polygon holds something that is not a number",
                where,
                _short(part),
                "write x, y, x, y ...",
            )
            return None
        if len(values) % 2:
            self._bad(
                "polygon-odd-count",
                f"a polygon has {len(values)} coordinates, an odd number",
                where,
                _short(part),
                "one is missing or too many: write x, y for each corner",
            )
            return None
        return values.astype(np.float64).reshape(-1, 2)

    def _within(self, points: np.ndarray, size: tuple[int, int], where: Place, part: Any) -> bool:
        """Whether a polygon has to do with its image. size: width and height, 0 where unknown."""
        (left, top), (right, bottom) = points.min(axis=0).tolist(), points.max(axis=0).tolist()
        if not math.isfinite(left + top + right + bottom):
            self._bad(
                "polygon-not-finite",
                "a polygon holds NaN or an infinite value",
                where,
                _short(part),
                "correct it or remove it",
            )
            return False
        known = all(size)
        width, height = size if known else (_FAR, _FAR)
        if known and max(size) > 2 and max(right, bottom) <= 1 and min(left, top) >= 0:
            self._bad(
                "polygon-normalised",
                "all coordinates lie between 0 and 1: they look like shares of the image",
                where,
                _short(part),
                f"multiply x by {width} and y by {height}",
            )
            return False
        beyond = max(-left, -top, right - width, bottom - height)
        outside = right <= 0 or bottom <= 0 or left >= width or top >= height
        if beyond <= _TOLERANCE and not outside:
            return True
        text = f"the image of {width} x {height} pixels" if known else "any image"
        box = _box_text((left, top, right, bottom))
        if outside or beyond > max(width, height, 100):  # rasterising takes as long as the edges are
            what = f"lies outside {text}" if outside else f"reaches {beyond:g} pixels beyond {text}"
            self._bad("polygon-outside", f"a polygon, {box}, {what}", where, _short(part), "correct it or remove it")
            return False
        if known:
            self.findings.warn(
                "polygon-partly-outside",
                f"a polygon reaches {beyond:g} pixels beyond {text}",
                value=_short(part),
                fix="correct it; what is outside is cut off",
                **where,
            )
        return True

    def _bad(self, code: str, message: str, where: Place, value: Any, fix: str) -> None:
        self.findings.add(code, message, severity=self.severity, value=value, fix=fix, **where)


def check_sizes(
    masks: Sequence[Mask], size: tuple[int, int], places: Sequence[str], file: str, findings: Findings
) -> None:
    """Run lengths against the size of the image file, where the annotation did not say it.

    size: width and height; places: of the masks in `file`
    """
    for mask, place in zip(masks, places, strict=True):
        if isinstance(mask, RunLengths) and mask.size != size[::-1]:
            findings.add(
                "mask-size-differs",
                _other_size(mask.size, size),
                file=file,
                location=place,
                field="segmentation",
                value=list(mask.size),
                fix="export it for this image",
            )


def _encloses_nothing(points: np.ndarray) -> bool:
    x, y = points[:, 0], points[:, 1]
    twice = x[:-1] @ y[1:] - y[:-1] @ x[1:] + x[-1] * y[0] - y[-1] * x[0]
    if abs(twice) / 2 >= _SLIVER:
        return False
    return area_of((points,), (0, 0)) == 0  # a sliver, or edges that cross, where areas cancel out


def _other_size(mask: tuple[int, int], image: tuple[int, int]) -> str:
    return f"the mask is {mask[1]} x {mask[0]} pixels, the image is {image[0]} x {image[1]}"


def _box_text(box: Sequence[float]) -> str:
    return f"x {box[0]:g} to {box[2]:g}, y {box[1]:g} to {box[3]:g}"


def _short(value: Any, length: int = 80) -> str:
    text = str(value)
    return text if len(text) <= length else text[:length] + "..."
