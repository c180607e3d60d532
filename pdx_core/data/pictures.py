"""The pictures a check leaves: samples with their annotation drawn on them, and the histogram of classes."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np

from pdx_core.drawing import font_file
from pdx_core.files import atomic_write
from pdx_core.images import write_image

CHECK_FOLDER = "check_dataset"
SAMPLE_COUNT = 10  # pictures per split
_WRITABLE = (".jpg", ".jpeg", ".png", ".bmp", ".webp")
_MAX_BARS = 60  # classes that are named under the histogram; with more, bars stand side by side without names

Item = TypeVar("Item")


def pick_samples(items: Sequence[Item]) -> list[Item]:
    """Up to SAMPLE_COUNT items, always the same ones for the same data."""
    chosen = np.random.default_rng(123).permutation(len(items))[:SAMPLE_COUNT]
    return [items[index] for index in chosen]


def draw_samples(
    items: Sequence[Item],
    output: Path,
    name_of: Callable[[Item], str],
    draw: Callable[[Item], np.ndarray],
    used: set[str],
) -> list[str]:
    """Write one picture per item and return their paths relative to `output`.

    name_of: path of the item's image
    draw:    the picture, uint8 [H, W, 3] RGB
    used:    names already taken in the folder; extended
    """
    paths = []
    for item in items:
        source = Path(name_of(item))
        suffix = source.suffix if source.suffix.lower() in _WRITABLE else ".png"
        name, number = source.stem + suffix, 1
        while name.lower() in used:
            number += 1
            name = f"{source.stem}_{number}{suffix}"
        used.add(name.lower())
        path = Path(CHECK_FOLDER) / "demo_img" / name
        write_image(output / path, draw(item), quality=90)
        paths.append(path.as_posix())
    return paths


def draw_histogram(
    output: Path,
    classes: Sequence[str],
    train: Sequence[float],
    val: Sequence[float],
    unit: str = "images",
    *,
    name: str = "histogram.png",
    shares: bool = False,
) -> str:
    """A bar chart of train and val counts per class, most frequent first; returns its path relative to `output`.

    unit:   what is counted
    shares: the numbers are percentages, which are drawn on a logarithmic axis
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.font_manager import FontProperties

    order = sorted(range(len(classes)), key=lambda index: (-train[index], -val[index], index))
    places = np.arange(len(order))
    figure = Figure(figsize=(min(40.0, max(7.0, 0.35 * len(order))), 5.5), dpi=100, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    for shift, split, counts, colour in ((-0.2, "train", train, "#2b6cb0"), (0.2, "val", val, "#dd8a33")):
        label = split if shares else f"{split} ({sum(counts)})"
        axes.bar(places + shift, [counts[index] for index in order], 0.4, label=label, color=colour)
    if shares:
        axes.set_yscale("log")
        axes.yaxis.set_major_formatter("{x:g} %")
    axes.set_ylabel(unit)
    axes.set_title(f"{unit.capitalize()} per class, {len(classes)} classes")
    axes.margins(x=0.01)
    if len(order) <= _MAX_BARS:
        # parse_math off: class names are text, not formulas, even with a $ in them
        font = font_file("".join(classes))
        axes.set_xticks(
            places,
            [_short(classes[index]) for index in order],
            rotation=0 if len(order) <= 6 else 60,
            ha="center" if len(order) <= 6 else "right",
            rotation_mode="anchor",
            parse_math=False,
            fontproperties=FontProperties(fname=str(font)) if font else None,
        )
    else:
        axes.set_xlabel("classes, most frequent first")
    figure.legend(loc="outside upper right", ncols=2)  # outside, or it would cover the longest bars
    path = Path(CHECK_FOLDER) / name
    with atomic_write(output / path) as stream, warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph")  # the missing font was reported once, not per character
        figure.savefig(stream, format="png")
    return path.as_posix()


def _short(name: str, length: int = 24) -> str:
    return name if len(name) <= length else name[: length - 1] + "…"
