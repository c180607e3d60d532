"""Decodes mask files into the numbers or colours they hold, never into what a palette makes of them."""

from __future__ import annotations

import io
import struct
import zlib

import attrs
import numpy as np

from pdx_core.image_headers import ImageError, ImageHeader
from pdx_core.images import check_header
from pdx_core.opencv import require_cv2

_LOSSY = frozenset({"JPEG", "MPO", "JPEG2000"})
_GREY, _PALETTE = 0, 3  # colour types of PNG
_LEFT_OUT = frozenset({b"PLTE", b"tRNS", b"bKGD", b"hIST", b"sPLT", b"sBIT"})  # chunks about colours


@attrs.frozen(eq=False)
class RawMask:
    """What a file holds.

    values: uint8, uint16 or int32 [H, W]; or [H, W, 3] of the colours, RGB; after the file's own EXIF rotation
    alpha:  "", "opaque" or "transparent": what a further channel says
    lossy:  the name of a format that changes values; "" for the others
    """

    values: np.ndarray
    alpha: str = ""
    lossy: str = ""

    @property
    def coloured(self) -> bool:
        return self.values.ndim == 3

    @property
    def deep(self) -> bool:
        """Whether a value takes more than a byte."""
        return self.values.dtype != np.uint8


def decode_mask(data: bytes, max_megapixels: float | None) -> RawMask:
    """Raises ImageError (without the file's name) for what is no whole image or is too large."""
    header = check_header(data, max_megapixels)
    values = None
    if header.format == "PNG" and b"eXIf" not in data:
        values = _decode_png(data)
    if values is None:
        values = _decode_with_pillow(data)
    lossy = header.format if header.format in _LOSSY or _is_lossy_webp(data, header) else ""
    return _without_alpha(values, lossy)


def _decode_png(data: bytes) -> np.ndarray | None:
    """With OpenCV; None for what only Pillow reads without changing the numbers."""
    depth, colour_type = data[24], data[25]  # the header chunk comes first, `check_header` made sure
    if depth < 8:
        return None  # OpenCV would stretch them to 0..255
    if colour_type == _PALETTE or (colour_type == _GREY and b"tRNS" in data):
        # A palette PNG holds its indices as a grey one does its levels. Reading it as such takes about half as long as
        # with Pillow, which would give the indices too; OpenCV would give colours.
        data = _as_grey(data)
    cv2 = require_cv2()
    try:
        values = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error:
        return None
    if values is None or values.ndim == 2:
        return values
    return cv2.cvtColor(values, cv2.COLOR_BGRA2RGBA if values.shape[2] == 4 else cv2.COLOR_BGR2RGB)


def _as_grey(data: bytes) -> bytes:
    """The same PNG declared as grey, without the chunks about its colours."""
    parts, position = [data[:8]], 8
    while position + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, position)
        kind, end = data[position + 4 : position + 8], position + 12 + length
        if kind == b"IHDR":
            body = data[position + 8 : position + 17] + bytes([_GREY]) + data[position + 18 : position + 21]
            parts.append(struct.pack(">I", length) + kind + body + struct.pack(">I", zlib.crc32(kind + body)))
        elif kind not in _LEFT_OUT:
            parts.append(data[position:end])
        position = end
    return b"".join(parts)


def _decode_with_pillow(data: bytes) -> np.ndarray:
    from PIL import Image, ImageOps

    try:
        with Image.open(io.BytesIO(data)) as image:
            depth = data[24] if image.format == "PNG" else 8
            ImageOps.exif_transpose(image, in_place=True)
            mode = image.mode
            if mode == "L" and depth in (2, 4):  # Pillow stretches these levels to 0..255
                return np.asarray(image) // (255 // (2**depth - 1))
            if mode in ("1", "L", "P", "RGB", "RGBA"):
                return np.asarray(image).astype(np.uint8)
            if mode.startswith("I;16"):
                return np.asarray(image).astype(np.uint16)
            if mode in ("I", "F"):
                return _whole_numbers(np.asarray(image))
            return np.asarray(image.convert("RGBA" if mode.endswith(("A", "a")) else "RGB"))
    except (OSError, ValueError, SyntaxError, EOFError, IndexError, KeyError, TypeError, OverflowError) as error:
        raise ImageError(f"the image cannot be decoded ({error}); replace the file", "image-undecodable") from error
    except (Image.DecompressionBombError, MemoryError) as error:
        raise ImageError(f"the image is far too large ({error}); shrink it", "image-too-large") from error


def _whole_numbers(values: np.ndarray) -> np.ndarray:
    """int32 of integers or of floats that are whole; ImageError for others."""
    if not np.isfinite(values).all() or (values != np.round(values)).any() or np.abs(values).max(initial=0) > 1e9:
        raise ImageError("it holds fractions, not class indices; save it as 8-bit PNG", "image-fractions")
    return values.astype(np.int32)


def _without_alpha(values: np.ndarray, lossy: str) -> RawMask:
    if values.ndim == 3 and values.shape[2] == 4:
        alpha = values[..., 3]
        full = 255 if values.dtype == np.uint8 else 65535
        return RawMask(
            np.ascontiguousarray(values[..., :3]), "opaque" if int(alpha.min()) == full else "transparent", lossy
        )
    return RawMask(values, "", lossy)


def _is_lossy_webp(data: bytes, header: ImageHeader) -> bool:
    return header.format == "WEBP" and b"VP8L" not in data[:64]
