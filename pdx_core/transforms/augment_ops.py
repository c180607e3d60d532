"""The single operations that AutoAugment and RandAugment choose from.

Each takes a sample and a strength, named for its unit; those that move pixels take boxes and masks along. The
photometric ones are Pillow's, because the policies were searched with Pillow.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import attrs
import numpy as np

from pdx_core.data.sample import Sample
from pdx_core.transforms.geometry import warp_sample


@attrs.frozen
class Look:
    """How the geometric operations fill and sample."""

    fill: tuple[float, ...] = (124.0, 116.0, 104.0)  # the ImageNet mean colour
    interpolation: str = "bilinear"


def shear_x(sample: Sample, factor: float, look: Look) -> Sample:
    return _warp(sample, [[1, factor, 0], [0, 1, 0]], look)


def shear_y(sample: Sample, factor: float, look: Look) -> Sample:
    return _warp(sample, [[1, 0, 0], [factor, 1, 0]], look)


def translate_x(sample: Sample, share: float, look: Look) -> Sample:
    return _warp(sample, [[1, 0, share * sample.image.shape[1]], [0, 1, 0]], look)


def translate_y(sample: Sample, share: float, look: Look) -> Sample:
    return _warp(sample, [[1, 0, 0], [0, 1, share * sample.image.shape[0]]], look)


def rotate(sample: Sample, degrees: float, look: Look) -> Sample:
    """Round the centre; positive turns counter-clockwise."""
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    centre = np.array([sample.image.shape[1] / 2, sample.image.shape[0] / 2])
    turn = np.array([[cos, sin], [-sin, cos]])
    return _warp(sample, np.column_stack([turn, centre - turn @ centre]), look)


def auto_contrast(sample: Sample, _: float, look: Look) -> Sample:
    return _with_pillow(sample, lambda image, ops: ops.autocontrast(image))


def equalize(sample: Sample, _: float, look: Look) -> Sample:
    return _with_pillow(sample, lambda image, ops: ops.equalize(image))


def invert(sample: Sample, _: float, look: Look) -> Sample:
    return attrs.evolve(sample, image=255 - sample.image)


def posterize(sample: Sample, bits: float, look: Look) -> Sample:
    """Keep the `bits` highest bits of each value."""
    kept = int(bits)
    if kept >= 8:
        return sample
    return attrs.evolve(sample, image=sample.image & np.uint8(256 - (1 << (8 - max(0, kept)))))


def solarize(sample: Sample, threshold: float, look: Look) -> Sample:
    """Invert the values from `threshold` up."""
    return attrs.evolve(sample, image=np.where(sample.image < threshold, sample.image, 255 - sample.image))


def solarize_add(sample: Sample, amount: float, look: Look) -> Sample:
    """Brighten the values below 128."""
    brighter = np.minimum(sample.image.astype(np.int16) + int(amount), 255).astype(np.uint8)
    return attrs.evolve(sample, image=np.where(sample.image < 128, brighter, sample.image))


def color(sample: Sample, factor: float, look: Look) -> Sample:
    return _enhance(sample, "Color", factor)


def contrast(sample: Sample, factor: float, look: Look) -> Sample:
    return _enhance(sample, "Contrast", factor)


def brightness(sample: Sample, factor: float, look: Look) -> Sample:
    return _enhance(sample, "Brightness", factor)


def sharpness(sample: Sample, factor: float, look: Look) -> Sample:
    return _enhance(sample, "Sharpness", factor)


def _warp(sample: Sample, matrix: Any, look: Look) -> Sample:
    return warp_sample(sample, np.asarray(matrix, np.float64), look.fill, look.interpolation)


def _enhance(sample: Sample, name: str, factor: float) -> Sample:
    from PIL import ImageEnhance

    return _with_pillow(sample, lambda image, _: getattr(ImageEnhance, name)(image).enhance(factor))


def _with_pillow(sample: Sample, change: Callable[[Any, Any], Any]) -> Sample:
    from PIL import Image, ImageOps

    return attrs.evolve(sample, image=np.asarray(change(Image.fromarray(sample.image), ImageOps)))
