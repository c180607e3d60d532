"""Draws the IoU of every class."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from pdx_core.drawing import font_file
from pdx_core.files import atomic_write
from pdx_seg.palette import palette


def draw_ious(ious: np.ndarray, classes: Sequence[str], mean: float, path: Path) -> Path:
    """Write a picture with one bar per class, best first, in the colours of the label pictures.

    ious: float [K], NaN for classes that do not occur; they come last and have no bar
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.font_manager import FontProperties

    order = np.argsort(-np.nan_to_num(ious, nan=-1.0), kind="stable")
    values, colours = ious[order], palette(len(classes))[order] / 255
    figure = Figure(figsize=(8, min(60.0, 1.4 + 0.28 * len(classes))), dpi=100, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    places = np.arange(len(order))
    axes.barh(places, np.nan_to_num(values), color=colours, edgecolor="#333333", linewidth=0.5)
    for place, value in zip(places, values, strict=True):
        text = "does not occur" if np.isnan(value) else f"{value:.3f}"
        axes.text(float(np.nan_to_num(value)) + 0.01, place, text, va="center", fontsize=8)
    if not np.isnan(mean):
        axes.axvline(mean, color="#333333", linestyle="--", linewidth=1)
    names = [classes[index] if len(classes[index]) <= 32 else classes[index][:31] + "…" for index in order]
    font = font_file("".join(names))
    # parse_math off: class names are text, not formulas, even with a $ in them
    style = {"parse_math": False, "fontproperties": FontProperties(fname=str(font)) if font else None}
    axes.set_yticks(places, names, **style)
    axes.set(xlim=(0, 1.12), ylim=(len(order) - 0.4, -0.6), xlabel="intersection over union")
    axes.set_title("IoU per class" + ("" if np.isnan(mean) else f", mean {mean:.4f}"))
    with atomic_write(path) as stream, warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph")  # the missing font was reported once, not per character
        figure.savefig(stream, format="png")
    return path
