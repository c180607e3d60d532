"""How large a picture is, read from the head of its file without decoding it."""

from __future__ import annotations

import os
import struct
import warnings

from pdx_core.image_headers import ImageError

_ORIENTATION = 274  # EXIF tag
_TURNED = frozenset({5, 6, 7, 8})  # orientations in which width and height change places


def displayed_size(path: str | os.PathLike) -> tuple[int, int]:
    """Width and height as `pdx_core.images.read_image` gives them: after the EXIF rotation; errors as below."""
    return size_and_orientation(path)[0]


def size_and_orientation(path: str | os.PathLike) -> tuple[tuple[int, int], int]:
    """Width and height after the EXIF rotation, and the EXIF orientation itself: 1 leaves the picture as it is.

    Raises ImageError, naming the file, for what is missing or no image. A file that breaks off later is not noticed.
    """
    from PIL import Image

    try:
        # A head is read and nothing decoded, so that a large one is no bomb
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(path) as image:
                width, height = image.size
                orientation = image.getexif().get(_ORIENTATION)
    except FileNotFoundError:
        raise ImageError(f"{path}: no such file; check the path", "image-missing") from None
    except (OSError, ValueError, SyntaxError, struct.error, OverflowError, Image.DecompressionBombError) as error:
        raise ImageError(f"{path}: is not an image that can be read ({error})", "image-not-an-image") from error
    known = orientation if isinstance(orientation, int) and 1 <= orientation <= 8 else 1
    return ((height, width) if known in _TURNED else (width, height)), known
