"""What a dataset of label maps consists of, whatever its format; readers, checker, splitter and converters share it."""

from __future__ import annotations

from pathlib import Path

import attrs
import numpy as np

from pdx_seg.readers.coding import MaskCoding


@attrs.frozen(eq=False)
class Polygon:
    """One area of a LabelMe file. points: float64 [n, 2], x y in pixels; label: class index, or IGNORE."""

    points: np.ndarray
    label: int


@attrs.frozen(eq=False)
class Pair:
    """One image and what its pixels are.

    image:    path relative to the folder of the images, with `/`
    mask:     the mask, or the json with polygons, in the same way
    number:   the line of the list that names them; 0 where there is no list
    polygons: what the json says; None for a mask
    size:     width and height of the image as the json says; 0 where it does not
    """

    image: str
    mask: str
    number: int = 0
    polygons: tuple[Polygon, ...] | None = None
    size: tuple[int, int] = (0, 0)


@attrs.define(kw_only=True)
class SplitListing:
    """One split. source: the list, or the folder, that its pairs come from, relative to the dataset."""

    source: str
    pairs: list[Pair] = attrs.field(factory=list)


@attrs.define(kw_only=True)
class Listing:
    """A dataset.

    base:       the folder that all paths are relative to
    classes:    None where no file names them, until somebody has looked at the masks
    class_file: the file with the names, relative to the dataset; "" without one
    """

    root: Path
    base: Path
    classes: tuple[str, ...] | None = None
    class_file: str = ""
    coding: MaskCoding = attrs.field(factory=MaskCoding)
    splits: dict[str, SplitListing] = attrs.field(factory=dict)

    def image_path(self, pair: Pair) -> Path:
        return self.base / pair.image

    def mask_path(self, pair: Pair) -> Path:
        return self.base / pair.mask

    def set_classes(self, names: tuple[str, ...], source: str = "") -> None:
        """Decide about the classes: from now on other indices are wrong."""
        self.classes, self.class_file = names, source
        self.coding = attrs.evolve(self.coding, count=len(names))
