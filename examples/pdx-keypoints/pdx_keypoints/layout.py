"""Recognises the dataset format by the names of its files; light, for it is asked about every folder."""

from __future__ import annotations

from pathlib import Path

LISTS = {"train": "train_points.csv", "val": "val_points.csv"}


def is_dataset(folder: Path) -> bool:
    """Whether there is a list of points. What is wrong inside of it is for reader and checker to say."""
    return any((folder / name).is_file() for name in LISTS.values())
