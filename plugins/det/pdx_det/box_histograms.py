"""Draws how large the boxes of a dataset are, and how elongated."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from pdx_core.data.pictures import CHECK_FOLDER
from pdx_core.files import atomic_write

_TICKS = [factor * 10.0**power for power in range(-3, 5) for factor in (1, 2, 5)]
_COLOURS = {"train": "#2b6cb0", "val": "#dd8a33"}


def draw_box_shapes(output: Path, boxes: Mapping[str, np.ndarray]) -> str:
    """Two histograms with train and val side by side; returns the path relative to `output`.

    boxes: split -> float32 [n, 4] x1 y1 x2 y2 in pixels
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11.0, 4.5), dpi=100, layout="constrained")
    FigureCanvasAgg(figure)
    left, right = figure.subplots(1, 2)
    sides = {name: (xyxy[:, 2:] - xyxy[:, :2]).astype(np.float64) for name, xyxy in boxes.items() if len(xyxy)}
    areas = [np.sqrt(side.prod(axis=1)) for side in sides.values()]
    ratios = [side[:, 0] / side[:, 1] for side in sides.values()]
    labels = [f"{name} ({len(side)})" for name, side in sides.items()]
    colours = [_COLOURS.get(name, "#718096") for name in sides]
    if sides:
        for axes, values in ((left, areas), (right, ratios)):
            low, high = min(value.min() for value in values), max(value.max() for value in values)
            bins = np.geomspace(max(low, 1e-3) * 0.98, max(high, 2e-3) * 1.02, 31)
            axes.hist(values, bins=bins, label=labels, color=colours)
            axes.set_xscale("log")
            ticks = [tick for tick in _TICKS if bins[0] <= tick <= bins[-1]]
            axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
            axes.minorticks_off()
            axes.legend()
    for border in (32, 96):  # where COCO divides small, medium and large
        left.axvline(border, color="#a0aec0", linestyle="--", linewidth=1)
    left.set(xlabel="square root of the area in pixels (lines: 32 and 96)", ylabel="boxes", title="Size of the boxes")
    right.set(xlabel="width / height", title="Aspect ratio of the boxes")
    path = Path(CHECK_FOLDER) / "box_shapes.png"
    with atomic_write(output / path) as stream:
        figure.savefig(stream, format="png")
    return path.as_posix()
