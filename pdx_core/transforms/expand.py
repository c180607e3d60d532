"""Makes a picture smaller within its frame."""

from __future__ import annotations

import attrs
import numpy as np

from pdx_core.data.sample import Sample
from pdx_core.errors import ConfigError
from pdx_core.transforms.geometry import IGNORE_INDEX, pad_sample
from pdx_core.transforms.values import is_probability, to_colour


@attrs.frozen(kw_only=True)
class RandomExpand:
    """Put the picture somewhere on a canvas of `fill` that is up to `max_ratio` times as wide and high (Liu 2016, SSD).

    The resize that follows makes small objects of large ones.
    """

    max_ratio: float = 4.0
    prob: float = attrs.field(default=0.5, validator=is_probability)
    fill: tuple[float, ...] = attrs.field(default=(123.675, 116.28, 103.53), converter=to_colour)  # ImageNet's mean
    ignore_index: int = IGNORE_INDEX

    def __attrs_post_init__(self) -> None:
        if not self.max_ratio > 1:
            raise ConfigError(f"max_ratio must be above 1; got {self.max_ratio}")

    def __call__(self, sample: Sample, rng: np.random.Generator) -> Sample:
        if rng.random() >= self.prob:
            return sample
        ratio = rng.uniform(1, self.max_ratio)
        height, width = sample.image.shape[:2]
        extra_y, extra_x = int(height * ratio) - height, int(width * ratio) - width
        if extra_y < 1 or extra_x < 1:
            return sample
        top, left = int(rng.integers(extra_y + 1)), int(rng.integers(extra_x + 1))
        expanded = pad_sample(sample, left, top, extra_x - left, extra_y - top, self.fill, self.ignore_index)
        expanded.im_shape = expanded.image.shape[:2]  # the canvas is the picture now, not a border round it
        return expanded
