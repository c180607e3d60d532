"""Mirrors a sample."""

from __future__ import annotations

import attrs
import numpy as np

from pdx_core.data.sample import Sample
from pdx_core.transforms.geometry import flip_sample
from pdx_core.transforms.values import is_probability


@attrs.frozen(kw_only=True)
class RandomHorizontalFlip:
    """Swap left and right in a share `prob` of the samples."""

    prob: float = attrs.field(default=0.5, validator=is_probability)

    def __call__(self, sample: Sample, rng: np.random.Generator) -> Sample:
        return flip_sample(sample, horizontal=True) if rng.random() < self.prob else sample


@attrs.frozen(kw_only=True)
class RandomVerticalFlip:
    """Swap top and bottom in a share `prob` of the samples."""

    prob: float = attrs.field(default=0.5, validator=is_probability)

    def __call__(self, sample: Sample, rng: np.random.Generator) -> Sample:
        return flip_sample(sample, horizontal=False) if rng.random() < self.prob else sample
