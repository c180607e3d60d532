"""Cuts a window out of a sample."""

from __future__ import annotations

import math

import attrs
import numpy as np

from pdx_core.data.sample import Sample
from pdx_core.errors import ConfigError
from pdx_core.transforms.geometry import IGNORE_INDEX, crop_sample
from pdx_core.transforms.pad import pad_to
from pdx_core.transforms.resize import Resample
from pdx_core.transforms.values import Size, is_positive, is_probability, to_colour, to_range, to_size


@attrs.frozen(kw_only=True)
class CenterCrop:
    """The middle `size` of the picture, starting at the floor of half the surplus; padded first where it is smaller."""

    size: Size = attrs.field(converter=to_size)
    fill: tuple[float, ...] = attrs.field(default=(0, 0, 0), converter=to_colour)
    ignore_index: int = IGNORE_INDEX

    def __call__(self, sample: Sample, rng: np.random.Generator) -> Sample:
        crop_height, crop_width = self.size
        sample = pad_to(sample, crop_height, crop_width, self.fill, self.ignore_index, centre=True)
        height, width = sample.image.shape[:2]
        return crop_sample(sample, (width - crop_width) // 2, (height - crop_height) // 2, crop_width, crop_height)


@attrs.frozen(kw_only=True)
class RandomCrop:
    """A window of `size` anywhere in the picture, which is padded (right and below) where it is smaller.

    min_visible: share of a box that must remain inside for it to be kept
    """

    size: Size = attrs.field(converter=to_size)
    fill: tuple[float, ...] = attrs.field(default=(0, 0, 0), converter=to_colour)
    ignore_index: int = IGNORE_INDEX
    min_visible: float = attrs.field(default=0.0, validator=is_probability)

    def __call__(self, sample: Sample, rng: np.random.Generator) -> Sample:
        crop_height, crop_width = self.size
        sample = pad_to(sample, crop_height, crop_width, self.fill, self.ignore_index, centre=False)
        height, width = sample.image.shape[:2]
        x = int(rng.integers(width - crop_width + 1))
        y = int(rng.integers(height - crop_height + 1))
        return crop_sample(sample, x, y, crop_width, crop_height, self.min_visible)


@attrs.frozen(kw_only=True)
class RandomResizedCrop(Resample):
    """A window of random area and aspect ratio, resized to `size` (Szegedy et al., "Going deeper with convolutions").

    scale: share of the picture's area; ratio: width / height, drawn on a logarithmic scale
    Where no window fits in `attempts` tries, the largest central one within `ratio` is taken.
    """

    size: Size = attrs.field(converter=to_size)
    scale: tuple[float, float] = attrs.field(default=(0.08, 1.0), converter=to_range)
    ratio: tuple[float, float] = attrs.field(default=(3 / 4, 4 / 3), converter=to_range)
    attempts: int = attrs.field(default=10, validator=is_positive)
    min_visible: float = attrs.field(default=0.0, validator=is_probability)

    def __attrs_post_init__(self) -> None:
        if self.scale[0] <= 0 or self.scale[1] > 1 or self.ratio[0] <= 0:
            raise ConfigError(
                f"scale must lie within (0, 1] and ratio be positive; got {list(self.scale)} and {list(self.ratio)}"
            )

    def __call__(self, sample: Sample, rng: np.random.Generator) -> Sample:
        height, width = sample.image.shape[:2]
        x, y, window_width, window_height = self._window(height, width, rng)
        sample = crop_sample(sample, x, y, window_width, window_height, self.min_visible)
        return self.to(sample, *self.size)

    def _window(self, height: int, width: int, rng: np.random.Generator) -> tuple[int, int, int, int]:
        low, high = math.log(self.ratio[0]), math.log(self.ratio[1])
        for _ in range(self.attempts):
            area = height * width * rng.uniform(*self.scale)
            ratio = math.exp(rng.uniform(low, high))
            window_width, window_height = round(math.sqrt(area * ratio)), round(math.sqrt(area / ratio))
            if 0 < window_width <= width and 0 < window_height <= height:
                x = int(rng.integers(width - window_width + 1))
                y = int(rng.integers(height - window_height + 1))
                return x, y, window_width, window_height
        window_width = min(width, max(1, round(height * self.ratio[1])))
        window_height = min(height, max(1, round(width / self.ratio[0])))
        return (width - window_width) // 2, (height - window_height) // 2, window_width, window_height
