"""The colours of classes in label pictures, those of PaddleSeg's and PaddleX's pseudo-colour pictures."""

from __future__ import annotations

import functools

import numpy as np

from pdx_seg.labels import IGNORE

IGNORE_COLOUR = (224, 224, 192)  # RGB; the off-white in which Pascal VOC shows its void pixels


def palette(count: int) -> np.ndarray:
    """One colour per class.

    count:   1 to 256
    returns: uint8 [count, 3], RGB; row 0 is (128, 0, 0): Paddle leaves out the black with which Pascal VOC's starts
    """
    if not 1 <= count <= 256:
        raise ValueError(f"a palette has 1 to 256 colours, not {count}")
    return _whole()[:count].copy()


def mask_palette() -> np.ndarray:
    """uint8 [256, 3]: the palette that label PNGs are written with; ignored pixels are off-white."""
    colours = _whole().copy()
    colours[IGNORE] = IGNORE_COLOUR
    return colours


@functools.cache
def _whole() -> np.ndarray:
    """uint8 [256, 3]: bits 0, 1, 2 of the number give the highest bits of red, green and blue, 3, 4, 5 the next."""
    numbers = np.arange(1, 257)
    colours = np.zeros((256, 3), np.int64)
    for place in range(3):
        for channel in range(3):
            colours[:, channel] |= (numbers >> (3 * place + channel) & 1) << (7 - place)
    return colours.astype(np.uint8)
