"""Reads the points of images from CSV files."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from pathlib import Path

import attrs
import numpy as np

from pdx_core.data.findings import Findings
from pdx_core.data.image_root import image_root
from pdx_core.data.paths import path_problem
from pdx_core.data.sample import Sample
from pdx_core.data.text_files import read_text
from pdx_core.errors import DataError
from pdx_core.images import DEFAULT_MAX_MEGAPIXELS, read_image
from pdx_keypoints.layout import LISTS
from pdx_keypoints.points import Points, partners


@attrs.frozen(eq=False)
class Row:
    """One line of a list. xy: float32 [K, 2], NaN where a point is not known"""

    image: str
    xy: np.ndarray
    line: int = 0


@attrs.define
class Listing:
    """What the lists of a dataset say. folder: what the paths of the images are relative to"""

    folder: Path
    names: tuple[str, ...] = ()
    rows: dict[str, list[Row]] = attrs.field(factory=dict)


class PointsDataset:
    """A CSV file per split. Raises DataError naming the lines that are wrong."""

    def __init__(self, root: Path, split: str = "train", max_megapixels: float = DEFAULT_MAX_MEGAPIXELS) -> None:
        findings = Findings()
        self.listing = scan(Path(root), findings, (split,))
        findings.raise_errors(f"the dataset {root} cannot be used")
        self.classes = self.listing.names  # what the core calls classes are the points here
        self.rows = self.listing.rows[split]
        self.partner = partners(self.classes)
        self.max_megapixels = max_megapixels

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> Sample:
        row = self.rows[index]
        image = read_image(self.describe(index), max_megapixels=self.max_megapixels)
        points = Points(row.xy, self.partner)
        return Sample(
            image=image, extra={"points": points}, path=self.describe(index), id=row.image, size=image.shape[:2]
        )

    def describe(self, index: int) -> str:
        """The file of a sample."""
        return str(self.listing.folder / self.rows[index].image)


def scan(root: Path, findings: Findings, splits: Sequence[str]) -> Listing:
    """Read the lists; every wrong line becomes a finding and is left out. No image is opened."""
    listing = Listing(image_root(root, findings))
    for split in splits:
        name = LISTS[split]
        try:
            reader = csv.reader(read_text(root / name).splitlines())
            header, *lines = [(reader.line_num, cells) for cells in reader] or [(1, [])]
        except (DataError, csv.Error) as error:
            findings.add("list-unreadable", str(error), file=name, fix=f"write the {split} images into {name}")
            continue
        names = _names(header[1], name, findings)
        if names and listing.names not in ((), names):
            findings.add("other-points", f"the points differ from those of {LISTS[splits[0]]}", file=name,
                         location="line 1", value=", ".join(names), fix="give all lists the same columns")  # fmt: skip
            names = ()
        listing.names = listing.names or names
        rows = listing.rows[split] = []
        seen: dict[str, int] = {}
        for number, cells in lines if names else ():
            row = _row([cell.strip() for cell in cells], len(names), number, name, seen, findings)
            rows += [row] if row else []
        if names and not rows:
            findings.add("split-empty", "names no image that can be used", file=name, fix=f"add {split} images")
    return listing


def list_text(names: tuple[str, ...], rows: list[Row]) -> str:
    """The content of a list: what `scan` reads."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(["image", *(f"{name}_{axis}" for name in names for axis in "xy")])
    for row in rows:
        writer.writerow([row.image, *("" if np.isnan(value) else f"{value:g}" for value in row.xy.reshape(-1))])
    return stream.getvalue()


def _names(header: list[str], file: str, findings: Findings) -> tuple[str, ...]:
    """The names of the points; none when the first line of a list does not say them."""
    names = tuple(cell.strip().removesuffix("_x") for cell in header[1::2])
    wanted = ["image", *(f"{name}_{axis}" for name in names for axis in "xy")]
    if names and [cell.strip() for cell in header] == wanted and len(set(names)) == len(names):
        return names
    findings.add("header", "the first line does not name the columns", file=file, location="line 1",
                 value=",".join(header), fix="write it as `image,nose_x,nose_y,...`, with commas, two columns for each "
                 "point and no point twice")  # fmt: skip
    return ()


def _row(cells: list[str], points: int, line: int, file: str, seen: dict[str, int], findings: Findings) -> Row | None:
    """A line of a list; None, and a finding, when it is wrong. seen: image -> line; extended"""
    place = {"file": file, "location": f"line {line}", "value": ",".join(cells)}
    if not any(cells):
        return None
    image = cells[0].replace("\\", "/")
    if len(cells) != 1 + 2 * points:
        findings.add("row-length", f"has {len(cells)} cells instead of {1 + 2 * points}", **place,
                     fix="write `image,x,y,x,y,...`, with empty cells for points that are not known")  # fmt: skip
    elif problem := path_problem(image):
        findings.add("path-outside-dataset", problem, fix="write it relative to the dataset", **place)
    elif image in seen:
        findings.add("image-listed-twice", f"{image} stands in line {seen[image]} too", fix="list it once", **place)
    else:
        seen[image] = line
        values = [_coordinate(cell) for cell in cells[1:]]
        if None not in values:
            xy = np.array(values, np.float32).reshape(-1, 2)
            if (np.isnan(xy[:, 0]) == np.isnan(xy[:, 1])).all():
                return Row(image, xy, line)
        findings.add("coordinate", "a coordinate is missing or no number", **place,
                     fix="write pixels such as 120.5, or leave x and y of a point empty")  # fmt: skip
    return None


def _coordinate(text: str) -> float | None:
    """NaN for an empty cell; None for what is no number."""
    try:
        value = float(text or "nan")
    except ValueError:
        return None
    return None if math.isinf(value) or (text and math.isnan(value)) else value
