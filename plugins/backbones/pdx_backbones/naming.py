"""How the releases spell widths."""

from __future__ import annotations


def scale_name(scale: float) -> str:
    """The published spelling of a width multiplier: 0.35 -> "x0_35", 1.0 -> "x1_0"."""
    return "x" + str(scale).replace(".", "_")
