"""What a runtime is tried on: photos, or pictures drawn here, made ready for the network."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs
import numpy as np

from pdx_core.data.sample import Sample
from pdx_core.predictor import Prepared, feed_of, preparation

logger = logging.getLogger(__name__)


@attrs.frozen
class Feeds:
    """Input batches.

    batches: one per image, and one with all of them where they have one size: a graph must take any batch
    images:  how many pictures there are
    drawn:   whether they had to be drawn because there were no photos
    """

    batches: list[dict[str, np.ndarray]]
    images: int
    drawn: bool


def make_feeds(
    transforms: Sequence[Mapping[str, Any]], images: Sequence[str | Path | np.ndarray] = (), wanted: int = 8
) -> Feeds:
    """Prepare the first `wanted` images: paths, or uint8 [H, W, 3] arrays in RGB. Without any, pictures are drawn."""
    drawn = not len(images)
    if drawn:
        logger.info("no photos were given: comparing on %d drawn pictures", wanted)
        images = draw_pictures(wanted)
    elif len(images) < wanted:
        logger.info("comparing on %d photos, all that were given, instead of %d", len(images), wanted)
    prepare = preparation(transforms)
    prepared = [_prepared(item, prepare) for item in images[:wanted]]
    batches = [feed_of([image]) for image in prepared]
    if len(prepared) > 1 and len({image.planes.shape for image in prepared}) == 1:
        batches.append(feed_of(prepared))
    return Feeds(batches, len(prepared), drawn)


def draw_pictures(count: int) -> list[np.ndarray]:
    """Pictures with edges, textures and colours, in several sizes; the same ones every time."""
    from pdx_core.demo_scenes import SHAPES, draw_scene

    pictures = []
    for number in range(count):
        height, width = 240 + 40 * (number % 3), 320 - 40 * (number % 4)
        chosen = [(number + step) % len(SHAPES) for step in range(3)]
        pictures.append(draw_scene(np.random.default_rng(number), height, width, chosen)[0])
    return pictures


def _prepared(item: Any, prepare: Any) -> Prepared:
    from pdx_core.images import read_image

    image = item if isinstance(item, np.ndarray) else read_image(item)
    sample = prepare(Sample(image=image, size=image.shape[:2]))
    return Prepared.of(sample)
