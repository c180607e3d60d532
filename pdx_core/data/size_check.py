"""Whether what was annotated has the size of its image, and what probably happened when it has not."""

from __future__ import annotations

from typing import Literal

Size = tuple[int, int]  # width and height in pixels


def size_difference(annotated: Size, shown: Size, stored: Size) -> Literal["", "unrotated", "swapped", "differs"]:
    """How an annotated size differs from that of the image; "" when it does not.

    shown:  the image after the rotation that its EXIF data ask for; stored: before it

    "unrotated": it fits the pixels as they are stored only · "swapped": width and height are exchanged
    """
    if annotated == shown:
        return ""
    if annotated == stored:
        return "unrotated"
    return "swapped" if annotated == shown[::-1] else "differs"
