"""Where the tiles of a large picture lie. How what they show is put together again is up to the task."""

from __future__ import annotations

from collections.abc import Iterator

import attrs


@attrs.frozen
class Tile:
    """A window of a picture, in pixels; `row` and `column` number the tiles from the top left."""

    row: int
    column: int
    y: int
    x: int
    height: int
    width: int

    @property
    def window(self) -> tuple[slice, slice]:
        """Index of an array whose first axes are height and width."""
        return slice(self.y, self.y + self.height), slice(self.x, self.x + self.width)


@attrs.frozen
class Grid:
    """Equal tiles that cover a picture, row by row.

    tops and lefts: where the rows and columns of tiles begin, from 0 on
    """

    height: int
    width: int
    tile_height: int
    tile_width: int
    tops: tuple[int, ...]
    lefts: tuple[int, ...]

    @classmethod
    def over(cls, height: int, width: int, size: int | tuple[int, int], overlap: float) -> Grid:
        """Tiles of `size` (a side, or height and width), or smaller in a direction in which the picture is.

        overlap: share of a tile, 0 to 0.9, that neighbours have in common at least; they are spread evenly
        """
        wanted = size if isinstance(size, tuple) else (size, size)
        tile_height, tile_width = min(wanted[0], height), min(wanted[1], width)
        return cls(
            height,
            width,
            tile_height,
            tile_width,
            _starts(height, tile_height, round(wanted[0] * overlap)),
            _starts(width, tile_width, round(wanted[1] * overlap)),
        )

    def __len__(self) -> int:
        return len(self.tops) * len(self.lefts)

    def __iter__(self) -> Iterator[Tile]:
        for row, y in enumerate(self.tops):
            for column, x in enumerate(self.lefts):
                yield Tile(row, column, y, x, self.tile_height, self.tile_width)


def _starts(length: int, size: int, overlap: int) -> tuple[int, ...]:
    if length <= size:
        return (0,)
    overlap = min(overlap, size - 1)
    count = -(-(length - overlap) // (size - overlap))
    return tuple(index * (length - size) // (count - 1) for index in range(count))
