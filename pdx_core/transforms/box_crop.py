"""Cuts out a window that shows enough of some object."""

from __future__ import annotations

import math

import attrs
import numpy as np
from attrs import validators as v

from pdx_core.data.sample import Sample
from pdx_core.errors import ConfigError
from pdx_core.transforms.geometry import crop_sample, keep_boxes
from pdx_core.transforms.values import is_positive, is_probability, to_range


@attrs.frozen(kw_only=True)
class RandomBoxCrop:
    """A window whose overlap with some box reaches a threshold, drawn from `thresholds` (Liu et al. 2016, SSD).

    thresholds: IoU of the window with a box; None among them leaves the picture as it is
    scale:      side of the window relative to the picture's, before `ratio` is applied
    ratio:      how much wider than high the window is, relative to the picture
    keep_all:   every box, not just one, has to reach the threshold

    Boxes whose centre lies outside the window are dropped. The thresholds are tried in random order, each `attempts`
    times; a picture without boxes, or for which no window is found, stays as it is.
    """

    thresholds: tuple[float | None, ...] = attrs.field(
        default=(None, 0.0, 0.1, 0.3, 0.5, 0.7, 0.9),
        converter=tuple,
        validator=v.deep_iterable(v.optional(is_probability), v.min_len(1)),
    )
    scale: tuple[float, float] = attrs.field(default=(0.3, 1.0), converter=to_range)
    ratio: tuple[float, float] = attrs.field(default=(0.5, 2.0), converter=to_range)
    attempts: int = attrs.field(default=50, validator=is_positive)
    keep_all: bool = False

    def __attrs_post_init__(self) -> None:
        if self.scale[0] <= 0 or self.scale[1] > 1 or self.ratio[0] <= 0:
            raise ConfigError(
                f"scale must lie within (0, 1] and ratio be positive; got {list(self.scale)} and {list(self.ratio)}"
            )

    def __call__(self, sample: Sample, rng: np.random.Generator) -> Sample:
        if sample.boxes is None or not len(sample.boxes):
            return sample
        for index in rng.permutation(len(self.thresholds)):
            threshold = self.thresholds[index]
            if threshold is None:
                return sample
            for _ in range(self.attempts):
                cropped = self._try(sample, threshold, rng)
                if cropped is not None:
                    return cropped
        return sample

    def _try(self, sample: Sample, threshold: float, rng: np.random.Generator) -> Sample | None:
        height, width = sample.image.shape[:2]
        scale = rng.uniform(*self.scale)
        low, high = (
            max(self.ratio[0], scale**2),
            min(self.ratio[1], scale**-2),
        )  # else a side would exceed the picture's
        ratio = rng.uniform(min(low, high), max(low, high))
        window_height = min(height, max(1, int(height * scale / math.sqrt(ratio))))
        window_width = min(width, max(1, int(width * scale * math.sqrt(ratio))))
        x = int(rng.integers(width - window_width + 1))
        y = int(rng.integers(height - window_height + 1))
        xyxy = sample.boxes.xyxy
        overlap = _overlap(np.array([x, y, x + window_width, y + window_height], np.float32), xyxy)
        if (overlap.min() if self.keep_all else overlap.max()) < threshold:
            return None
        centre = (xyxy[:, :2] + xyxy[:, 2:]) / 2
        inside = ((centre >= (x, y)) & (centre < (x + window_width, y + window_height))).all(axis=1)
        if not inside.any():
            return None
        cropped = crop_sample(keep_boxes(sample, inside), x, y, window_width, window_height)
        return cropped if len(cropped.boxes) else None


def _overlap(window: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """IoU of one window [4] with boxes [n, 4]: float32 [n]."""
    shared = np.clip(np.minimum(window[2:], boxes[:, 2:]) - np.maximum(window[:2], boxes[:, :2]), 0, None).prod(axis=1)
    areas = np.clip(boxes[:, 2:] - boxes[:, :2], 0, None).prod(axis=1)
    return shared / np.maximum(areas + (window[2:] - window[:2]).prod() - shared, 1e-10)
