"""Lets the tests of this folder import the modules beside them, and gives them small datasets."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import box_datasets


@pytest.fixture
def coco(tmp_path: Path) -> Path:
    """Six training and three validation images in COCO format."""
    return box_datasets.write_coco(tmp_path / "data")


@pytest.fixture
def convert(coco: Path) -> Callable[[str], Path]:
    """`convert("VOC")` is the same dataset in another format."""
    return functools.partial(box_datasets.converted, coco)
