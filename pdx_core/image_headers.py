"""What an image file says about itself, read from its bytes before anything is decoded.

A decoder is only trusted with a file after this: a few hundred bytes can declare a picture of gigabytes, and OpenCV
returns half a JPEG as if it were whole.
"""

from __future__ import annotations

import io
import struct
import zlib

import attrs

from pdx_core.errors import DataError

_JPEG_SIZE_MARKERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # start of frame, of every coding
_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"


class ImageError(DataError):
    """An image file that cannot be used; `code` names the kind of defect for programs."""

    def __init__(self, message: str, code: str = "image-damaged") -> None:
        super().__init__(message)
        self.code = code


@attrs.frozen
class ImageHeader:
    """format: "JPEG", "PNG", "GIF" ...; width and height: pixels as stored, before any EXIF rotation."""

    format: str
    width: int
    height: int
    channels: int = 3  # of a JPEG frame; 4 is CMYK

    @property
    def megapixels(self) -> float:
        return self.width * self.height / 1e6


def read_header(data: bytes) -> ImageHeader:
    """The header of an image file, after checking that the file is whole.

    Raises ImageError (without the file's name) for what is not an image and for what was cut off.
    """
    if not data:
        raise ImageError("the file is empty (0 bytes); copy or download it again", "image-empty")
    if data.startswith(b"\xff\xd8"):
        return _read_jpeg(data)
    if data.startswith(_PNG_SIGNATURE):
        return _read_png(data)
    if not data.strip(b"\0"):
        raise ImageError("the file holds only zero bytes (a copy that broke off?); copy it again", "image-empty")
    text = _describe_text(data)
    if text:
        raise ImageError(text, "image-not-an-image")
    return _read_other(data)


def _read_jpeg(data: bytes) -> ImageHeader:
    """Walk the segments up to the first scan, then look for the end marker."""
    position, size = 2, None
    while position + 4 <= len(data):
        if data[position] != 0xFF:
            raise ImageError(
                f"the JPEG is damaged at byte {position}: a segment marker is expected there; replace the file"
            )
        marker = data[position + 1]
        if marker == 0xFF:  # fill byte
            position += 1
            continue
        if marker == 0x01 or 0xD0 <= marker <= 0xD8:  # markers without a body
            position += 2
            continue
        if marker == 0xD9:
            break
        (length,) = struct.unpack_from(">H", data, position + 2)
        if marker in _JPEG_SIZE_MARKERS and position + 10 <= len(data):
            height, width = struct.unpack_from(">HH", data, position + 5)
            size = ImageHeader("JPEG", width, height, data[position + 9])
        position += 2 + length
        if marker == 0xDA:
            # Inside a scan FF is always followed by 00, so FF D9 can only be the end of the image.
            if size is not None and data.rfind(b"\xff\xd9") >= position:
                return _not_empty(size)
            break
    raise ImageError(
        f"the JPEG is truncated: it breaks off after {len(data)} bytes; replace the file", "image-truncated"
    )


def _read_png(data: bytes) -> ImageHeader:
    """Walk all chunks and compare the check sums of those that matter."""
    position, header = len(_PNG_SIGNATURE), None
    while position + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, position)
        kind = data[position + 4 : position + 8]
        end = position + 12 + length
        if end > len(data):
            break
        if kind[:1].isupper():  # a critical chunk
            (expected,) = struct.unpack_from(">I", data, end - 4)
            if zlib.crc32(memoryview(data)[position + 4 : end - 4]) != expected:
                raise ImageError(
                    f"the PNG is damaged: the check sum of its {kind.decode('latin-1')} chunk at byte {position} is "
                    "wrong; replace the file"
                )
        if header is None:
            if kind != b"IHDR" or length != 13:
                raise ImageError("the PNG is damaged: it does not start with a header chunk; replace the file")
            header = _not_empty(ImageHeader("PNG", *struct.unpack_from(">II", data, position + 8)))
        if kind == b"IEND":
            return header
        position = end
    raise ImageError(
        f"the PNG is truncated: it breaks off after {len(data)} bytes; replace the file", "image-truncated"
    )


def _read_other(data: bytes) -> ImageHeader:
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(io.BytesIO(data)) as image:
            return _not_empty(ImageHeader(image.format or "unknown", *image.size))
    except Image.DecompressionBombError as error:
        raise ImageError(f"the image is far too large ({error}); shrink it", "image-too-large") from error
    except UnidentifiedImageError:
        if data[4:12] in (b"ftypheic", b"ftypheix", b"ftypmif1", b"ftyphevc"):
            raise ImageError("HEIC photos are not supported; convert it to JPEG or PNG", "image-not-an-image") from None
        raise ImageError(
            f"not an image in a known format (it starts with {data[:8].hex(' ')}); convert it to JPEG or PNG",
            "image-not-an-image",
        ) from None
    except (OSError, ValueError, SyntaxError, struct.error, OverflowError) as error:
        raise ImageError(f"the image header is damaged ({error}); replace the file") from error


def _not_empty(header: ImageHeader) -> ImageHeader:
    if header.width < 1 or header.height < 1:
        raise ImageError(
            f"the {header.format} declares a size of {header.width} x {header.height} pixels; replace the file"
        )
    return header


def _describe_text(data: bytes) -> str:
    """What a text file that poses as an image probably is, or nothing."""
    start = data[:512].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith((b"<!doctype html", b"<html", b"<head", b"<body")):
        return "it is a web page, not an image (a download that failed?); fetch it again"
    if start.startswith((b"<?xml", b"<svg")):
        return "it is an XML or SVG document, not a picture of pixels; convert it to PNG"
    if start.startswith(b"version https://git-lfs"):
        return "it is a Git LFS pointer, not the image itself; run `git lfs pull`"
    if start.startswith((b"{", b"[")):
        return "it is a JSON document, not an image"
    return ""
