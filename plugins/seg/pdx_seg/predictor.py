"""From the outputs of an exported segmentation model to results, for pictures of any size."""

from __future__ import annotations

import functools
import itertools
import logging
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from pdx_core.data.sample import Sample
from pdx_core.errors import PdxError
from pdx_core.image_headers import ImageError
from pdx_core.image_size import displayed_size
from pdx_core.predictor import ImagePredictor, Prepared, common_fields, feed_of
from pdx_core.settings import TestTimeConfig
from pdx_core.test_time import require_any_size
from pdx_core.tiles import Grid, Tile
from pdx_seg.cutting import Cutting, Limits
from pdx_seg.mosaic import label_map_of_tiles
from pdx_seg.outputs import Outputs
from pdx_seg.results import LabelMapResult
from pdx_seg.task import padding_of, require_whole
from pdx_seg.views import look, require_no_merging

if TYPE_CHECKING:
    from pdx_core.inputs import Input

logger = logging.getLogger(__name__)

_WAITING_PIXELS = 16_000_000  # larger files are read when their turn comes: several of them would fill the memory
_SIZE_KEPT = frozenset({"Normalize", "Pad"})  # transforms that leave the scale of a picture as it is


@attrs.define(kw_only=True, eq=False)
class RawPicture:
    """A picture that may have to be seen by tiles; it is not normalised yet. image: uint8 [H, W, 3], RGB"""

    name: str
    image: np.ndarray | None
    common: dict[str, Any]


class SegPredictor(ImagePredictor):
    """Gives the class of every pixel of the original image.

    tile:      pictures larger than this (a side, or [height, width], in pixels of the original) are cut into tiles,
               each of which is prepared and seen like a picture of its own. None: only those that are too large to be
               seen whole (see `cutting.Limits`), unless the model's preprocessing resizes pictures; 0: never
    overlap:   share of a tile that its neighbour has too; there the predictions are blended. None: 0.125
    test_time: the views in which each picture is looked at, as in the section Predict.test_time of a configuration:
               {"scales": [1.0, 1.5], "flip": True}. Takes as many times longer as there are views
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
        self.test_time = TestTimeConfig.of(test_time)
        require_no_merging(self.test_time)
        require_any_size(self.runner, self.test_time)
        resizes = any(name not in _SIZE_KEPT for transform in self.card.transforms for name in transform)
        self.cutting = Cutting.of(tile, overlap, resizes)
        self._pad_multiple = padding_of(self.card.transforms)

    # -- what the shared predictor asks for -----------------------------------------------------------------------
    def postpones(self, source: Input) -> bool:
        if not source.is_file:
            return False
        try:
            width, height = displayed_size(source.name)
        except ImageError:
            return False  # reading it will say what is wrong
        return width * height > _WAITING_PIXELS

    def prepare(self, source: Input) -> Prepared | RawPicture:
        image = source.load(self.max_megapixels)
        common = common_fields(source, image)
        if image.shape[0] * image.shape[1] > self.cutting.keep:
            return RawPicture(name=source.name, image=image, common=common)
        return self._prepared(source.name, image, **common)

    def run(self, feed: Mapping[str, np.ndarray]) -> Outputs:
        size = getattr(self.runner, "image_size", None)
        found = feed["images"].shape[2:]
        if size is not None and tuple(size) != tuple(found):
            raise PdxError(
                f"the model was exported for {size[1]} x {size[0]} pixels only, and this input has "
                f"{found[1]} x {found[0]}; export it with -o Export.any_size=true"
            )
        return look(self.runner, feed, self.test_time, self._pad_multiple)

    def results(self, outputs: Outputs, images: Sequence[Prepared], **options: Any) -> list[LabelMapResult]:
        found = []
        for index, image in enumerate(images):
            require_whole(image.name, image.im_shape, image.scale_factor, image.size)
            labels = outputs.label_map(index, image.im_shape, image.size)
            found.append(LabelMapResult(image.name, labels, self.card.classes, **image.common))
        return found

    def answer(self, images: Sequence[Prepared | RawPicture], options: Mapping[str, Any]) -> Iterator[LabelMapResult]:
        for cut, group in itertools.groupby(map(self._decided, images), key=lambda item: isinstance(item, tuple)):
            if cut:
                yield from (self._by_tiles(picture, grid) for picture, grid in group)
            else:
                yield from super().answer(list(group), options)

    # -- tiles ----------------------------------------------------------------------------------------------------
    def _decided(self, picture: Prepared | RawPicture) -> Prepared | tuple[RawPicture, Grid]:
        """Whole and ready, or together with its tiles."""
        if not isinstance(picture, RawPicture):
            return picture
        grid = self.cutting.grid(*picture.image.shape[:2], lambda: self._limits)
        if grid is None:
            return self._prepared(picture.name, picture.image, **picture.common)
        logger.info("%s is seen by %d tiles of %d x %d", picture.name, len(grid), grid.tile_width, grid.tile_height)
        return picture, grid

    def _by_tiles(self, picture: RawPicture, grid: Grid) -> LabelMapResult:
        image, picture.image = picture.image, None  # or it would be kept while its result is used

        def see(tile: Tile) -> tuple[Outputs, tuple[int, int]]:
            part = self._prepared(picture.name, image[tile.window])
            require_whole(picture.name, part.im_shape, part.scale_factor, part.size)
            return self.run(feed_of([part])), part.im_shape

        return LabelMapResult(picture.name, label_map_of_tiles(grid, see), self.card.classes, **picture.common)

    @functools.cached_property
    def _limits(self) -> Limits:
        """Found by showing the network something small and looking at how fine its answer is."""
        sides = getattr(self.runner, "image_size", None) or (256, 256)
        trial = self._prepared("a trial picture", np.zeros((*sides, 3), np.uint8))
        seen = look(self.runner, feed_of([trial]), TestTimeConfig())
        return Limits.of_stride(None if seen.scores is None else seen.frame[0] / seen.scores.shape[2])

    def _prepared(self, name: str, pixels: np.ndarray, **common: Any) -> Prepared:
        sample = self._prepare_steps(Sample(image=pixels, path=name, id=name, size=pixels.shape[:2]))
        return Prepared.of(sample, **common)
