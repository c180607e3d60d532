"""Draws text, boxes and colours onto RGB images, in any script the machine has a font for."""

from __future__ import annotations

import functools
import importlib.util
import logging
import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from PIL import ImageDraw

logger = logging.getLogger(__name__)

FONT_VARIABLE = "PDX_FONT"  # path of a .ttf, .ttc or .otf file that is used for every text

Colour = tuple[int, int, int]
_Area = tuple[float, float, float, float]  # x1 y1 x2 y2

# Where fonts with Chinese, Japanese and Korean glyphs usually are; the first hit is used. Nothing is ever downloaded.
_CJK_FOLDERS = (
    "/usr/share/fonts",
    "/usr/local/share/fonts",
    "~/.local/share/fonts",
    "~/.fonts",
    "/System/Library/Fonts",
    "/Library/Fonts",
    "C:/Windows/Fonts",
)
_CJK_NAMES = (
    "NotoSansCJK*.*",
    "NotoSansSC*.*",
    "SourceHanSans*.*",
    "wqy-*.tt*",
    "DroidSansFallback*.ttf",
    "PingFang.ttc",
    "Hiragino Sans GB.ttc",
    "msyh*.tt*",
    "simhei.ttf",
    "simsun.ttc",
)


def label_colour(index: int) -> Colour:
    """A colour for class `index`: neighbours differ strongly in hue, and the same index always looks the same."""
    import colorsys

    hue = (index * 0.618033988749895 + 0.58) % 1.0  # the golden ratio spreads any number of hues evenly
    value = (0.85, 0.65, 1.0)[index // 8 % 3]
    red, green, blue = colorsys.hsv_to_rgb(hue, 0.75, value)
    return round(red * 255), round(green * 255), round(blue * 255)


def text_colour(background: Colour) -> Colour:
    """Black or white, whichever has more contrast on `background` (relative luminance as WCAG 2 defines it)."""
    linear = [
        (channel / 255 / 12.92) if channel <= 10 else ((channel / 255 + 0.055) / 1.055) ** 2.4 for channel in background
    ]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return (0, 0, 0) if luminance > 0.179 else (255, 255, 255)


def draw_label(image: np.ndarray, text: str, *, tail: str = "", colour: Colour | None = None) -> np.ndarray:
    """Write `text` on a filled box in the upper left corner.

    image:   uint8 [H, W, 3], RGB; not changed
    tail:    kept whole when `text` has to be cut to the width of the image (a score)
    returns: uint8 [H, W, 3], RGB
    """
    from PIL import Image, ImageDraw

    picture = Image.fromarray(image)
    width = picture.size[0]
    margin = max(2, width // 100)
    size = fitting_size(text + tail, width - 4 * margin, low=max(10, width // 50), high=max(12, width // 20))
    draw_tag(
        ImageDraw.Draw(picture),
        (margin, margin),
        shorten(text, tail, load_font(text, size), width - 4 * margin),
        size,
        colour or label_colour(0),
    )
    return np.asarray(picture)


def draw_boxes(
    image: np.ndarray, xyxy: np.ndarray, texts: Iterable[str] | None = None, colours: Iterable[Colour] | None = None
) -> np.ndarray:
    """Draw frames with a tag above each one, or at another of its edges where that is taken or outside the image.

    image:   uint8 [H, W, 3], RGB; not changed
    xyxy:    [n, 4], x1 y1 x2 y2 in pixels of `image`
    returns: uint8 [H, W, 3], RGB
    """
    from PIL import Image, ImageDraw

    picture = Image.fromarray(image)
    draw = ImageDraw.Draw(picture)
    longest = max(picture.size)
    line, size = max(2, longest // 320), max(11, longest // 48)
    tags = list(texts) if texts is not None else [""] * len(xyxy)
    shades = list(colours) if colours is not None else [label_colour(index) for index in range(len(xyxy))]
    for box, shade in zip(xyxy, shades, strict=True):
        draw.rectangle(_ordered(box), outline=shade, width=line)
    taken: list[_Area] = []
    for at in reversed(range(len(tags))):  # the last box lies on top, so its tag gets the best place
        if tags[at]:
            width, height = _text_size(load_font(tags[at], size), tags[at])
            spot = _free_spot(_ordered(xyxy[at]), (width + size // 3, height + size // 3), picture.size, taken)
            taken.append(spot)
            draw_tag(draw, spot[:2], tags[at], size, shades[at])  # after the frames, so that none crosses a tag
    return np.asarray(picture)


def _free_spot(box: _Area, tag: tuple[int, int], picture: tuple[int, int], taken: list[_Area]) -> _Area:
    """Where a tag covers the least of others: above the box, inside its upper edge, below it, or along its sides."""
    (x1, y1, x2, y2), (width, height) = box, tag
    spots = []
    for x in (x1, x2 - width, (x1 + x2 - width) / 2):
        for y in (y1 - height, y1, y2, y2 - height):
            x_inside = min(max(0.0, x), max(0.0, float(picture[0] - width)))
            if 0 <= y <= picture[1] - height:
                spots.append((x_inside, y, x_inside + width, y + height))
    if not spots:
        spots = [(max(0.0, x1), max(0.0, y1), max(0.0, x1) + width, max(0.0, y1) + height)]
    return min(spots, key=lambda spot: sum(_shared(spot, other) for other in taken))  # of equals the first


def _shared(first: _Area, second: _Area) -> float:
    """Area that two rectangles have in common."""
    width = min(first[2], second[2]) - max(first[0], second[0])
    height = min(first[3], second[3]) - max(first[1], second[1])
    return max(0.0, width) * max(0.0, height)


def draw_tag(draw: ImageDraw.ImageDraw, corner: tuple[float, float], text: str, size: int, colour: Colour) -> None:
    """Write `text` in a filled box whose upper left corner is `corner`; the text is black or white, by contrast."""
    font = load_font(text, size)
    width, height = _text_size(font, text)
    pad = max(1, size // 6)
    x, y = corner
    draw.rectangle((x, y, x + width + 2 * pad, y + height + 2 * pad), fill=colour)
    left, top = draw.textbbox((0, 0), text, font=font)[:2]
    draw.text((x + pad - left, y + pad - top), text, fill=text_colour(colour), font=font)


def fitting_size(text: str, width: int, low: int, high: int) -> int:
    """The largest font size from `high` down to `low` at which `text` fits into `width` pixels; else `low`."""
    for size in range(high, low, -1):
        if _text_size(load_font(text, size), text)[0] <= width:
            return size
    return low


def shorten(text: str, tail: str, font: Any, width: int) -> str:
    """`text + tail`, with an ellipsis between the two when it is wider than `width` pixels."""
    if _text_size(font, text + tail)[0] <= width:
        return text + tail
    for end in range(len(text) - 1, 0, -1):
        candidate = text[:end].rstrip(" ,") + "…" + tail
        if _text_size(font, candidate)[0] <= width:
            return candidate
    return tail.strip() or text[:1]


def load_font(text: str, size: int) -> Any:
    """A font of `size` pixels with the glyphs of `text`."""
    return _font(font_file(text), size)


def font_file(text: str) -> Path | None:
    """The font to write `text` with: $PDX_FONT, a CJK font of the system where `text` needs one, else DejaVu Sans."""
    if os.environ.get(FONT_VARIABLE):
        return Path(os.environ[FONT_VARIABLE])
    if any(_is_cjk(character) for character in text):
        found = _cjk_font()
        if found is not None:
            return found
    return _dejavu()


@functools.lru_cache(maxsize=64)
def _font(path: Path | None, size: int) -> Any:
    from PIL import ImageFont

    if path is not None:
        try:
            return ImageFont.truetype(str(path), size)
        except OSError as error:
            logger.warning("cannot use the font %s: %s", path, error)
    try:
        return ImageFont.load_default(size)
    except TypeError:  # before Pillow 10.1 there is one size only
        return ImageFont.load_default()


@functools.cache
def _dejavu() -> Path | None:
    """The font that matplotlib ships, found without importing matplotlib (0.3 s)."""
    spec = importlib.util.find_spec("matplotlib")
    if spec is None or spec.origin is None:
        return None
    path = Path(spec.origin).parent / "mpl-data" / "fonts" / "ttf" / "DejaVuSans.ttf"
    return path if path.is_file() else None


@functools.cache
def _cjk_font() -> Path | None:
    for folder in (Path(name).expanduser() for name in _CJK_FOLDERS):
        if folder.is_dir():
            for pattern in _CJK_NAMES:
                found = sorted(folder.rglob(pattern))
                if found:
                    return found[0]
    logger.warning("no font with Chinese, Japanese or Korean characters found; set %s to one", FONT_VARIABLE)
    return None


def _is_cjk(character: str) -> bool:
    code = ord(character)
    return 0x2E80 <= code <= 0x9FFF or 0xAC00 <= code <= 0xD7AF or 0xF900 <= code <= 0xFAFF or 0xFF00 <= code <= 0xFFEF


def _text_size(font: Any, text: str) -> tuple[int, int]:
    left, top, right, bottom = font.getbbox(text)
    return int(right - left), int(bottom - top)


def _ordered(box: np.ndarray) -> tuple[float, float, float, float]:
    """Pillow refuses a rectangle whose second corner lies before the first."""
    x1, y1, x2, y2 = (float(value) for value in box)
    return x1, y1, max(x1, x2), max(y1, y2)
