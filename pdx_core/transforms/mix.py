"""Mixes the pictures of a classification batch with one another, and their labels in the same shares."""

from __future__ import annotations

import math
from collections.abc import Sequence

import attrs
import numpy as np
from attrs import validators as v

from pdx_core.data.batch import Batch
from pdx_core.errors import ConfigError
from pdx_core.transforms.values import is_positive, is_probability


@attrs.frozen(kw_only=True)
class Mixer:
    """What Mixup and CutMix share.

    Mixers of one list are alternatives: each is chosen with its `prob`, and with what is missing to 1 nothing is mixed.
    Labels become float32 [N, num_classes] either way. Partners come from the same process's batch.
    """

    alpha: float = attrs.field(default=0.2, validator=is_positive)
    prob: float = attrs.field(default=1.0, validator=is_probability)
    num_classes: int | None = attrs.field(default=None, validator=v.optional(is_positive))

    def mix(self, images: np.ndarray, partner: np.ndarray, rng: np.random.Generator) -> float:
        """Mix `images` float32 [N, 3, H, W] in place; returns the share each picture keeps of itself."""
        raise NotImplementedError


@attrs.frozen(kw_only=True)
class Mixup(Mixer):
    """Blend pairs of pictures (Zhang et al. 2018); the share is drawn from Beta(alpha, alpha) once per batch."""

    def mix(self, images: np.ndarray, partner: np.ndarray, rng: np.random.Generator) -> float:
        share = float(rng.beta(self.alpha, self.alpha))
        other = images[partner]
        other *= np.float32(1 - share)
        images *= np.float32(share)
        images += other
        return share


@attrs.frozen(kw_only=True)
class CutMix(Mixer):
    """Paste a rectangle of one picture into another (Yun et al. 2019); the share is the area that stays."""

    alpha: float = attrs.field(default=1.0, validator=is_positive)

    def mix(self, images: np.ndarray, partner: np.ndarray, rng: np.random.Generator) -> float:
        height, width = images.shape[2:]
        side = math.sqrt(1 - float(rng.beta(self.alpha, self.alpha)))
        half_height, half_width = int(height * side) // 2, int(width * side) // 2
        y, x = int(rng.integers(height)), int(rng.integers(width))
        top, bottom = max(0, y - half_height), min(height, y + half_height)
        left, right = max(0, x - half_width), min(width, x + half_width)
        images[:, :, top:bottom, left:right] = images[:, :, top:bottom, left:right][partner]
        return 1 - (bottom - top) * (right - left) / (height * width)


class MixerChoice:
    """Applies at most one of several mixers to a batch."""

    def __init__(self, mixers: Sequence[Mixer]) -> None:
        total = sum(mixer.prob for mixer in mixers)
        if total > 1 + 1e-9:
            raise ConfigError(
                f"Mixup and CutMix are alternatives, so their prob may sum to 1 at most; got {total:g} "
                "(for an even choice give each prob: 0.5)"
            )
        if any(mixer.num_classes is None for mixer in mixers):
            raise ConfigError("Mixup and CutMix need num_classes")
        self.mixers = list(mixers)
        self.num_classes: int = mixers[0].num_classes

    def __call__(self, batch: Batch, rng: np.random.Generator) -> Batch:
        """targets["label"] int64 [N] becomes float32 [N, K]; images are mixed in place."""
        label = batch.targets.get("label")
        if label is None:
            raise ConfigError("Mixup and CutMix need class labels; this task has none")
        soft = one_hot(label, self.num_classes)
        partner = rng.permutation(len(label))
        mixer = self._choose(rng)
        if mixer is not None and len(label) > 1:
            share = np.float32(mixer.mix(batch.images, partner, rng))
            soft = share * soft + (1 - share) * soft[partner]
        batch.targets["label"] = soft
        return batch

    def _choose(self, rng: np.random.Generator) -> Mixer | None:
        left = rng.random()
        for mixer in self.mixers:
            left -= mixer.prob
            if left < 0:
                return mixer
        return None


def one_hot(label: np.ndarray, num_classes: int) -> np.ndarray:
    """int [N] -> float32 [N, num_classes]; soft labels pass through."""
    if label.ndim == 2:
        return label.astype(np.float32)
    return np.eye(num_classes, dtype=np.float32)[label]
