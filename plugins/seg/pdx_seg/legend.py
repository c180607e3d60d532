"""Lays class colours over a photo and writes the names of the classes under it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pdx_core.drawing import load_font, shorten
from pdx_core.opencv import require_cv2

_LEAST_WIDTH = 280  # pixels of a picture with a legend: below it names cannot be read
_ENLARGED_HEIGHT = 1000  # pixels; up to it small pictures are enlarged
_OPACITY = 0.55  # of the colours


def draw_overlay(
    image: np.ndarray, label_map: np.ndarray, colours: np.ndarray, untouched: int | None = None
) -> np.ndarray:
    """The image tinted with the colour of each pixel's class.

    image:     uint8 [H, W, 3], RGB; not changed
    label_map: uint8 or int [H, W]
    colours:   uint8 [n, 3], RGB, one row per value of the label map
    untouched: value whose pixels stay as they are
    returns:   uint8 [H, W, 3], RGB
    """
    cv2 = require_cv2()
    tinted = cv2.addWeighted(colours[label_map], _OPACITY, image, 1 - _OPACITY, 0)
    if untouched is not None:
        np.copyto(tinted, image, where=(label_map == untouched)[..., None])
    return tinted


def add_legend(image: np.ndarray, entries: Sequence[tuple[str, str, Sequence[int]]]) -> np.ndarray:
    """The image with a legend under it, in as many lines as it takes.

    image:   uint8 [H, W, 3], RGB
    entries: name, what stands behind it (a share; never cut off), and colour of each class
    returns: uint8 [H', W', 3], RGB; a very small image is enlarged by a whole number of pixels for each of its own
    """
    from PIL import Image, ImageDraw

    if not entries:
        return image
    height, width = image.shape[:2]
    factor = min(-(-_LEAST_WIDTH // width), max(1, _ENLARGED_HEIGHT // height))
    if factor > 1:
        image = image.repeat(factor, axis=0).repeat(factor, axis=1)
    height, width = image.shape[:2]
    total = max(width, _LEAST_WIDTH)
    size = max(12, min(40, total // 45))  # pixels
    gap, room = size // 2, total - size
    placed, x, line = [], gap, 0
    for name, tail, colour in entries:
        font = load_font(name + tail, size)
        text = shorten(name, tail, font, room - 2 * size)
        wide = round(size * 1.4 + font.getlength(text)) + size
        if x > gap and x + wide > total:
            x, line = gap, line + 1
        placed.append((x, line, text, font, tuple(int(value) for value in colour)))
        x += wide
    step = round(size * 1.5)
    picture = Image.new("RGB", (total, height + (line + 1) * step + gap), "white")
    picture.paste(Image.fromarray(np.ascontiguousarray(image)), (0, 0))
    draw = ImageDraw.Draw(picture)
    for x, line, text, font, colour in placed:
        y = height + gap + line * step
        draw.rectangle((x, y, x + size, y + size), fill=colour, outline=(60, 60, 60))
        draw.text((x + round(size * 1.4), y + size / 2), text, fill=(20, 20, 20), font=font, anchor="lm")
    return np.asarray(picture)
