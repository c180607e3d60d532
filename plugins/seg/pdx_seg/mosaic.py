"""Puts what a network says of overlapping tiles together into one label map, in memory that stays small."""

from __future__ import annotations

from collections.abc import Callable

import attrs
import numpy as np

from pdx_core.progress import progress
from pdx_core.tiles import Grid, Tile
from pdx_seg.outputs import Outputs
from pdx_seg.scores import stretched, without_padding


def label_map_of_tiles(grid: Grid, see: Callable[[Tile], tuple[Outputs, tuple[int, int]]]) -> np.ndarray:
    """The label map of a picture that is looked at tile by tile, uint8 [H, W].

    see: runs the network on one tile; gives a batch of one, and the tile's height and width in the network input
    """
    mosaic = Mosaic(grid)
    with progress(total=len(grid), label="tiles", unit="tile", delay_seconds=2.0) as bar:
        for tile in mosaic.tiles():
            seen, shape = see(tile)
            if seen.scores is None:
                mosaic.place(tile, seen.label_map(0, shape, (tile.height, tile.width)))
            else:
                mosaic.add(tile, without_padding(seen.scores[0], seen.frame, shape))
            bar.update(1)
    return mosaic.label_map


class Mosaic:
    """The label map of a large picture, from its tiles.

    Where tiles overlap their scores are blended: each counts the less the nearer a pixel is to its border, as networks
    know least there. What a tile has in common with later ones is carried along until these have come; everything
    else is decided at once. So besides the label map (a byte a pixel) only a strip of scores as wide as the overlap
    along the shorter side of the picture is kept, and one tile's.

    label_map: uint8 [H, W], complete after the last tile
    """

    def __init__(self, grid: Grid) -> None:
        self.label_map = np.zeros((grid.height, grid.width), np.uint8)
        self.turned = grid.width > grid.height  # the strip runs along the shorter side
        self.grid = _turned(grid) if self.turned else grid
        self._target = self.label_map.T if self.turned else self.label_map
        self._strip: np.ndarray | None = None  # float32 [K, overlap, W], sums of the rows of tiles above
        self._beside: list[np.ndarray] = []  # K x float32 [tile height, overlap], sums of the tiles to the left

    def tiles(self) -> list[Tile]:
        """The tiles, in pixels of the picture, in the order in which they have to be added."""
        if not self.turned:
            return list(self.grid)
        return [_turned_tile(tile) for tile in self.grid]

    def add(self, tile: Tile, scores: np.ndarray) -> None:
        """Blend in the scores of the next tile: float32 [K, h, w] on a grid that covers it."""
        grid = self.grid
        if self.turned:
            tile, scores = _turned_tile(tile), scores.transpose(0, 2, 1)
        top, left = grid.tops[tile.row], grid.lefts[tile.column]
        rows = _Part.of(grid.tops, tile.row, grid.tile_height, grid.height)
        columns = _Part.of(grid.lefts, tile.column, grid.tile_width, grid.width)
        weights = rows.weights()[:, None] * columns.weights()[None]
        if self._strip is None:
            shared = max(
                _Part.of(grid.tops, row, grid.tile_height, grid.height).carried for row in range(len(grid.tops))
            )
            self._strip = np.zeros((len(scores), shared, grid.width), np.float32)
        beside, self._beside = self._beside, []
        done = slice(left, left + columns.done)
        best: np.ndarray | None = None
        labels = self._target[top : top + rows.done, done]
        for index, plane in enumerate(scores):
            sums = stretched(plane, (grid.tile_height, grid.tile_width)) * weights
            if tile.column:
                sums[:, : beside[index].shape[1]] += beside[index]
            if columns.carried:
                self._beside.append(sums[:, columns.done :].copy())
            strip = self._strip[index, :, done]
            finished = sums[:, : columns.done]
            if rows.received:
                finished[: rows.received] += strip[: rows.received]
            strip[: rows.carried] = finished[rows.done :]
            finished = finished[: rows.done]
            if best is None:
                best = finished.copy()
                labels[...] = 0
                continue
            better = finished > best
            np.copyto(best, finished, where=better)
            labels[better] = index

    def place(self, tile: Tile, labels: np.ndarray) -> None:
        """Take over the classes of a tile, uint8 [h, w], up to the middle of what it shares with its neighbours."""
        grid = self.grid
        if self.turned:
            tile, labels = _turned_tile(tile), labels.T
        rows = _middle(grid.tops, tile.row, grid.tile_height, grid.height)
        columns = _middle(grid.lefts, tile.column, grid.tile_width, grid.width)
        top, left = grid.tops[tile.row], grid.lefts[tile.column]
        self._target[rows, columns] = labels[
            rows.start - top : rows.stop - top, columns.start - left : columns.stop - left
        ]


@attrs.frozen
class _Part:
    """How the pixels of a tile divide along one axis.

    received: from its start on, also seen by earlier tiles
    done:     from its start on, seen by no later tile
    carried:  the rest
    """

    size: int
    received: int
    done: int

    @classmethod
    def of(cls, starts: tuple[int, ...], at: int, size: int, length: int) -> _Part:
        return cls(
            size,
            received=starts[at - 1] + size - starts[at] if at else 0,
            done=(starts[at + 1] if at + 1 < len(starts) else length) - starts[at],
        )

    @property
    def carried(self) -> int:
        return self.size - self.done

    def weights(self) -> np.ndarray:
        """float32 [size], rising from a border that an earlier tile covers and falling to that of a later one."""
        places = np.arange(self.size, dtype=np.float32)
        rising = (places + 1) / (self.received + 1)
        falling = (self.size - places) / (self.carried + 1)
        return np.minimum(1, np.minimum(rising, falling))


def _middle(starts: tuple[int, ...], at: int, size: int, length: int) -> slice:
    first = (starts[at] + starts[at - 1] + size) // 2 if at else 0
    last = (starts[at + 1] + starts[at] + size) // 2 if at + 1 < len(starts) else length
    return slice(first, last)


def _turned(grid: Grid) -> Grid:
    return Grid(grid.width, grid.height, grid.tile_width, grid.tile_height, grid.lefts, grid.tops)


def _turned_tile(tile: Tile) -> Tile:
    return Tile(tile.column, tile.row, tile.x, tile.y, tile.width, tile.height)
