"""Tiles: where they lie, and that the label map put together from them is that of the whole picture."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from pdx_core.config import resolve
from pdx_core.errors import ConfigError
from pdx_core.tiles import Grid
from pdx_seg.mosaic import label_map_of_tiles
from pdx_seg.outputs import Outputs
from pdx_seg.scores import best_classes, stretched, without_padding


@pytest.mark.parametrize(
    ("length", "size", "overlap", "starts"),
    [
        (10, 10, 0, (0,)),
        (7, 10, 3, (0,)),
        (11, 10, 2, (0, 1)),
        (20, 10, 0, (0, 10)),
        (20, 10, 2, (0, 5, 10)),
        (26, 10, 2, (0, 8, 16)),
    ],
)
def test_where_tiles_begin(length, size, overlap, starts):
    assert Grid.over(length, 5, size, overlap / size).tops == starts


def test_tiles_cover_everything_and_overlap_enough():
    rng = np.random.default_rng(0)
    for _ in range(300):
        height, width = rng.integers(1, 400, 2).tolist()
        size, overlap = int(rng.integers(32, 120)), float(rng.uniform(0, 0.9))
        grid = Grid.over(height, width, size, overlap)
        seen = np.zeros((height, width), np.int64)
        for tile in grid:
            assert seen[tile.window].shape == (tile.height, tile.width)
            seen[tile.window] += 1
        assert seen.min() == 1
        for starts, side in ((grid.tops, grid.tile_height), (grid.lefts, grid.tile_width)):
            for first, second in itertools.pairwise(starts):
                assert 0 < second - first <= side - min(round(size * overlap), side - 1)


def mosaic_of(scores, size, overlap, labels_only=False):
    """Cut the scores of a whole picture as tiles would see them, and put them together again."""
    grid = Grid.over(*scores.shape[1:], size, overlap)

    def see(tile):
        part = scores[(slice(None), *tile.window)]
        frame = (tile.height, tile.width)
        if labels_only:
            return Outputs(part.argmax(axis=0).astype(np.uint8)[None], None, frame), frame
        return Outputs(None, part[None], frame), frame

    return label_map_of_tiles(grid, see)


@pytest.mark.parametrize("labels_only", [False, True])
@pytest.mark.parametrize("shape", [(200, 150), (150, 200), (40, 300), (300, 40), (65, 65), (64, 64)])
@pytest.mark.parametrize("overlap", [0.0, 0.25, 0.6, 0.9])
def test_a_network_that_sees_no_borders_gives_the_whole_picture(shape, overlap, labels_only):
    scores = np.random.default_rng(3).random((4, *shape), np.float32)
    found = mosaic_of(scores, 64, overlap, labels_only)
    assert found.dtype == np.uint8 and (found == scores.argmax(axis=0)).all()


def test_overlaps_are_blended_by_the_distance_from_the_border():
    """Two tiles of 64 over 96 columns share 32. One says class 1 by 1.0, the other class 0 by 0.45."""
    grid = Grid.over(64, 96, 64, 0.5)
    assert grid.lefts == (0, 32)

    def see(tile):
        scores = np.zeros((1, 2, 64, 64), np.float32)
        scores[0, 1 - tile.column] = 1.0 - 0.55 * tile.column
        return Outputs(None, scores, (64, 64)), (64, 64)

    labels = label_map_of_tiles(grid, see)
    assert (labels == labels[0]).all()
    # in the shared columns p = 0..31 the first weighs (32 - p) / 33, the second (p + 1) / 33 at 0.45 of the score
    first, second = (32 - np.arange(32)) / 33, 0.45 * (np.arange(32) + 1) / 33
    assert labels[0].tolist() == [1] * 32 + (first > second).astype(int).tolist() + [0] * 32


def test_rows_and_columns_are_treated_alike():
    """The strip that is carried along runs along the shorter side, so a turned picture must give the turned map."""
    rng = np.random.default_rng(5)
    parts = {}

    def see(tile):
        return Outputs(None, parts.setdefault((tile.y, tile.x), rng.random((1, 3, 64, 64), np.float32)), (64, 64)), (
            64,
            64,
        )

    wide = label_map_of_tiles(Grid.over(100, 170, 64, 0.3), see)

    def see_turned(tile):
        return Outputs(None, parts[tile.x, tile.y].transpose(0, 1, 3, 2), (64, 64)), (64, 64)

    tall = label_map_of_tiles(Grid.over(170, 100, 64, 0.3), see_turned)
    assert (wide == tall.T).all()


def blended(shape, size, overlap, see):
    """The definition, with the scores of the whole picture in memory."""
    grid = Grid.over(*shape, size, overlap)
    sums = np.zeros((3, *shape))
    for tile in grid:
        weights = []
        for starts, at, side in (
            (grid.tops, tile.row, tile.height),
            (grid.lefts, tile.column, tile.width),
        ):
            place = np.arange(side)
            before = starts[at - 1] + side - starts[at] if at else 0
            after = starts[at] + side - starts[at + 1] if at + 1 < len(starts) else 0
            weights.append(np.minimum(1, np.minimum((place + 1) / (before + 1), (side - place) / (after + 1))))
        sums[(slice(None), *tile.window)] += see(tile) * weights[0][:, None] * weights[1]
    return sums


@pytest.mark.parametrize("shape", [(150, 90), (90, 150), (70, 333)])
@pytest.mark.parametrize("overlap", [0.1, 0.45, 0.75])
def test_the_small_memory_gives_the_same_as_the_large_one(shape, overlap):
    rng = np.random.default_rng(8)
    parts = {}

    def see(tile):
        return parts.setdefault((tile.y, tile.x), rng.random((3, tile.height, tile.width), np.float32))

    def look(tile):
        frame = (tile.height, tile.width)
        return Outputs(None, see(tile)[None], frame), frame

    found = label_map_of_tiles(Grid.over(*shape, 64, overlap), look)
    assert (found == blended(shape, 64, overlap, see).argmax(axis=0)).mean() > 0.9999  # ties of rounding


@pytest.mark.paddle
def test_scores_are_resized_as_networks_do():
    import paddle
    import paddle.nn.functional as F

    scores = np.random.default_rng(2).normal(size=(5, 13, 9)).astype(np.float32)
    for size in ((104, 72), (37, 200), (5, 4)):
        wanted = F.interpolate(paddle.to_tensor(scores[None]), size, mode="bilinear", align_corners=False).numpy()[0]
        assert (best_classes(scores, size) == wanted.argmax(axis=0)).mean() > 0.999
        assert np.abs(np.stack([stretched(plane, size) for plane in scores]) - wanted).max() < 1e-4


def test_padding_is_cut_off_before_scores_are_resized():
    scores = np.arange(16, dtype=np.float32).reshape(1, 4, 4)
    assert without_padding(scores, (32, 32), (32, 32)) is scores
    assert without_padding(scores, (32, 32), (16, 24))[0].tolist() == [[0, 1, 2], [4, 5, 6]]
    assert without_padding(scores, (32, 32), (17, 24)).shape == (1, 17, 24)  # the picture ends between cells


def test_the_settings():
    config = resolve(
        "FastSCNN", overrides=["Evaluate.tiles.size=512", "Predict.tiles={size: [512, 1024], overlap: 0.5}"]
    )
    assert config.config.evaluate.tiles.size == 512
    assert config.config.predict.tiles.size == (512, 1024)
    for wrong in ("Evaluate.tiles.size=8", "Evaluate.tiles.size=[512, 8]", "Evaluate.tiles.overlap=0.95"):
        with pytest.raises(ConfigError, match="tiles"):
            resolve("FastSCNN", overrides=[wrong])
