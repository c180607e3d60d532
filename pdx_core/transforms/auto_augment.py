"""AutoAugment (Cubuk et al. 2019, ImageNet policy) and RandAugment (Cubuk et al. 2020, in timm's notation)."""

from __future__ import annotations

import re
from collections.abc import Callable

import attrs
import numpy as np

from pdx_core.data.sample import Sample
from pdx_core.errors import ConfigError
from pdx_core.transforms import augment_ops as ops
from pdx_core.transforms.values import is_probability, one_of, to_colour

# The ImageNet policy of the paper: (operation, probability, magnitude 0..9), twice per line.
_IMAGENET_POLICY = (
    (("posterize", 0.4, 8), ("rotate", 0.6, 9)),
    (("solarize", 0.6, 5), ("auto_contrast", 0.6, 5)),
    (("equalize", 0.8, 8), ("equalize", 0.6, 3)),
    (("posterize", 0.6, 7), ("posterize", 0.6, 6)),
    (("equalize", 0.4, 7), ("solarize", 0.2, 4)),
    (("equalize", 0.4, 4), ("rotate", 0.8, 8)),
    (("solarize", 0.6, 3), ("equalize", 0.6, 7)),
    (("posterize", 0.8, 5), ("equalize", 1.0, 2)),
    (("rotate", 0.2, 3), ("solarize", 0.6, 8)),
    (("equalize", 0.6, 8), ("posterize", 0.4, 6)),
    (("rotate", 0.8, 8), ("color", 0.4, 0)),
    (("rotate", 0.4, 9), ("equalize", 0.6, 2)),
    (("equalize", 0.0, 7), ("equalize", 0.8, 8)),
    (("invert", 0.6, 4), ("equalize", 1.0, 8)),
    (("color", 0.6, 4), ("contrast", 1.0, 8)),
    (("rotate", 0.8, 8), ("color", 1.0, 2)),
    (("color", 0.8, 8), ("solarize", 0.8, 7)),
    (("sharpness", 0.4, 7), ("invert", 0.6, 8)),
    (("shear_x", 0.6, 5), ("equalize", 1.0, 9)),
    (("color", 0.4, 0), ("equalize", 0.6, 3)),
    (("equalize", 0.4, 7), ("solarize", 0.2, 4)),
    (("solarize", 0.6, 5), ("auto_contrast", 0.6, 5)),
    (("invert", 0.6, 4), ("equalize", 1.0, 8)),
    (("color", 0.6, 4), ("contrast", 1.0, 8)),
    (("equalize", 0.8, 8), ("equalize", 0.6, 3)),
)


def _signed(value: float, rng: np.random.Generator) -> float:
    return value if rng.random() < 0.5 else -value


def _policy_strength(name: str, magnitude: int, rng: np.random.Generator) -> float:
    """The strength of a magnitude 0..9 in the paper's ranges."""
    share = magnitude / 9
    if name == "shear_x":
        return _signed(0.3 * share, rng)
    if name == "rotate":
        return _signed(30 * share, rng)
    if name == "posterize":
        return round(8 - 4 * share)
    if name == "solarize":
        return 256 * (1 - share)
    if name in ("color", "contrast", "sharpness"):
        return 1 + _signed(0.9 * share, rng)
    return 0.0


@attrs.frozen(kw_only=True)
class AutoAugment:
    """One random line of a policy: two operations, each with its own probability."""

    policy: str = attrs.field(default="imagenet", validator=one_of("imagenet"))
    prob: float = attrs.field(default=1.0, validator=is_probability)
    fill: tuple[float, ...] = attrs.field(default=ops.Look().fill, converter=to_colour)
    interpolation: str = attrs.field(default="bilinear", validator=one_of("nearest", "bilinear", "bicubic"))

    def __call__(self, sample: Sample, rng: np.random.Generator) -> Sample:
        if rng.random() >= self.prob:
            return sample
        look = ops.Look(self.fill, self.interpolation)
        for name, probability, magnitude in _IMAGENET_POLICY[int(rng.integers(len(_IMAGENET_POLICY)))]:
            if rng.random() < probability:
                sample = getattr(ops, name)(sample, _policy_strength(name, magnitude, rng), look)
        return sample


# RandAugment: level 0..10 -> strength. `inc1` in the notation picks the variant whose effect grows with the level.
_Strength = Callable[[float, np.random.Generator], float]


def _enhance_plain(level: float, rng: np.random.Generator) -> float:
    return level / 10 * 1.8 + 0.1


def _enhance_growing(level: float, rng: np.random.Generator) -> float:
    return max(0.1, 1 + _signed(level / 10 * 0.9, rng))


def _no_strength(level: float, rng: np.random.Generator) -> float:
    return 0.0


def _operations(growing: bool) -> tuple[tuple[str, _Strength], ...]:
    enhance = _enhance_growing if growing else _enhance_plain

    def bits(level: float, rng: np.random.Generator) -> float:
        return 4 - int(level / 10 * 4) if growing else int(level / 10 * 4)

    def threshold(level: float, rng: np.random.Generator) -> float:
        plain = min(256, int(level / 10 * 256))
        return 256 - plain if growing else plain

    return (
        ("auto_contrast", _no_strength),
        ("equalize", _no_strength),
        ("invert", _no_strength),
        ("rotate", lambda level, rng: _signed(level / 10 * 30, rng)),
        ("posterize", bits),
        ("solarize", threshold),
        ("solarize_add", lambda level, rng: min(128, int(level / 10 * 110))),
        ("color", enhance),
        ("contrast", enhance),
        ("brightness", enhance),
        ("sharpness", enhance),
        ("shear_x", lambda level, rng: _signed(level / 10 * 0.3, rng)),
        ("shear_y", lambda level, rng: _signed(level / 10 * 0.3, rng)),
        ("translate_x", lambda level, rng: _signed(level / 10 * 0.45, rng)),
        ("translate_y", lambda level, rng: _signed(level / 10 * 0.45, rng)),
    )


_OPERATIONS = {growing: _operations(growing) for growing in (False, True)}


@attrs.frozen
class _RandConfig:
    """magnitude: 0..10; layers: operations drawn per picture; deviation: of the magnitude; prob: of each operation."""

    magnitude: float = 10.0
    layers: int = 2
    deviation: float = 0.0
    growing: bool = False
    prob: float = 0.5


def parse_rand_config(text: str) -> _RandConfig:
    """Read timm's notation: `rand-m9-mstd0.5-inc1` (m magnitude, n layers, mstd deviation, inc growing, p prob)."""
    kind, *parts = str(text).split("-")
    values: dict[str, float] = {}
    for part in parts:
        match = re.fullmatch(r"(mstd|m|n|inc|p)(\d+(?:\.\d+)?)", part)
        if match is None:
            raise ConfigError(f"{text!r}: {part!r} is not one of m9, n2, mstd0.5, inc1, p0.5")
        values[match[1]] = float(match[2])
    if kind != "rand" or values.get("p", 0.5) > 1:
        raise ConfigError(f"RandAugment is written like rand-m9-mstd0.5-inc1; got {text!r}")
    return _RandConfig(
        magnitude=values.get("m", 10.0),
        layers=int(values.get("n", 2)),
        deviation=values.get("mstd", 0.0),
        growing=bool(values.get("inc", 0)),
        prob=values.get("p", 0.5),
    )


@attrs.frozen(kw_only=True)
class RandAugment:
    """A few operations drawn at random, each with the strength that `config` says.

    config: timm's notation, see `parse_rand_config`; with a deviation the level is drawn anew each time; it is kept
            within 0..10, so that m15 is m10, as in timm
    prob:   share of the pictures that are touched at all
    """

    config: str = "rand-m9-mstd0.5-inc1"
    prob: float = attrs.field(default=1.0, validator=is_probability)
    fill: tuple[float, ...] = attrs.field(default=ops.Look().fill, converter=to_colour)
    interpolation: str = attrs.field(default="random", validator=one_of("nearest", "bilinear", "bicubic", "random"))
    _parsed: _RandConfig = attrs.field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        object.__setattr__(self, "_parsed", parse_rand_config(self.config))

    def __call__(self, sample: Sample, rng: np.random.Generator) -> Sample:
        if rng.random() >= self.prob:
            return sample
        settings = self._parsed
        operations = _OPERATIONS[settings.growing]
        for index in rng.integers(len(operations), size=settings.layers):
            name, strength = operations[index]
            if rng.random() >= settings.prob:
                continue
            level = settings.magnitude
            if settings.deviation:
                level = rng.normal(level, settings.deviation)
            how = self.interpolation if self.interpolation != "random" else ("bilinear", "bicubic")[rng.integers(2)]
            level = float(np.clip(level, 0, 10))
            sample = getattr(ops, name)(sample, strength(level, rng), ops.Look(self.fill, how))
        return sample
