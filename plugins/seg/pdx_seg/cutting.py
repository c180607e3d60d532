"""Which pictures a predictor cuts into tiles, and into which ones."""

from __future__ import annotations

import numbers
from collections.abc import Callable, Sequence

import attrs

from pdx_core.errors import PdxError
from pdx_core.settings import TilesConfig
from pdx_core.tiles import Grid

_MEGAPIXEL = 1_000_000
_LEAST_WHOLE = 0.55  # megapixels that any network is shown at once
_NEVER = float("inf")


@attrs.frozen
class Limits:
    """What a network can be shown at once: pictures of so many pixels whole, else tiles of `side` x `side`."""

    whole_pixels: float
    side: int

    @classmethod
    def of_stride(cls, stride: float | None) -> Limits:
        """For a network that decides on a grid of so many pixels a cell; None where that is not known.

        A UNet, which decides in full resolution, computes with wide maps of that resolution: Paddle's convolutions
        take about 7 kB of memory per pixel on a CPU, those of networks with a stride of 4 or 8 up to 1.5 kB. With
        these limits tiles stay below 1 GB and whole pictures below 4.
        """
        if stride is None:
            return cls(_LEAST_WHOLE * _MEGAPIXEL, 512)
        if stride < 4:
            return cls(_LEAST_WHOLE * _MEGAPIXEL, 384)
        return cls(2.2 * _MEGAPIXEL, 768)  # those of Cityscapes, 2048 x 1024, pass


@attrs.frozen
class Cutting:
    """size: height and width of tiles; None is up to the network. overlap: share that neighbours have in common."""

    size: tuple[int, int] | None
    overlap: float
    keep: float  # pixels; pictures that are not larger are never cut

    @classmethod
    def of(cls, tile: int | Sequence[int] | None, overlap: float | None, resizes: bool) -> Cutting:
        """From the options of a predictor. Raises PdxError for what cannot be used.

        resizes: whether the model's preprocessing changes the scale of pictures: then their size in the network is
                 decided, and they are cut only when tiles are asked for
        """
        share = TilesConfig().overlap if overlap is None else overlap
        if not isinstance(share, numbers.Real) or isinstance(share, bool) or not 0 <= share <= 0.9:
            raise PdxError(f"overlap is a share of a tile's side, a number from 0 to 0.9; got {overlap!r}")
        if tile is None:
            return cls(None, float(share), _NEVER if resizes else _LEAST_WHOLE * _MEGAPIXEL)
        if isinstance(tile, int) and tile == 0:
            return cls(None, float(share), _NEVER)
        sides = tuple(tile) if isinstance(tile, list | tuple) else (tile, tile)
        if len(sides) != 2 or any(not isinstance(side, int) or isinstance(side, bool) or side < 32 for side in sides):
            raise PdxError(f"tile is a whole number of pixels from 32 on, or two of them, or 0 for none; got {tile!r}")
        return cls(sides, float(share), 0)

    def grid(self, height: int, width: int, limits: Callable[[], Limits]) -> Grid | None:
        """The tiles of a picture; None where it is to be seen whole."""
        if height * width <= self.keep:
            return None
        size = self.size
        if size is None:
            found = limits()
            if height * width <= found.whole_pixels:
                return None
            size = (found.side, found.side)
        grid = Grid.over(height, width, size, self.overlap)
        return grid if len(grid) > 1 else None
