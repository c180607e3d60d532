"""Draws a confusion matrix."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from pdx_core.drawing import font_file
from pdx_core.files import atomic_write

_NAMED = 60  # more classes than this are too many to name along an axis
_COUNTED = 25  # more classes than this are too many to write counts into the cells
_LONGEST = 99_999  # a larger count does not fit into its cell: shares are written instead


def draw_confusions(
    confusions: np.ndarray, classes: Sequence[str], path: Path, title: str = "Confusion matrix"
) -> Path:
    """Write a picture of `confusions` (int [K, K], truth by prediction), coloured by the share of each true class.

    Counts are written into the cells, or percentages of the true class where the counts are too long (pixels).
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.font_manager import FontProperties

    count = len(classes)
    shares = confusions / np.maximum(confusions.sum(axis=1, keepdims=True), 1)
    side = min(max(4.0, 0.4 * count + 2.0), 18.0)  # inches
    figure = Figure(figsize=(side + 1.0, side), dpi=110, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    picture = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    figure.colorbar(picture, ax=axes, label="share of the true class", shrink=0.8)
    axes.set(xlabel="predicted", ylabel="true", title=title)
    if count <= _NAMED:
        names = [name if len(name) <= 24 else name[:23] + "…" for name in classes]
        font = font_file("".join(names))
        # parse_math off: class names are text, not formulas, even with a $ in them
        style = {"parse_math": False, "fontproperties": FontProperties(fname=str(font)) if font else None}
        axes.set_xticks(range(count), names, rotation=90, **style)
        axes.set_yticks(range(count), names, **style)
    if count <= _COUNTED:
        long = confusions.max(initial=0) > _LONGEST
        for (row, column), value in np.ndenumerate(confusions):
            if value:
                colour = "white" if shares[row, column] > 0.5 else "black"
                text = _percent(float(shares[row, column])) if long else str(value)
                axes.text(column, row, text, ha="center", va="center", color=colour, fontsize=8)
    with atomic_write(path) as stream, warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph")  # the missing font was reported once, not per character
        figure.savefig(stream, format="png")
    return path


def _percent(share: float) -> str:
    return "<0.1" if share < 0.0005 else f"{share * 100:.1f}"
