"""Checks and splits datasets of points: `pdx check` and `pdx split`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from pdx_core.data.check import CheckSettings
from pdx_core.data.findings import Findings
from pdx_core.data.image_check import check_images, report_duplicates
from pdx_core.data.image_root import IMAGE_ROOT_NAME
from pdx_core.data.pictures import draw_histogram, draw_samples, pick_samples
from pdx_core.data.split import divide, set_aside
from pdx_core.errors import ConfigError
from pdx_core.files import write_text
from pdx_core.image_size import displayed_size
from pdx_core.images import read_image
from pdx_keypoints.layout import LISTS, is_dataset
from pdx_keypoints.reader import Listing, Row, list_text, scan
from pdx_keypoints.result import draw_points


class PointsChecker:
    """A `pdx_core.contracts.DatasetChecker`."""

    dataset_type = "PointsDataset"

    def __init__(self, root: Path, settings: CheckSettings) -> None:
        self.root = Path(root)
        self.settings = settings
        self.listing = Listing(self.root)

    def check(self, findings: Findings) -> None:
        """Read the lists, decode every image, and compare the points with its size."""
        listing = self.listing = scan(self.root, findings, self.settings.splits)
        places = {
            split: [(row.image, LISTS[split], f"line {row.line}") for row in rows]
            for split, rows in listing.rows.items()
        }
        images = {name: (listing.folder / name, file, place) for rows in places.values() for name, file, place in rows}
        readable = check_images(images, findings, self.settings.max_megapixels)
        report_duplicates(readable, places, findings)
        for split, rows in listing.rows.items():
            for row in rows:
                if row.image in readable:
                    _check_points(row, listing, LISTS[split], findings)
        unused = np.isnan([row.xy[:, 0] for row in listing.rows.get("train", ())]).all(axis=0)
        for name in np.array(listing.names)[unused] if unused.ndim else ():
            findings.add("point-never-known", f"no train image has the point {name}", file=LISTS["train"], value=name,
                         fix="add images that show it, or remove its columns")  # fmt: skip

    def attributes(self, output: Path) -> dict[str, Any]:
        """Counts, and sample pictures with their points drawn below `output`."""
        listing, used = self.listing, set()
        found: dict[str, Any] = {"num_classes": len(listing.names)}

        def draw(row: Row) -> np.ndarray:
            image = read_image(listing.folder / row.image, max_megapixels=self.settings.max_megapixels)
            return draw_points(image, row.xy, listing.names)

        counts = []
        for split in LISTS:
            rows = listing.rows.get(split, [])
            found[f"{split}_samples"] = len(rows)
            found[f"{split}_sample_paths"] = draw_samples(pick_samples(rows), output, lambda row: row.image, draw, used)
            counts.append(sum((~np.isnan(row.xy[:, 0]) for row in rows), np.zeros(len(listing.names), int)).tolist())
        draw_histogram(output, listing.names, *counts, unit="points")
        return found

    def split(self, output: Path, train_percent: int, val_percent: int, seed: int) -> dict[str, int]:
        """Shuffle the images of both lists and write new ones into `output`."""
        findings = Findings()
        listing = scan(self.root, findings, [split for split in LISTS if (self.root / LISTS[split]).is_file()])
        findings.raise_errors(f"{self.root} cannot be split before this is mended")
        in_place = output.resolve() == self.root.resolve()
        if not in_place and is_dataset(output):
            raise ConfigError(f"{output} already holds a dataset; choose another output folder")
        rows = list({row.image: row for rows in listing.rows.values() for row in rows}.values())
        parts = dict(zip(LISTS, divide(rows, train_percent, seed), strict=True))
        for split, part in parts.items():
            if in_place:
                set_aside(output / LISTS[split])
            write_text(output / LISTS[split], list_text(listing.names, part))
        if not in_place:
            write_text(output / IMAGE_ROOT_NAME, f"{listing.folder.resolve()}\n")
        return {split: len(part) for split, part in parts.items()}


def _check_points(row: Row, listing: Listing, file: str, findings: Findings) -> None:
    width, height = displayed_size(listing.folder / row.image)
    place = {"file": file, "location": f"line {row.line}"}
    if np.isnan(row.xy).all():
        findings.warn("no-points", f"{row.image} has no point", value=row.image, fix="add some, or remove it", **place)
    for name, (x, y) in zip(listing.names, row.xy.tolist(), strict=True):
        if x < 0 or y < 0 or x > width or y > height:
            findings.add("point-outside-image", f"{name} is outside of {row.image}, {width} x {height} pixels",
                         value=f"{x:g}, {y:g}", fix="correct it, or leave it empty where the point is not to be seen",
                         **place)  # fmt: skip
