"""Draws what the boxes of a dataset are like: how large, how elongated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import attrs
import numpy as np

from pdx_core.data.pictures import CHECK_FOLDER
from pdx_core.files import atomic_write

_TICKS = [factor * 10.0**power for power in range(-3, 5) for factor in (1, 2, 5)]
_COLOURS = {"train": "#2b6cb0", "val": "#dd8a33"}
COCO_BORDERS = (32.0, 96.0)  # sides of squares, where COCO divides small, medium and large


@attrs.frozen(eq=False)
class Panel:
    """A histogram with the splits side by side, on a logarithmic axis unless `linear`.

    values: split -> float [n], all above zero unless `linear`
    unit:   what is counted
    lines:  values that are marked
    """

    title: str
    axis: str
    unit: str
    values: Mapping[str, np.ndarray]
    lines: Sequence[float] = ()
    linear: bool = False


def draw_box_shapes(output: Path, boxes: Mapping[str, np.ndarray]) -> str:
    """Two histograms with train and val side by side; returns the path relative to `output`.

    boxes: split -> float32 [n, 4] x1 y1 x2 y2 in pixels
    """
    sides = {name: (xyxy[:, 2:] - xyxy[:, :2]).astype(np.float64) for name, xyxy in boxes.items()}
    return draw_histograms(
        output,
        "box_shapes.png",
        [
            Panel(
                "Size of the boxes",
                "square root of the area in pixels (lines: 32 and 96)",
                "boxes",
                {name: np.sqrt(side.prod(axis=1)) for name, side in sides.items()},
                lines=COCO_BORDERS,
            ),
            Panel(
                "Aspect ratio of the boxes",
                "width / height",
                "boxes",
                {name: side[:, 0] / side[:, 1] for name, side in sides.items()},
            ),
        ],
    )


def draw_histograms(output: Path, name: str, panels: Sequence[Panel]) -> str:
    """One picture with the panels side by side; returns its path relative to `output`."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5.5 * len(panels), 4.5), dpi=100, layout="constrained")
    FigureCanvasAgg(figure)
    for axes, panel in zip(np.atleast_1d(figure.subplots(1, len(panels))), panels, strict=True):
        filled = {split: values for split, values in panel.values.items() if len(values)}
        if filled:
            low, high = min(values.min() for values in filled.values()), max(values.max() for values in filled.values())
            if panel.linear:
                bins = np.linspace(low, max(high, low + 1e-3), 31)
            else:
                bins = np.geomspace(max(low, 1e-3) * 0.98, max(high, 2e-3) * 1.02, 31)
            axes.hist(
                list(filled.values()),
                bins=bins,
                label=[f"{split} ({len(values)})" for split, values in filled.items()],
                color=[_COLOURS.get(split, "#718096") for split in filled],
            )
            if not panel.linear:
                axes.set_xscale("log")
                ticks = [tick for tick in _TICKS if bins[0] <= tick <= bins[-1]]
                axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
                axes.minorticks_off()
            axes.margins(y=0.2)  # room for the legend
            axes.legend(loc="upper right")
        for border in panel.lines:
            axes.axvline(border, color="#a0aec0", linestyle="--", linewidth=1)
        axes.set(xlabel=panel.axis, ylabel=panel.unit, title=panel.title)
    path = Path(CHECK_FOLDER) / name
    with atomic_write(output / path) as stream:
        figure.savefig(stream, format="png")
    return path.as_posix()
