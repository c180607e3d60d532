"""The 19 classes of Cityscapes that are evaluated, in the order of their training labels."""

from __future__ import annotations

CITYSCAPES_NAMES = (
    "road",
    "sidewalk",
    "building",
    "wall",
    "fence",
    "pole",
    "traffic light",
    "traffic sign",
    "vegetation",
    "terrain",
    "sky",
    "person",
    "rider",
    "car",
    "truck",
    "bus",
    "train",
    "motorcycle",
    "bicycle",
)


def class_names() -> tuple[str, ...]:
    """Class names by label."""
    return CITYSCAPES_NAMES
