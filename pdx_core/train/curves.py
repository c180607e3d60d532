"""Draws the losses and metrics of a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from pdx_core.files import atomic_write

NOT_CURVES = ("iteration", "epoch", "lr", "images_per_second")


def draw_curves(rows: Sequence[Mapping[str, float]], loss_names: Sequence[str], path: Path) -> None:
    """One picture with losses, metrics and learning rate over the iterations.

    rows:       lines of log.csv as numbers; a line has losses or metrics or both
    loss_names: which columns are losses; other columns are metrics
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    metric_names = sorted({name for row in rows for name in row} - set(loss_names) - set(NOT_CURVES))
    figure = Figure(figsize=(14, 4), layout="constrained")
    for place, (title, names) in enumerate(
        (("losses", list(loss_names)), ("metrics", metric_names), ("learning rate", ["lr"])), start=1
    ):
        axes = figure.add_subplot(1, 3, place)
        for name in names:
            points = [(row["iteration"], row[name]) for row in rows if name in row]
            if points:
                axes.plot(*zip(*points, strict=True), label=name, marker="." if len(points) < 30 else None)
        axes.set_title(title)
        axes.set_xlabel("iteration")
        axes.grid(alpha=0.3)
        if axes.has_data() and title != "learning rate":
            axes.legend(fontsize="small")
    with atomic_write(path) as stream:
        FigureCanvasAgg(figure).print_png(stream)
