"""Resizes arrays with OpenCV or Pillow.

The two disagree: when shrinking, Pillow averages over all source pixels (antialiasing), OpenCV's bilinear and bicubic
look at the nearest 4 or 16 only. Published networks were trained with one or the other.
"""

from __future__ import annotations

import numpy as np

from pdx_core.opencv import require_cv2

INTERPOLATIONS = ("nearest", "bilinear", "bicubic", "area", "lanczos")
BACKENDS = ("cv2", "pil")

_CV2_FLAGS = {
    "nearest": "INTER_NEAREST",
    "bilinear": "INTER_LINEAR",
    "bicubic": "INTER_CUBIC",
    "area": "INTER_AREA",
    "lanczos": "INTER_LANCZOS4",
}
_PIL_FILTERS = {"nearest": "NEAREST", "bilinear": "BILINEAR", "bicubic": "BICUBIC", "area": "BOX", "lanczos": "LANCZOS"}


def resize_image(
    image: np.ndarray, height: int, width: int, interpolation: str = "bilinear", backend: str = "cv2"
) -> np.ndarray:
    """Stretch [H, W] or [H, W, 3] to `height` x `width`; the dtype stays.

    "area" is INTER_AREA of OpenCV or the box filter of Pillow.
    """
    if image.shape[:2] == (height, width):
        return image
    if backend == "pil":
        from PIL import Image

        resample = getattr(Image.Resampling, _PIL_FILTERS[interpolation])
        return np.asarray(Image.fromarray(image).resize((width, height), resample))
    cv2 = require_cv2()
    return cv2.resize(image, (width, height), interpolation=getattr(cv2, _CV2_FLAGS[interpolation]))
