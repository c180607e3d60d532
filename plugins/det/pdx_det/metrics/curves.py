"""Draws precision over recall."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from pdx_core.drawing import font_file
from pdx_core.files import atomic_write
from pdx_det.metrics.coco_tables import IOU_THRESHOLDS, Tables

_NAMED = 12  # classes with a line of their own, the most different from the mean first


def draw_precision_recall(found: Tables, classes: Sequence[str], path: Path) -> Path:
    """One panel over IoU thresholds (mean of the classes), one over classes at IoU 0.5."""
    from matplotlib import colormaps
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.font_manager import FontProperties

    precision = found.precision[:, :, :, 0, -1]  # [T, R, K]
    recalls = np.linspace(0, 1, precision.shape[1])
    figure = Figure(figsize=(12.0, 5.0), dpi=110, layout="constrained")
    FigureCanvasAgg(figure)
    left, right = figure.subplots(1, 2, sharey=True)
    shades = colormaps["viridis"](np.linspace(0, 0.9, len(IOU_THRESHOLDS)))
    known = (precision > -1).any(axis=(0, 1))
    for index in range(0, len(IOU_THRESHOLDS), 1):
        curve = precision[index][:, known].mean(axis=1) if known.any() else np.zeros_like(recalls)
        label = f"IoU {IOU_THRESHOLDS[index]:.2f}: AP {found.mean_precision(IOU_THRESHOLDS[index]):.3f}"
        left.plot(recalls, curve, color=shades[index], label=label)
    order = sorted(np.flatnonzero(known).tolist(), key=lambda label: found.mean_precision(0.5, label=label))
    shown = order if len(order) <= _NAMED else [*order[: _NAMED // 2], *order[-_NAMED // 2 :]]
    for label in shown:
        name = classes[label] if len(classes[label]) <= 24 else classes[label][:23] + "…"
        right.plot(recalls, precision[0][:, label], label=f"{name}: {found.mean_precision(0.5, label=label):.3f}")
    left.set(xlabel="recall", ylabel="precision", title="Mean over classes", xlim=(0, 1), ylim=(0, 1.02))
    chosen = "all classes" if len(shown) == len(order) else "the worst and the best classes"
    right.set(xlabel="recall", title=f"IoU 0.5, {chosen}", xlim=(0, 1))
    font = font_file("".join(classes))
    for axes in (left, right):
        axes.grid(alpha=0.3)
        if axes.lines:
            axes.legend(fontsize=8, prop=FontProperties(fname=str(font), size=8) if font else None)
    with atomic_write(path) as stream:
        figure.savefig(stream, format="png")
    return path
