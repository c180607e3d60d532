"""What the shared training and evaluation loops have to know about semantic segmentation."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from pdx_core.errors import ConfigError, DataError
from pdx_core.tiles import Grid, Tile
from pdx_seg.labels import IGNORE
from pdx_seg.mosaic import label_map_of_tiles
from pdx_seg.outputs import Outputs, read_outputs
from pdx_seg.results import LabelMapResult
from pdx_seg.views import Runner, look, require_no_merging

if TYPE_CHECKING:
    from pdx_core.data.batch import Batch
    from pdx_core.data.sample import Sample
    from pdx_core.settings import RunConfig

_SEEN = "seen"  # what `run` hands to `results`


class SegTask:
    """Images with a class for every pixel. A result is the label map at the size of the original image."""

    def __init__(self, config: RunConfig, classes: tuple[str, ...]) -> None:
        self.classes = classes
        self.test_time = config.evaluate.test_time
        require_no_merging(self.test_time)
        self.tiles = config.evaluate.tiles
        self._pad_multiple = padding_of(config.data.eval_transforms)

    def collate(self, samples: Sequence[Sample], batch: Batch) -> dict[str, np.ndarray]:
        """label_map: int64 [N, H, W] of the size of the batch; 255 where a pixel is not judged or there is none."""
        height, width = batch.images.shape[2:]
        targets = np.full((len(samples), height, width), IGNORE, np.int64)
        for target, sample, shape in zip(targets, samples, batch.im_shape.astype(int).tolist(), strict=True):
            labels = self._usable(sample)
            if not (shape[0] <= labels.shape[0] <= height and shape[1] <= labels.shape[1] <= width):
                raise DataError(
                    f"{_name(sample)}: after the transforms the mask is {labels.shape[1]} x {labels.shape[0]} pixels, "
                    f"the image {shape[1]} x {shape[0]}; is the mask as large as its image?"
                )
            target[: labels.shape[0], : labels.shape[1]] = labels
        return {"label_map": targets}

    def run(self, runner: Runner, feed: Mapping[str, np.ndarray]) -> dict[str, Any]:
        """What the network says of each image of a batch, whole or by tiles, in one or in several views.

        Images of one size go together. Others were padded to fit into the batch, and a network may see that padding:
        they go alone, so that no result depends on its neighbours.
        """
        seen: list[Outputs] = []
        shapes = feed["im_shape"].astype(int).tolist()
        for shape, group in itertools.groupby(range(len(shapes)), key=lambda index: tuple(shapes[index])):
            members = list(group)
            seen.extend(self._see(runner, _cut(feed, members, shape, self._pad_multiple), shape))
        return {_SEEN: seen}

    def results(self, outputs: Mapping[str, Any], samples: Sequence[Sample]) -> list[LabelMapResult]:
        """From what `run` gave, or from what `Head.decode` gave: label_map [N, H, W] and logits [N, K, h, w]."""
        if _SEEN in outputs:
            seen = [(single, 0) for single in outputs[_SEEN]]
        else:
            batch = read_outputs(outputs, outputs["label_map"].shape[-2:])
            seen = [(batch, index) for index in range(len(batch))]
        return [
            LabelMapResult(sample.path, self._original(sample, *item), self.classes)
            for item, sample in zip(seen, samples, strict=True)
        ]

    def _see(self, runner: Runner, feed: Mapping[str, np.ndarray], shape: tuple[int, int]) -> Iterator[Outputs]:
        grid = None if self.tiles.size is None else Grid.over(*shape, self.tiles.size, self.tiles.overlap)
        if grid is None or len(grid) == 1:
            yield from look(runner, feed, self.test_time, self._pad_multiple).singles()
            return
        for index in range(len(feed["images"])):

            def see(tile: Tile, index: int = index) -> tuple[Outputs, tuple[int, int]]:
                part = _tile_of(feed, index, tile, self._pad_multiple)
                return look(runner, part, self.test_time, self._pad_multiple), (tile.height, tile.width)

            yield Outputs(label_map_of_tiles(grid, see)[None], None, shape)

    def _original(self, sample: Sample, seen: Outputs, index: int) -> np.ndarray:
        shape = sample.im_shape or sample.size
        require_whole(_name(sample), shape, sample.scale_factor, sample.size)
        return seen.label_map(index, shape, sample.size)

    def _usable(self, sample: Sample) -> np.ndarray:
        if sample.label_map is None:
            raise DataError(f"{_name(sample)}: has no mask, so it cannot be trained on; is it a seg dataset?")
        labels = sample.label_map
        wrong = (labels >= len(self.classes)) & (labels != IGNORE)
        if wrong.any():
            raise DataError(
                f"{_name(sample)}: the mask holds the value {int(labels[wrong][0])}, but there are "
                f"{len(self.classes)} classes (0..{len(self.classes) - 1}; {IGNORE} is ignored); run `pdx check`"
            )
        return labels


def require_whole(
    name: str, shape: tuple[float, float], scale_factor: tuple[float, float], size: tuple[int, int]
) -> None:
    """Raise ConfigError when the network did not see the whole picture: its classes would land in the wrong places.

    shape: height and width in the network input; size: those of the original
    """
    if any(abs(full * scale - side) > 1 for full, scale, side in zip(size, scale_factor, shape, strict=True)):
        raise ConfigError(
            f"{name}: of {size[1]} x {size[0]} pixels the network sees only a part of {shape[1]:g} x {shape[0]:g}; "
            "evaluation and prediction take transforms that resize or pad, not those that crop "
            "(Data.eval_transforms)"
        )


def padding_of(transforms: Sequence[Mapping[str, Any]]) -> int:
    """The multiple that the Normalize among evaluation transforms pads height and width to; 1 without padding."""
    multiples = [
        (options or {}).get("pad_multiple", 1)
        for transform in transforms
        for name, options in transform.items()
        if name == "Normalize"
    ]
    return int(multiples[-1]) if multiples else 1


def _cut(
    feed: Mapping[str, np.ndarray], members: list[int], shape: tuple[int, int], multiple: int
) -> Mapping[str, np.ndarray]:
    """The images `members` of a batch, which all have `shape`, with no more padding than they would have alone."""
    height, width = _padded(shape, multiple)
    images = feed["images"]
    if len(members) < len(images):
        images = images[members[0] : members[-1] + 1]
    if images.shape[2:] != (height, width):
        images = np.ascontiguousarray(images[:, :, :height, :width])
    return {
        "images": images,
        "im_shape": feed["im_shape"][members],
        "scale_factor": feed["scale_factor"][members],
    }


def _tile_of(feed: Mapping[str, np.ndarray], index: int, tile: Tile, multiple: int) -> dict[str, np.ndarray]:
    """One tile of one image as a batch."""
    rows, columns = tile.window
    images = np.zeros((1, feed["images"].shape[1], *_padded((tile.height, tile.width), multiple)), np.float32)
    images[0, :, : tile.height, : tile.width] = feed["images"][index, :, rows, columns]
    return {
        "images": images,
        "im_shape": np.array([[tile.height, tile.width]], np.float32),
        "scale_factor": np.ones((1, 2), np.float32),
    }


def _padded(shape: tuple[int, int], multiple: int) -> tuple[int, int]:
    height, width = (-(-side // multiple) * multiple for side in shape)
    return height, width


def _name(sample: Sample) -> str:
    return sample.path or str(sample.id)
