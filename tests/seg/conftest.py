"""Lets the tests of this folder import the modules beside them."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture
def lists(tmp_path: Path) -> Path:
    """A SegDataset of six pictures."""
    from mask_datasets import write_lists

    return write_lists(tmp_path / "data")
