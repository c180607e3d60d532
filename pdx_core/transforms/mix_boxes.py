"""Lays two pictures with boxes over each other."""

from __future__ import annotations

import attrs
import numpy as np

from pdx_core.data.sample import Boxes, Sample
from pdx_core.errors import ConfigError
from pdx_core.opencv import require_cv2
from pdx_core.transforms.values import is_positive, is_probability


@attrs.frozen(kw_only=True)
class BoxMixup:
    """Blend pictures of a batch pair by pair; both keep their boxes, with the shares as weights (Zhang et al. 2019).

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
    image = require_cv2().addWeighted(_on_canvas(first, height, width), share,
                                      _on_canvas(second, height, width), 1 - share, 0)  # fmt: skip
    boxes = _together(first.boxes, second.boxes, share)
    return attrs.evolve(first, image=image, boxes=boxes, masks=None, im_shape=(height, width))


def _on_canvas(sample: Sample, height: int, width: int) -> np.ndarray:
    if sample.image.shape[:2] == (height, width):
        return sample.image
    canvas = np.zeros((height, width, 3), sample.image.dtype)
    canvas[: sample.image.shape[0], : sample.image.shape[1]] = sample.image
    return canvas


def _together(first: Boxes, second: Boxes, share: float) -> Boxes:
    values = {}
    for field in attrs.fields(Boxes):
        parts = [getattr(first, field.name), getattr(second, field.name)]
        values[field.name] = None if any(part is None for part in parts) else np.concatenate(parts)
    weights = np.concatenate([first.weights * share, second.weights * (1 - share)]).astype(np.float32)
    return attrs.evolve(Boxes(**values), weights=weights)
