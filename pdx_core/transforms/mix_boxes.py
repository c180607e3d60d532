"""Lays two pictures with boxes, or boxes and masks, over each other."""

from __future__ import annotations

from typing import Any

import attrs
import numpy as np

from pdx_core.data.sample import Boxes, Sample
from pdx_core.errors import ConfigError
from pdx_core.opencv import require_cv2
from pdx_core.transforms.geometry import pad_sample
from pdx_core.transforms.values import is_positive, is_probability


@attrs.frozen(kw_only=True)
class BoxMixup:
    """Blend pictures of a batch pair by pair; both keep their boxes and masks, with the shares as weights of the boxes
    (Zhang et al. 2019).

    alpha: the share comes from Beta(alpha, alpha)
    prob:  share of the pictures that get a partner

    A canvas holds both at their own size, top left. Paddle's release blends before all other augmentation; here it is
    done after it, on the pictures of a batch, so that none has to be read twice.
    """

    alpha: float = attrs.field(default=1.5, validator=is_positive)
    prob: float = attrs.field(default=1.0, validator=is_probability)

    def on_samples(self, samples: list[Sample], rng: np.random.Generator) -> list[Sample]:
        if len(samples) < 2:
            return samples
        order = rng.permutation(len(samples))
        partner = np.empty(len(samples), np.int64)
        partner[order] = np.roll(order, 1)  # one circle: nobody is its own partner
        shares = rng.beta(self.alpha, self.alpha, len(samples))
        chosen = rng.random(len(samples)) < self.prob
        return [
            _blend(sample, samples[partner[index]], float(shares[index])) if chosen[index] else sample
            for index, sample in enumerate(samples)
        ]


def _blend(first: Sample, second: Sample, share: float) -> Sample:
    """`share` of the first picture and the rest of the second."""
    if first.boxes is None or second.boxes is None:
        raise ConfigError("BoxMixup needs boxes; this task has none")
    height = max(first.image.shape[0], second.image.shape[0])
    width = max(first.image.shape[1], second.image.shape[1])
    first, second = (_on_canvas(sample, height, width) for sample in (first, second))
    image = require_cv2().addWeighted(first.image, share, second.image, 1 - share, 0)
    boxes, masks = _together(first.boxes, second.boxes, share), _masks_together(first, second)
    return attrs.evolve(first, image=image, boxes=boxes, masks=masks, im_shape=(height, width))


def _on_canvas(sample: Sample, height: int, width: int) -> Sample:
    """The sample at its own size in the top left corner of a black picture."""
    return pad_sample(sample, 0, 0, width - sample.image.shape[1], height - sample.image.shape[0])


def _masks_together(first: Sample, second: Sample) -> Any:
    """The masks of both in the order of the boxes; None where neither has any."""
    if first.masks is None and second.masks is None:
        return None
    for sample, other in ((first, second), (second, first)):
        if sample.masks is None and len(sample.boxes):
            raise ConfigError(f"BoxMixup: {sample.path} has boxes without masks, and {other.path} has masks")
    masks = [sample.masks if sample.masks is not None else [] for sample in (first, second)]
    if all(isinstance(part, np.ndarray) for part in masks):
        return np.concatenate(masks)
    return [*masks[0], *masks[1]]


def _together(first: Boxes, second: Boxes, share: float) -> Boxes:
    values = {}
    for field in attrs.fields(Boxes):
        parts = [getattr(first, field.name), getattr(second, field.name)]
        values[field.name] = None if any(part is None for part in parts) else np.concatenate(parts)
    weights = np.concatenate([first.weights * share, second.weights * (1 - share)]).astype(np.float32)
    return attrs.evolve(Boxes(**values), weights=weights)
