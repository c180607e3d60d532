"""One image reader for everything: formats, orientation, and what it refuses."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, ImageOps

from pdx_core.errors import DataError
from pdx_core.image_headers import ImageError, read_header
from pdx_core.images import check_image, encode_image, read_image, write_image

HEIGHT, WIDTH = 48, 64


@pytest.fixture(scope="module")
def picture() -> np.ndarray:
    """Smooth, asymmetric in both directions, different in each channel. uint8 [48, 64, 3]."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    return np.stack([x * 4, y * 5, (x + y) * 2], axis=2).astype(np.uint8)


def encoded(image: np.ndarray | Image.Image, format: str, **options: object) -> bytes:
    picture = image if isinstance(image, Image.Image) else Image.fromarray(image)
    stream = io.BytesIO()
    picture.save(stream, format, **options)
    return stream.getvalue()


@pytest.mark.parametrize("format", ["PNG", "BMP", "TIFF", "WEBP"])
def test_lossless_formats_come_back_exactly(picture, format):
    options = {"lossless": True} if format == "WEBP" else {}
    assert np.array_equal(read_image(encoded(picture, format, **options)), picture)


@pytest.mark.parametrize("mode", ["L", "1", "P", "LA", "RGBA", "CMYK"])
def test_every_mode_becomes_rgb(picture, mode):
    source = Image.fromarray(picture).convert(mode)
    read = read_image(
        encoded(source, "JPEG" if mode == "CMYK" else "PNG", **({"quality": 95} if mode == "CMYK" else {}))
    )
    assert read.dtype == np.uint8 and read.shape == (HEIGHT, WIDTH, 3)
    wanted = np.asarray(source.convert("RGB"), np.int16)
    assert np.abs(read - wanted).mean() < 3


def test_16_bit_png_keeps_its_high_bytes():
    values = np.arange(HEIGHT * WIDTH, dtype=np.uint16).reshape(HEIGHT, WIDTH) * 21
    read = read_image(encoded(Image.fromarray(values), "PNG"))
    assert np.array_equal(read, np.repeat((values >> 8).astype(np.uint8)[..., None], 3, axis=2))


def test_16_bit_tiff_keeps_its_high_bytes():
    values = np.arange(HEIGHT * WIDTH, dtype=np.uint16).reshape(HEIGHT, WIDTH) * 21
    read = read_image(encoded(Image.fromarray(values), "TIFF"))
    assert np.array_equal(read[..., 0], (values >> 8).astype(np.uint8))


def test_first_frame_of_an_animation(picture):
    frames = [Image.fromarray(picture), Image.fromarray(255 - picture)]
    read = read_image(encoded(frames[0], "GIF", save_all=True, append_images=frames[1:]))
    assert np.abs(read.astype(int) - picture).mean() < 12  # 256 colours


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied(picture, format, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encoded(picture, format, exif=exif)
    with Image.open(io.BytesIO(data)) as image:
        wanted = np.asarray(ImageOps.exif_transpose(image).convert("RGB"), np.int16)
    read = read_image(data)
    assert read.shape == wanted.shape
    assert np.abs(read - wanted).max() <= 3


def test_wrong_extension_is_read_by_content(tmp_path, picture):
    path = tmp_path / "photo.jpg"
    path.write_bytes(encoded(picture, "PNG"))
    assert np.array_equal(read_image(path), picture)


@pytest.mark.parametrize(
    "name", ["with blank.png", "üñí.png", "图像.png", "صورة.png", "😀.png", "a'\"b.png", "x" * 200 + ".png"]
)
def test_any_path(tmp_path, picture, name):
    write_image(tmp_path / name, picture)
    assert np.array_equal(read_image(tmp_path / name), picture)


@pytest.mark.parametrize("share", [0.0001, 0.01, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9, 0.99, 0.9999])
@pytest.mark.parametrize("format", ["JPEG", "PNG", "GIF", "TIFF", "WEBP", "BMP"])
def test_truncated_anywhere_is_refused(picture, format, share):
    data = encoded(np.tile(picture, (4, 4, 1)), format)
    cut = data[: max(1, int(len(data) * share))]
    if cut == data:
        cut = data[:-1]
    with pytest.raises(ImageError):
        read_image(cut)
    with pytest.raises(ImageError):
        check_image(cut)


@pytest.mark.parametrize("format", ["JPEG", "PNG"])
def test_half_a_file_says_truncated(tmp_path, picture, format):
    data = encoded(picture, format)
    path = tmp_path / "half.img"
    path.write_bytes(data[: len(data) // 2])
    with pytest.raises(ImageError, match="truncated") as caught:
        read_image(path)
    assert caught.value.code == "image-truncated" and str(path) in str(caught.value)


def test_a_wrong_check_sum_is_noticed(picture):
    data = bytearray(encoded(picture, "PNG"))
    data[data.index(b"IDAT") + 20] ^= 1
    with pytest.raises(ImageError, match="check sum of its IDAT") as caught:
        read_image(bytes(data))
    assert caught.value.code == "image-damaged"


@pytest.mark.parametrize(
    ("data", "code", "words"),
    [
        (b"", "image-empty", "0 bytes"),
        (b"\0" * 4096, "image-empty", "zero bytes"),
        (b"<!DOCTYPE html><html>404</html>", "image-not-an-image", "web page"),
        (b"\xef\xbb\xbf  <html></html>", "image-not-an-image", "web page"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "image-not-an-image", "SVG"),
        (b"version https://git-lfs.github.com/spec/v1\n", "image-not-an-image", "git lfs pull"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "image-not-an-image", "HEIC"),
        (b"just some text, no image", "image-not-an-image", "known format"),
    ],
)
def test_what_is_not_an_image_is_named(data, code, words):
    with pytest.raises(ImageError, match=words) as caught:
        read_image(data)
    assert caught.value.code == code


def _png_declaring(width: int, height: int) -> bytes:
    """A valid PNG of a few kilobytes whose header promises width x height pixels."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 9)) + chunk(b"IEND", b"")
    )


def test_a_bomb_is_refused_before_decoding(monkeypatch):
    data = _png_declaring(20_000, 20_000)
    monkeypatch.setattr("pdx_core.images._decode", lambda *_, **__: pytest.fail("it was decoded"))
    with pytest.raises(ImageError, match=r"20000 x 20000 pixels = 400 megapixels.*Data\.max_megapixels=400") as caught:
        read_image(data)
    assert caught.value.code == "image-too-large"


def test_the_size_limit_can_be_changed(picture):
    data = encoded(picture, "PNG")
    with pytest.raises(ImageError):
        read_image(data, max_megapixels=0.003)  # 48 x 64 = 0.003072 megapixels
    assert read_image(data, max_megapixels=0.0031).shape == picture.shape
    assert read_image(data, max_megapixels=None).shape == picture.shape


def test_extreme_shapes():
    assert read_image(encoded(np.zeros((1, 1, 3), np.uint8), "PNG")).shape == (1, 1, 3)
    assert read_image(encoded(np.zeros((1, 65_500, 3), np.uint8), "JPEG")).shape == (1, 65_500, 3)


def test_missing_file_and_folder(tmp_path):
    with pytest.raises(DataError, match=r"nope\.jpg: no such file"):
        read_image(tmp_path / "nope.jpg")
    with pytest.raises(DataError, match="is a folder"):
        read_image(tmp_path)


def test_header_tells_the_stored_size(picture):
    header = read_header(encoded(picture, "JPEG"))
    assert (header.format, header.width, header.height) == ("JPEG", WIDTH, HEIGHT)


def test_encode_refuses_unknown_suffix(picture):
    with pytest.raises(DataError, match=r"'\.xyz'"):
        encode_image(picture, ".xyz")
