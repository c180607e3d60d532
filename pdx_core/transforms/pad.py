"""Adds a border."""

from __future__ import annotations

import attrs
import numpy as np
from attrs import validators as v

from pdx_core.data.sample import Sample
from pdx_core.errors import ConfigError
from pdx_core.transforms.geometry import IGNORE_INDEX, pad_sample
from pdx_core.transforms.values import Size, is_positive, to_colour, to_optional_size


@attrs.frozen(kw_only=True)
class Pad:
    """Pad to at least `size`, or until both sides are multiples of `divisor`; right and below unless `centre`."""

    size: Size | None = attrs.field(default=None, converter=to_optional_size)
    divisor: int | None = attrs.field(default=None, validator=v.optional(is_positive))
    fill: tuple[float, ...] = attrs.field(default=(0, 0, 0), converter=to_colour)
    ignore_index: int = IGNORE_INDEX
    centre: bool = False

    def __attrs_post_init__(self) -> None:
        if (self.size is None) == (self.divisor is None):
            raise ConfigError("give either size or divisor")

    def __call__(self, sample: Sample, rng: np.random.Generator) -> Sample:
        height, width = sample.image.shape[:2]
        if self.size is not None:
            target_height, target_width = self.size
        else:
            target_height = -(-height // self.divisor) * self.divisor
            target_width = -(-width // self.divisor) * self.divisor
        return pad_to(sample, target_height, target_width, self.fill, self.ignore_index, self.centre)


def pad_to(sample: Sample, height: int, width: int, fill: tuple[float, ...], ignore_index: int, centre: bool) -> Sample:
    """Pad to at least `height` x `width`; with `centre` the odd pixel goes to the right and below."""
    missing_y = max(0, height - sample.image.shape[0])
    missing_x = max(0, width - sample.image.shape[1])
    left, top = (missing_x // 2, missing_y // 2) if centre else (0, 0)
    return pad_sample(sample, left, top, missing_x - left, missing_y - top, fill, ignore_index)
