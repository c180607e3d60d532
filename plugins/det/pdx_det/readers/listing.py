"""What a dataset of boxes consists of, whatever its format; readers, checker, splitter and converters share it."""

from __future__ import annotations

from array import array
from pathlib import Path
from typing import Any

import attrs
import numpy as np

from pdx_core.data.sample import Boxes


@attrs.frozen
class Picture:
    """One image of a dataset.

    path:          relative to the folder of the images, with `/`
    id:            what the dataset calls it
    width, height: as the annotation says; 0 where it does not
    number:        where it stands in the file that lists it
    annotation:    the file with its boxes, relative to the dataset
    """

    path: str
    id: int | str
    width: int = 0
    height: int = 0
    number: int = 0
    annotation: str = ""


@attrs.frozen(eq=False)
class BoxTable:
    """The boxes of all pictures of a split, picture after picture: flat arrays, 40 bytes a box.

    starts:    int64 [pictures + 1], row where the boxes of a picture begin
    xyxy:      float32 [n, 4], x1 y1 x2 y2 in pixels of the image as it is shown (after its EXIF rotation)
    labels:    int32 [n], index into the classes
    crowd, difficult: bool [n]
    area:      float32 [n]
    ids:       int64 [n], annotation ids of the file, or counted from 1
    numbers:   int32 [n], where the box stands in its file
    masks:     object [n], what the reader of another task knows of each box's object; None for boxes alone
    """

    starts: np.ndarray
    xyxy: np.ndarray
    labels: np.ndarray
    crowd: np.ndarray
    difficult: np.ndarray
    area: np.ndarray
    ids: np.ndarray
    numbers: np.ndarray
    masks: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.labels)

    def rows(self, picture: int) -> slice:
        return slice(int(self.starts[picture]), int(self.starts[picture + 1]))

    def boxes(self, picture: int) -> Boxes:
        """Copies, so that nobody changes the table."""
        rows = self.rows(picture)
        return Boxes.of(
            self.xyxy[rows].copy(),
            self.labels[rows],
            crowd=self.crowd[rows].copy(),
            difficult=self.difficult[rows].copy(),
            area=self.area[rows].copy(),
            ids=self.ids[rows].copy(),
        )

    def pictures(self) -> np.ndarray:
        """int64 [n]: the picture of each box."""
        return np.repeat(np.arange(len(self.starts) - 1), np.diff(self.starts))


class BoxCollector:
    """Takes boxes in any order and makes a BoxTable."""

    def __init__(self) -> None:
        self._pictures, self._labels, self._numbers = array("q"), array("i"), array("i")
        self._ids, self._flags = array("q"), array("b")
        self._values = array("f")  # x1 y1 x2 y2 area
        self._masks: list[Any] = []

    def add(
        self,
        picture: int,
        xyxy: tuple[float, float, float, float],
        label: int,
        *,
        number: int,
        id: int | None = None,
        crowd: bool = False,
        difficult: bool = False,
        area: float | None = None,
        mask: Any = None,
    ) -> None:
        """A box of picture number `picture` of the split; the area is that of the box unless given.

        mask: see `BoxTable`; either all boxes have one or none has
        """
        x1, y1, x2, y2 = xyxy
        self._pictures.append(picture)
        self._labels.append(label)
        self._numbers.append(number)
        self._ids.append(len(self._ids) + 1 if id is None else id)
        self._flags.append(crowd + 2 * difficult)
        self._values.extend((x1, y1, x2, y2, (x2 - x1) * (y2 - y1) if area is None else area))
        if mask is not None:
            self._masks.append(mask)

    def table(self, pictures: int) -> BoxTable:
        """The boxes in the order of their pictures, those of a picture in the order they came."""
        owner = np.array(self._pictures, np.int64)
        order = np.argsort(owner, kind="stable")
        values = np.array(self._values, np.float32).reshape(-1, 5)[order]
        flags = np.array(self._flags, np.int8)[order]
        return BoxTable(
            starts=np.concatenate([[0], np.cumsum(np.bincount(owner, minlength=pictures))]).astype(np.int64),
            xyxy=values[:, :4].copy(),
            labels=np.array(self._labels, np.int32)[order],
            crowd=(flags & 1).astype(bool),
            difficult=(flags & 2).astype(bool),
            area=values[:, 4].copy(),
            ids=np.array(self._ids, np.int64)[order],
            numbers=np.array(self._numbers, np.int32)[order],
            masks=_objects(self._masks)[order] if self._masks else None,
        )


def _objects(items: list[Any]) -> np.ndarray:
    """object [n], whatever the items are: numpy would make more dimensions of items of equal length."""
    array = np.empty(len(items), object)
    array[:] = items
    return array


@attrs.define(kw_only=True)
class SplitListing:
    """One split.

    source:        the file or folder that lists its pictures, relative to the dataset
    image_root:    the folder that picture paths are relative to
    picture_place: text of a picture's place in `source`, with {} for its number
    box_place:     the same for a box in its annotation file
    """

    source: str
    image_root: Path
    pictures: list[Picture]
    table: BoxTable
    picture_place: str = "images[{}]"
    box_place: str = "annotations[{}]"

    def image_path(self, picture: Picture) -> Path:
        return self.image_root / picture.path


@attrs.define(kw_only=True)
class Listing:
    """A dataset. `category_ids` are the ids of the classes in COCO files, counted from 1 for other formats."""

    root: Path
    classes: tuple[str, ...] = ()
    category_ids: tuple[int, ...] = ()
    splits: dict[str, SplitListing] = attrs.field(factory=dict)

    def __attrs_post_init__(self) -> None:
        if not self.category_ids:
            self.category_ids = tuple(range(1, len(self.classes) + 1))
