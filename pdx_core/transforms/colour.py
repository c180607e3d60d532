"""Changes the colours of a picture and nothing else."""

from __future__ import annotations

import attrs
import numpy as np

from pdx_core.data.sample import Sample
from pdx_core.errors import ConfigError
from pdx_core.opencv import require_cv2
from pdx_core.transforms.values import is_probability

_GREY_WEIGHTS = np.array([0.299, 0.587, 0.114], np.float32)  # ITU-R BT.601 luma of R, G, B


@attrs.frozen(kw_only=True)
class ColorDistort:
    """Random brightness, contrast, saturation (factors in 1 ± value) and hue (± degrees), each with `prob`.

    The defaults are those of the SSD paper's data augmentation. With `shuffle` the four are applied in random order.
    """

    brightness: float = 0.5
    contrast: float = 0.5
    saturation: float = 0.5
    hue: float = 18.0
    prob: float = attrs.field(default=0.5, validator=is_probability)
    shuffle: bool = True

    def __attrs_post_init__(self) -> None:
        for name in ("brightness", "contrast", "saturation"):
            if not 0 <= getattr(self, name) <= 1:
                raise ConfigError(f"{name} must be between 0 and 1; got {getattr(self, name)}")
        if not 0 <= self.hue <= 180:
            raise ConfigError(f"hue is in degrees, 0 to 180; got {self.hue}")

    def __call__(self, sample: Sample, rng: np.random.Generator) -> Sample:
        steps = [
            (change_brightness, 1 + self.brightness * rng.uniform(-1, 1)),
            (change_contrast, 1 + self.contrast * rng.uniform(-1, 1)),
            (change_saturation, 1 + self.saturation * rng.uniform(-1, 1)),
            (shift_hue, self.hue * rng.uniform(-1, 1)),
        ]
        chosen = rng.random(4) < self.prob
        order = rng.permutation(4) if self.shuffle else range(4)
        image = sample.image
        for index in order:
            if chosen[index]:
                change, amount = steps[index]
                image = change(image, amount)
        return attrs.evolve(sample, image=image)


def change_brightness(image: np.ndarray, factor: float) -> np.ndarray:
    """Multiply; uint8 [H, W, 3], clipped to 0..255."""
    return _look_up(image, np.arange(256, dtype=np.float32) * factor)


def change_contrast(image: np.ndarray, factor: float) -> np.ndarray:
    """Move every value away from the picture's mean grey, or towards it."""
    mean = float(image.reshape(-1, 3).mean(axis=0, dtype=np.float64) @ _GREY_WEIGHTS)
    return _look_up(image, mean + (np.arange(256, dtype=np.float32) - mean) * factor)


def change_saturation(image: np.ndarray, factor: float) -> np.ndarray:
    """Move every pixel away from its own grey value, or towards it."""
    cv2 = require_cv2()
    grey = cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    return cv2.addWeighted(image, factor, grey, 1 - factor, 0)


def shift_hue(image: np.ndarray, degrees: float) -> np.ndarray:
    """Turn the colour circle; OpenCV's hue counts in units of two degrees."""
    cv2 = require_cv2()
    hsv = cv2.cvtColor(image, cv2.COLOR_RGB2HSV)
    hsv[..., 0] = (hsv[..., 0].astype(np.int16) + round(degrees / 2)) % 180
    return cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)


def _look_up(image: np.ndarray, table: np.ndarray) -> np.ndarray:
    return require_cv2().LUT(image, np.clip(np.rint(table), 0, 255).astype(np.uint8))
