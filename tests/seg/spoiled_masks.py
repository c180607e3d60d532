"""Ways to spoil one mask, or the photo it belongs to, of the dataset that `mask_datasets.write_lists` writes."""

from __future__ import annotations

import numpy as np
from mask_datasets import SIZE, edit, label_map, photo, save
from PIL import Image

from pdx_core.images import write_image

MASK = "annotations/train_1.png"


def out_of_range(root):
    values = label_map(1)
    values[10, 11], values[3, 5] = 7, 200
    write_image(root / MASK, values)


def other_size(root):
    write_image(root / MASK, np.zeros((SIZE[1], SIZE[0] + 1), np.uint8))


def swapped(root):
    write_image(root / MASK, np.ascontiguousarray(label_map(1).T))


def alpha_that_matters(root):
    values = np.zeros((SIZE[1], SIZE[0], 4), np.uint8)
    values[2:5, 2:5, 3] = 255
    save(root, MASK, values)


def alpha_that_does_not(root):
    grey = label_map(1)
    save(root, MASK, np.dstack([grey, grey, grey, np.full_like(grey, 255)]))


def sixteen_bits(root):
    save(root, MASK, label_map(1).astype(np.uint16) * 257)


def sixteen_bits_in_range(root):
    save(root, MASK, label_map(1).astype(np.uint16))


def jpeg(root):
    save(root, "annotations/train_1.jpg", label_map(1), quality=90)
    (root / MASK).unlink()
    edit(root, MASK, "annotations/train_1.jpg")


def jpeg_called_png(root):
    save(root, MASK, label_map(1), format="JPEG")


def no_mask(root):
    (root / MASK).unlink()


def a_folder(root):
    (root / MASK).unlink()
    (root / MASK).mkdir()


def other_case(root):
    (root / MASK).rename(root / "annotations" / "train_1.PNG")


def truncated(root):
    data = (root / MASK).read_bytes()
    (root / MASK).write_bytes(data[: len(data) // 2])


def empty(root):
    (root / MASK).write_bytes(b"")


def web_page(root):
    (root / MASK).write_bytes(b"<!DOCTYPE html><html>404</html>")


def bit_flip(root):
    data = bytearray((root / MASK).read_bytes())
    data[len(data) // 2] ^= 1
    (root / MASK).write_bytes(bytes(data))


def colours(root):
    values = np.zeros((SIZE[1], SIZE[0], 3), np.uint8)
    values[2:8, 3:7] = (128, 0, 0)
    save(root, MASK, values)


def grey_in_three_channels(root):
    save(root, MASK, np.dstack([label_map(1)] * 3))


def all_ignored(root):
    write_image(root / MASK, np.full((SIZE[1], SIZE[0]), 255, np.uint8))


def fractions(root):
    save(root, "annotations/train_1.tif", label_map(1).astype(np.float32) + 0.5)
    edit(root, MASK, "annotations/train_1.tif")


def smoothed(root):
    ramp = np.tile(np.arange(SIZE[0], dtype=np.uint8) * 10, (SIZE[1], 1))
    write_image(root / MASK, ramp + np.arange(SIZE[1], dtype=np.uint8)[:, None])


def turned_photo(root):
    picture = Image.fromarray(photo(1))
    exif = Image.Exif()
    exif[274] = 6  # shown turned by 90 degrees; the mask fits the stored pixels
    picture.save(root / "images" / "train_1.jpg", exif=exif)


def upside_down_photo(root):
    exif = Image.Exif()
    exif[274] = 3
    Image.fromarray(photo(1)).save(root / "images" / "train_1.jpg", exif=exif)


def huge_header(root):
    import struct
    import zlib

    body = struct.pack(">IIBBBBB", 40000, 40000, 8, 0, 0, 0, 0)
    chunks = [(b"IHDR", body), (b"IDAT", zlib.compress(b"\0")), (b"IEND", b"")]
    data = b"".join(
        struct.pack(">I", len(part)) + kind + part + struct.pack(">I", zlib.crc32(kind + part)) for kind, part in chunks
    )
    (root / MASK).write_bytes(b"\x89PNG\r\n\x1a\n" + data)
