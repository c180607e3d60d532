"""Reads and writes images: any path, any common format, one orientation and one colour order.

The order of work is always bytes, header, size limit, decoding, so that a hostile or broken file costs nothing.
"""

from __future__ import annotations

import io
import os
from pathlib import Path

import numpy as np

from pdx_core.errors import DataError
from pdx_core.files import atomic_write
from pdx_core.image_files import IMAGE_SUFFIXES as IMAGE_SUFFIXES
from pdx_core.image_headers import ImageError, ImageHeader, read_header
from pdx_core.opencv import require_cv2

DEFAULT_MAX_MEGAPIXELS = 100.0

_CV2_FORMATS = frozenset({"JPEG", "PNG"})  # decoded by OpenCV, about 1.5 times as fast; the others by Pillow


def read_image(
    source: str | os.PathLike | bytes, *, max_megapixels: float | None = DEFAULT_MAX_MEGAPIXELS
) -> np.ndarray:
    """Decode an image file, or its bytes, into uint8 [H, W, 3], RGB.

    The EXIF orientation is applied. 16-bit images lose their low bytes, transparency is dropped, CMYK is converted, and
    of an animation the first frame is taken. `max_megapixels` None switches the size limit off.

    Raises DataError, naming the file, for what cannot be read, is cut off, is not an image or is too large.
    """
    data, name = _bytes_of(source)
    try:
        header = check_header(data, max_megapixels)
        return _decode(data, header)
    except ImageError as error:
        raise ImageError(f"{name}: {error}", error.code) from error


def check_image(
    source: str | os.PathLike | bytes, *, max_megapixels: float | None = DEFAULT_MAX_MEGAPIXELS
) -> ImageHeader:
    """Make sure that `read_image` will succeed, more cheaply where the format allows; the same errors."""
    data, name = _bytes_of(source)
    try:
        header = check_header(data, max_megapixels)
        _decode(data, header, draft=True)
    except ImageError as error:
        raise ImageError(f"{name}: {error}", error.code) from error
    return header


def check_header(data: bytes, max_megapixels: float | None) -> ImageHeader:
    """The header of a whole image that is within the size limit; DataError (without a name) otherwise."""
    header = read_header(data)
    if max_megapixels is not None and header.megapixels > max_megapixels:
        raise ImageError(
            f"the image is {header.width} x {header.height} pixels = {header.megapixels:.0f} megapixels, the limit is "
            f"{max_megapixels:g}; shrink it, or raise the limit with -o Data.max_megapixels={header.megapixels:.0f}",
            "image-too-large",
        )
    return header


def read_file_bytes(path: str | os.PathLike) -> bytes:
    """The bytes of a file; DataError naming it when it cannot be read."""
    try:
        return Path(path).read_bytes()
    except FileNotFoundError:
        raise ImageError(f"{path}: no such file; check the path", "image-missing") from None
    except IsADirectoryError:
        raise ImageError(f"{path}: is a folder, not an image", "image-missing") from None
    except OSError as error:
        raise ImageError(f"{path}: cannot be read: {error.strerror or error}", "image-unreadable") from error
    except ValueError as error:  # a zero byte inside the path
        raise ImageError(f"{os.fspath(path)!r}: not a possible path: {error}", "image-missing") from error


def write_image(path: str | os.PathLike, image: np.ndarray, *, quality: int = 95) -> None:
    """Write uint8 [H, W, 3] RGB or [H, W] as the suffix says (.jpg, .png, .webp ...), atomically.

    quality: of JPEG and WebP, 1 to 100
    """
    path = Path(path)
    data = encode_image(image, path.suffix or ".png", quality=quality)
    with atomic_write(path) as stream:
        stream.write(data)


def encode_image(image: np.ndarray, suffix: str, *, quality: int = 95) -> bytes:
    """The bytes of an image file. image: uint8 [H, W, 3] RGB or [H, W]. Raises DataError for an unknown suffix."""
    cv2 = require_cv2()
    if image.ndim == 3:
        image = cv2.cvtColor(np.ascontiguousarray(image), cv2.COLOR_RGB2BGR)
    parameters = {
        ".jpg": [cv2.IMWRITE_JPEG_QUALITY, quality],
        ".jpeg": [cv2.IMWRITE_JPEG_QUALITY, quality],
        ".webp": [cv2.IMWRITE_WEBP_QUALITY, quality],
    }.get(suffix.lower(), [])
    try:
        done, encoded = cv2.imencode(suffix.lower(), image, parameters)
    except cv2.error:
        done = False
    if not done:
        raise DataError(f"cannot write an image as {suffix!r}; use .png or .jpg")
    return encoded.tobytes()


def _bytes_of(source: str | os.PathLike | bytes) -> tuple[bytes, str]:
    if isinstance(source, (bytes, bytearray, memoryview)):
        return bytes(source), "image data"
    return read_file_bytes(source), os.fspath(source)


def _decode(data: bytes, header: ImageHeader, draft: bool = False) -> np.ndarray:
    """`draft` decodes a JPEG at an eighth of its size, which still reads every byte."""
    if header.format not in _CV2_FORMATS or header.channels == 4:
        return _decode_with_pillow(data)
    cv2 = require_cv2()
    # OpenCV 4.10 and later decode to RGB; swapping the channels afterwards takes as much memory again.
    direct = getattr(cv2, "IMREAD_COLOR_RGB", None)
    flag = cv2.IMREAD_COLOR if direct is None else direct
    if draft and header.format == "JPEG":
        flag = cv2.IMREAD_REDUCED_COLOR_8
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), flag)
    except cv2.error:
        image = None
    if image is None:
        return _decode_with_pillow(data)  # slower, but it says what is wrong, and it reads a few files OpenCV does not
    if draft or direct is not None:
        return image
    return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)


def _decode_with_pillow(data: bytes) -> np.ndarray:
    from PIL import Image, ImageOps

    try:
        with Image.open(io.BytesIO(data)) as image:
            ImageOps.exif_transpose(image, in_place=True)  # else it copies even what it does not turn
            if image.mode.startswith("I;16") or image.mode == "I":
                return _reduce_16_bit(np.asarray(image))
            return np.asarray(image if image.mode == "RGB" else image.convert("RGB"))
    except (OSError, ValueError, SyntaxError, EOFError, IndexError, KeyError, TypeError, OverflowError) as error:
        raise ImageError(f"the image cannot be decoded ({error}); replace the file", "image-undecodable") from error
    except (Image.DecompressionBombError, MemoryError) as error:
        raise ImageError(f"the image is far too large ({error}); shrink it", "image-too-large") from error


def _reduce_16_bit(values: np.ndarray) -> np.ndarray:
    """Grey levels 0..65535 to uint8 [H, W, 3] by dropping the low byte, as OpenCV does for PNG."""
    grey = (np.clip(values, 0, 65535).astype(np.uint16) >> 8).astype(np.uint8)
    return np.repeat(grey[..., None], 3, axis=2)
