"""What one worker does with one sample: read it and transform it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import attrs
import numpy as np

from pdx_core.data.order import SAMPLE_STREAM, random_stream
from pdx_core.data.sample import Sample
from pdx_core.errors import ConfigError, DataError, PdxError, WorkFailedError


@attrs.define(kw_only=True)
class SampleWork:
    """Reads and transforms samples; can be sent to another process.

    replace: a broken sample is replaced by the next readable one of the dataset (training), else left out (evaluation)
    """

    reader: Any
    transforms: tuple[Callable, ...]
    seed: int = 0
    keep_truth: bool = True
    skip_broken: bool = False
    replace: bool = False

    def __call__(self, epoch: int, index: int) -> tuple[Sample | None, list[tuple[int, str]]]:
        """The sample, its image still uint8 [H, W, 3], and (index, reason) of broken ones met on the way."""
        broken: list[tuple[int, str]] = []
        count = len(self.reader)
        for step in range(count if self.replace else 1):
            candidate = (index + step) % count
            try:
                return self._prepare(epoch, candidate), broken
            except DataError as error:
                if not self.skip_broken:
                    raise
                broken.append((candidate, str(error)))
        if self.replace:
            raise DataError(f"no sample of the dataset can be read; the first one: {broken[0][1]}")
        return None, broken

    def _prepare(self, epoch: int, index: int) -> Sample:
        try:
            sample = self.reader[index]
        except PdxError:
            raise
        except Exception as error:
            raise WorkFailedError(
                f"reading {name_sample(self.reader, index)} failed: {type(error).__name__}: {error}"
            ) from error
        if self.keep_truth:
            sample.truth = attrs.evolve(sample, image=None, truth=None)
        rng = random_stream(self.seed, epoch, index, SAMPLE_STREAM)
        for transform in self.transforms:
            try:
                sample = transform(sample, rng)
            except PdxError as error:
                raise type(error)(f"{_name(transform)}, sample {index} ({sample.path}): {error}") from error
            except Exception as error:
                raise WorkFailedError(
                    f"transform {_name(transform)} failed on sample {index} ({sample.path}): "
                    f"{type(error).__name__}: {error}"
                ) from error
        return sample


@attrs.frozen
class Pipeline:
    """Transforms in three groups: on uint8 pictures, the normalisation, and on the float32 planes inside the batch."""

    before: tuple[Callable, ...]
    normalize: Any
    after: tuple[Any, ...]

    @classmethod
    def of(cls, transforms: Sequence[Callable]) -> Pipeline:
        """Split a list at its Normalize; ConfigError when there is none or something cannot stand behind it."""
        places = [index for index, transform in enumerate(transforms) if hasattr(transform, "write")]
        if len(places) != 1:
            found = ", ".join(_name(transform) for transform in transforms) or "none"
            raise ConfigError(f"the transforms must contain Normalize exactly once; they are: {found}")
        at = places[0]
        for transform in transforms[at + 1 :]:
            if not hasattr(transform, "on_tensor"):
                raise ConfigError(f"{_name(transform)} works on uint8 pictures; put it before Normalize")
        for transform in transforms[:at]:
            if hasattr(transform, "on_tensor"):
                raise ConfigError(f"{_name(transform)} works on normalised pixels; put it after Normalize")
        return cls(tuple(transforms[:at]), transforms[at], tuple(transforms[at + 1 :]))


def name_sample(reader: Any, index: int) -> str:
    """ "sample 17 (photos/cat.jpg)", without reading it."""
    describe = getattr(reader, "describe", None)
    return f"sample {index} ({describe(index)})" if describe else f"sample {index}"


def image_shape(sample: Sample) -> tuple[int, int]:
    """Height and width without padding."""
    return sample.im_shape or sample.image.shape[:2]


def batch_shape(samples: Sequence[Sample], multiple: int) -> tuple[int, int]:
    """Height and width that hold every picture, rounded up to a multiple."""
    sizes = np.array([sample.image.shape[:2] for sample in samples]).max(axis=0)
    height, width = (-(-sizes // multiple) * multiple).tolist()
    return height, width


def _name(transform: Any) -> str:
    return getattr(transform, "__name__", type(transform).__name__)
