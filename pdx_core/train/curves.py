"""Draws the losses and metrics of a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from pdx_core.files import atomic_write

_LINES = ("-", "--", ":")  # ten colours are not enough for every metric
NOT_CURVES = ("iteration", "epoch", "lr", "images_per_second")


def draw_curves(rows: Sequence[Mapping[str, float]], loss_names: Sequence[str], path: Path) -> None:
    """One picture with losses, metrics and learning rate over the iterations.

    rows:       lines of log.csv as numbers; a line has losses or metrics or both
    loss_names: which columns are losses; other columns are metrics
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    others = {name for row in rows for name in row} - set(loss_names) - set(NOT_CURVES)
    # COCO says -1 of sizes that no object has; such a line would only squeeze the others
    metric_names = sorted(name for name in others if any(row.get(name, -1) != -1 for row in rows))
    figure = Figure(figsize=(16, 4.5), layout="constrained")
    for place, (title, names) in enumerate(
        (("losses", list(loss_names)), ("metrics", metric_names), ("learning rate", ["lr"])), start=1
    ):
        axes = figure.add_subplot(1, 3, place)
        for index, name in enumerate(names):
            points = [(row["iteration"], row[name]) for row in rows if name in row]
            if points:
                style = {"color": f"C{index % 10}", "linestyle": _LINES[index // 10 % len(_LINES)]}
                axes.plot(*zip(*points, strict=True), label=name, marker="." if len(points) < 30 else None, **style)
        axes.set_title(title)
        axes.set_xlabel("iteration")
        axes.grid(alpha=0.3)
        if axes.has_data() and title != "learning rate":
            axes.legend(fontsize="small", loc="upper left", bbox_to_anchor=(1, 1), borderaxespad=0.3)
    with atomic_write(path) as stream:
        FigureCanvasAgg(figure).print_png(stream)
