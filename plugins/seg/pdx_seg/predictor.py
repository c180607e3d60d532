"""From the outputs of an exported segmentation model to results, for pictures of any size."""

from __future__ import annotations

import itertools
import numbers
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from pdx_core.data.sample import Sample
from pdx_core.errors import PdxError
from pdx_core.image_headers import ImageError
from pdx_core.image_size import displayed_size
from pdx_core.predictor import ImagePredictor, Prepared, common_fields, feed_of
from pdx_core.settings import TestTimeConfig, TilesConfig
from pdx_core.tiles import Grid, Tile
from pdx_seg.mosaic import label_map_of_tiles
from pdx_seg.outputs import Outputs
from pdx_seg.results import LabelMapResult
from pdx_seg.task import require_whole
from pdx_seg.views import look

if TYPE_CHECKING:
    from pdx_core.inputs import Input

WHOLE_MEGAPIXELS = 4.2  # larger pictures (2048 x 2048 just passes) are cut into tiles without being asked to
AUTOMATIC_TILE = 1024  # pixels a side
_WAITING_MEGAPIXELS = 16  # larger files are read when their turn comes: several of them would fill the memory
_SIZE_KEPT = frozenset({"Normalize", "Pad"})  # transforms that leave the scale of a picture as it is


@attrs.define(kw_only=True, eq=False)
class LargePicture:
    """A picture that is to be seen by tiles; it is not normalised as a whole. image: uint8 [H, W, 3], RGB"""

    name: str
    image: np.ndarray | None
    grid: Grid
    common: dict[str, Any]


class SegPredictor(ImagePredictor):
    """Gives the class of every pixel of the original image.

    tile:      pictures larger than this (a side, or [height, width], in pixels of the original) are cut into tiles,
               each of which is prepared and seen like a picture of its own. None: tiles of 1024 above 4.2 megapixels,
               unless the model's preprocessing resizes pictures anyway; 0: never
    overlap:   share of a tile that its neighbour has too; there the predictions are blended. None: 0.125
    test_time: several views of a picture, merged: a TestTimeConfig or a mapping such as {"flip": True}
    """

    def __init__(
        self,
        *positional: Any,
        tile: int | Sequence[int] | None = None,
        overlap: float | None = None,
        test_time: TestTimeConfig | Mapping[str, Any] | None = None,
        **options: Any,
    ) -> None:
        super().__init__(*positional, **options)
        self.test_time = _test_time(test_time)
        self.cutting = _Cutting.of(tile, overlap, self._resizes())

    def postpones(self, source: Input) -> bool:
        if not source.is_file:
            return False
        try:
            width, height = displayed_size(source.name)
        except ImageError:
            return False  # reading it will say what is wrong
        return width * height > _WAITING_MEGAPIXELS * 1e6

    def prepare(self, source: Input) -> Prepared | LargePicture:
        image = source.load(self.max_megapixels)
        common = common_fields(source, image)
        grid = self.cutting.grid(*image.shape[:2]) if self.cutting is not None else None
        if grid is not None:
            return LargePicture(name=source.name, image=image, grid=grid, common=common)
        return self._prepared(source.name, image, **common)

    def run(self, feed: Mapping[str, np.ndarray]) -> Outputs:
        return look(self.runner, feed, self.test_time)

    def results(self, outputs: Outputs, images: Sequence[Prepared], **options: Any) -> list[LabelMapResult]:
        found = []
        for index, image in enumerate(images):
            require_whole(image.name, image.im_shape, image.scale_factor, image.size)
            labels = outputs.label_map(index, image.im_shape, image.size)
            found.append(LabelMapResult(image.name, labels, self.card.classes, **image.common))
        return found

    def answer(self, images: Sequence[Prepared | LargePicture], options: Mapping[str, Any]) -> Iterator[LabelMapResult]:
        for large, group in itertools.groupby(images, key=lambda image: isinstance(image, LargePicture)):
            if large:
                yield from map(self._by_tiles, group)
            else:
                yield from super().answer(list(group), options)

    def _by_tiles(self, picture: LargePicture) -> LabelMapResult:
        image, picture.image = picture.image, None  # or it would be kept while its result is used

        def see(tile: Tile) -> tuple[Outputs, tuple[int, int]]:
            part = self._prepared(picture.name, image[tile.window])
            require_whole(picture.name, part.im_shape, part.scale_factor, part.size)
            return self.run(feed_of([part])), part.im_shape

        labels = label_map_of_tiles(picture.grid, see)
        return LabelMapResult(picture.name, labels, self.card.classes, **picture.common)

    def _prepared(self, name: str, image: np.ndarray, **common: Any) -> Prepared:
        sample = self._prepare_steps(Sample(image=image, path=name, id=name, size=image.shape[:2]))
        return Prepared.of(sample, **common)

    def _resizes(self) -> bool:
        return any(name not in _SIZE_KEPT for transform in self.card.transforms for name in transform)


@attrs.frozen
class _Cutting:
    """size and overlap of tiles, and above how many pixels a picture is cut into them."""

    size: tuple[int, int]
    overlap: float
    above: float

    @classmethod
    def of(cls, tile: Any, overlap: Any, resizes: bool) -> _Cutting | None:
        """None when pictures are never cut. Raises PdxError for what cannot be used."""
        share = TilesConfig().overlap if overlap is None else overlap
        if not isinstance(share, numbers.Real) or isinstance(share, bool) or not 0 <= share <= 0.9:
            raise PdxError(f"overlap is a share of a tile's side, a number from 0 to 0.9; got {overlap!r}")
        if tile is None:
            return None if resizes else cls((AUTOMATIC_TILE, AUTOMATIC_TILE), float(share), WHOLE_MEGAPIXELS * 1e6)
        if tile == 0 and not isinstance(tile, bool):
            return None
        sides = tuple(tile) if isinstance(tile, list | tuple) else (tile, tile)
        if len(sides) != 2 or any(not isinstance(side, int) or isinstance(side, bool) or side < 32 for side in sides):
            raise PdxError(
                f"tile must be a whole number of pixels from 32 on, two of them, or 0 for none; got {tile!r}"
            )
        return cls(sides, float(share), 0)

    def grid(self, height: int, width: int) -> Grid | None:
        """The tiles of a picture; None where it is to be seen whole."""
        if height * width <= self.above:
            return None
        grid = Grid.over(height, width, self.size, self.overlap)
        return grid if len(grid) > 1 else None


def _test_time(given: Any) -> TestTimeConfig:
    if given is None or isinstance(given, TestTimeConfig):
        return given or TestTimeConfig()
    try:
        return TestTimeConfig(**{**given, "scales": tuple(float(scale) for scale in given.get("scales", ()))})
    except (TypeError, ValueError, AttributeError) as error:
        raise PdxError(f'test_time must be such as {{"scales": [1.0, 1.5], "flip": True}}: {error}') from None
