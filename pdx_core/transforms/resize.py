"""Changes the size of a sample."""

from __future__ import annotations

import attrs
import numpy as np
from attrs import validators as v

from pdx_core.data.sample import Sample
from pdx_core.errors import ConfigError
from pdx_core.transforms.geometry import resize_sample
from pdx_core.transforms.interpolation import BACKENDS, INTERPOLATIONS
from pdx_core.transforms.values import Size, is_positive, one_of, to_size


@attrs.frozen(kw_only=True)
class Resample:
    """The filter and the library of a resize."""

    interpolation: str = attrs.field(default="bilinear", validator=one_of(*INTERPOLATIONS))
    backend: str = attrs.field(default="cv2", validator=one_of(*BACKENDS))

    def to(self, sample: Sample, height: int, width: int) -> Sample:
        return resize_sample(sample, max(1, height), max(1, width), self.interpolation, self.backend)


@attrs.frozen(kw_only=True)
class Resize(Resample):
    """Resize to exactly `size`, or with `keep_ratio` to the largest size that fits into it.

    divisor: both sides are rounded up to a multiple of it, which stretches the picture a little
    """

    size: Size = attrs.field(converter=to_size)
    keep_ratio: bool = False
    divisor: int = attrs.field(default=1, validator=[v.instance_of(int), is_positive])

    def __call__(self, sample: Sample, rng: np.random.Generator) -> Sample:
        wanted_height, wanted_width = self.size
        if self.keep_ratio:
            height, width = sample.image.shape[:2]
            factor = min(wanted_height / height, wanted_width / width)
            wanted_height, wanted_width = round(height * factor), round(width * factor)
        return self.to(sample, *(-(-side // self.divisor) * self.divisor for side in (wanted_height, wanted_width)))


@attrs.frozen(kw_only=True)
class ResizeShort(Resample):
    """Resize so that the shorter side is `size`, and the longer one at most `max_size`.

    Both sides are int(round(side * (size / shorter side))), as in PaddleClas; with `max_size` a half is rounded up, as
    in PaddleDetection.
    """

    size: int = attrs.field(validator=[v.instance_of(int), is_positive])
    max_size: int | None = attrs.field(default=None, validator=v.optional(is_positive))

    def __call__(self, sample: Sample, rng: np.random.Generator) -> Sample:
        return _resize_short(self, sample, self.size, self.max_size)


@attrs.frozen(kw_only=True)
class RandomResizeShort(Resample):
    """`ResizeShort` to one of several sizes, drawn for each sample (the training of R-CNN)."""

    sizes: tuple[int, ...] = attrs.field(converter=tuple, validator=v.deep_iterable(is_positive, v.min_len(1)))
    max_size: int | None = attrs.field(default=None, validator=v.optional(is_positive))

    def __call__(self, sample: Sample, rng: np.random.Generator) -> Sample:
        return _resize_short(self, sample, self.sizes[int(rng.integers(len(self.sizes)))], self.max_size)


def _resize_short(resample: Resample, sample: Sample, size: int, max_size: int | None) -> Sample:
    height, width = sample.image.shape[:2]
    factor = size / min(height, width)
    if max_size is None:
        return resample.to(sample, round(height * factor), round(width * factor))
    factor = min(factor, max_size / max(height, width))
    return resample.to(sample, int(height * factor + 0.5), int(width * factor + 0.5))


@attrs.frozen(kw_only=True)
class ResizeLong(Resample):
    """Resize so that the longer side is `size`."""

    size: int = attrs.field(validator=[v.instance_of(int), is_positive])

    def __call__(self, sample: Sample, rng: np.random.Generator) -> Sample:
        height, width = sample.image.shape[:2]
        factor = self.size / max(height, width)
        return self.to(sample, round(height * factor), round(width * factor))


@attrs.frozen(kw_only=True)
class RandomScale(Resample):
    """Resize by a factor between `low` and `high`, in steps of `step` (0: any factor)."""

    low: float = attrs.field(default=0.5, validator=is_positive)
    high: float = attrs.field(default=2.0, validator=is_positive)
    step: float = attrs.field(default=0.25, validator=v.ge(0))

    def __attrs_post_init__(self) -> None:
        if self.low > self.high:
            raise ConfigError(f"low must not be above high; got {self.low} and {self.high}")

    def __call__(self, sample: Sample, rng: np.random.Generator) -> Sample:
        if self.step:
            factor = self.low + self.step * int(rng.integers(round((self.high - self.low) / self.step) + 1))
        else:
            factor = float(rng.uniform(self.low, self.high))
        height, width = sample.image.shape[:2]
        return self.to(sample, round(height * factor), round(width * factor))


@attrs.frozen(kw_only=True)
class BatchRandomResize(Resample):
    """Resize every sample of a batch to one size, drawn per batch and equal in all processes.

    interpolations: the filter is drawn from these too (the detectors of Paddle use all); () keeps `interpolation`
    """

    interpolations: tuple[str, ...] = attrs.field(
        default=(), converter=tuple, validator=v.deep_iterable(one_of(*INTERPOLATIONS))
    )
    sizes: tuple[Size, ...] = attrs.field(converter=lambda sizes: tuple(to_size(size) for size in sizes))

    def __attrs_post_init__(self) -> None:
        if not self.sizes:
            raise ConfigError("sizes must name at least one size")

    def on_samples(self, samples: list[Sample], rng: np.random.Generator) -> list[Sample]:
        height, width = self.sizes[int(rng.integers(len(self.sizes)))]
        resample: Resample = self
        if self.interpolations:
            chosen = self.interpolations[int(rng.integers(len(self.interpolations)))]
            resample = Resample(interpolation=chosen, backend=self.backend)
        return [resample.to(sample, height, width) for sample in samples]
