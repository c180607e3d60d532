"""How large a picture is, read from the head of its file without decoding it."""

from __future__ import annotations

import os
import struct
import warnings

from pdx_core.image_headers import ImageError

_ORIENTATION = 274  # EXIF tag
_TURNED = frozenset({5, 6, 7, 8})  # orientations in which width and height change places


def displayed_size(path: str | os.PathLike) -> tuple[int, int]:
    """Width and height as `pdx_core.images.read_image` gives them: after the EXIF rotation.

    Raises ImageError, naming the file, for what is missing or no image. A file that breaks off later is not noticed.
    """
    from PIL import Image

    try:
        # A head is read and nothing decoded, so that a large one is no bomb
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(path) as image:
                width, height = image.size
                turned = image.getexif().get(_ORIENTATION) in _TURNED
    except FileNotFoundError:
        raise ImageError(f"{path}: no such file; check the path", "image-missing") from None
    except (OSError, ValueError, SyntaxError, struct.error, OverflowError, Image.DecompressionBombError) as error:
        raise ImageError(f"{path}: is not an image that can be read ({error})", "image-not-an-image") from error
    return (height, width) if turned else (width, height)
