"""Random erasing (Zhong et al. 2020): covers a rectangle of the normalised picture."""

from __future__ import annotations

import math

import attrs
import numpy as np
from attrs import validators as v

from pdx_core.data.sample import Sample
from pdx_core.errors import ConfigError
from pdx_core.transforms.values import is_positive, is_probability, one_of, to_range


@attrs.frozen(kw_only=True)
class RandomErasing:
    """Cover a rectangle in a share `prob` of the pictures; stands after Normalize.

    area:      range of the covered share
    ratio:     height / width lies within [ratio, 1 / ratio], drawn on a logarithmic scale unless `log_ratio` is false
    mode:      "const" fills with `value`, "rand" with one normal random colour, "pixel" with normal noise
    """

    prob: float = attrs.field(default=0.25, validator=is_probability)
    area: tuple[float, float] = attrs.field(default=(0.02, 1 / 3), converter=to_range)
    ratio: float = attrs.field(default=0.3, validator=[is_positive, v.le(1)])
    attempts: int = attrs.field(default=10, validator=is_positive)
    mode: str = attrs.field(default="pixel", validator=one_of("const", "rand", "pixel"))
    value: float = 0.0
    log_ratio: bool = True

    def __attrs_post_init__(self) -> None:
        if self.area[0] <= 0 or self.area[1] >= 1:
            raise ConfigError(f"area must lie within (0, 1); got {list(self.area)}")

    def __call__(self, sample: Sample, rng: np.random.Generator) -> Sample:
        if sample.image.dtype != np.float32:
            raise ConfigError("RandomErasing works on normalised pixels; put it after Normalize")
        planes = sample.image.copy()
        self.on_tensor(planes, rng)
        return attrs.evolve(sample, image=planes)

    def on_tensor(self, planes: np.ndarray, rng: np.random.Generator) -> None:
        """Change float32 [3, H, W] in place."""
        if rng.random() >= self.prob:
            return
        height, width = planes.shape[1:]
        low, high = (math.log(self.ratio), -math.log(self.ratio)) if self.log_ratio else (self.ratio, 1 / self.ratio)
        for _ in range(self.attempts):
            area = height * width * rng.uniform(*self.area)
            ratio = rng.uniform(low, high)
            ratio = math.exp(ratio) if self.log_ratio else ratio
            box_height, box_width = round(math.sqrt(area * ratio)), round(math.sqrt(area / ratio))
            if 0 < box_height < height and 0 < box_width < width:
                y = int(rng.integers(height - box_height + 1))
                x = int(rng.integers(width - box_width + 1))
                planes[:, y : y + box_height, x : x + box_width] = self._cover(box_height, box_width, rng)
                return

    def _cover(self, height: int, width: int, rng: np.random.Generator) -> np.ndarray | float:
        if self.mode == "const":
            return self.value
        if self.mode == "rand":
            return rng.standard_normal((3, 1, 1), dtype=np.float32)
        return rng.standard_normal((3, height, width), dtype=np.float32)
