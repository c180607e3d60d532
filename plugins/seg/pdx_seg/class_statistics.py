"""Writes how often the classes of a dataset occur: in how many images, and in which share of the pixels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pdx_core.data.pictures import CHECK_FOLDER, draw_histogram
from pdx_core.files import write_json
from pdx_seg.labels import IGNORE

if TYPE_CHECKING:
    from pdx_seg.mask_checks import SplitStatistics

SPLITS = ("train", "val")
STATISTICS_NAME = "class_statistics.json"


def write_statistics(output: Path, classes: Sequence[str], statistics: Mapping[str, SplitStatistics]) -> None:
    """check_dataset/histogram.png (images per class), pixel_shares.png and class_statistics.json below `output`."""
    images = {split: [0] * len(classes) for split in SPLITS}
    shares = {split: [0.0] * len(classes) for split in SPLITS}
    ignored = dict.fromkeys(SPLITS, 0.0)
    for split, part in statistics.items():
        judged = max(1, int(part.pixels[:IGNORE].sum()))
        images[split] = part.images[: len(classes)].tolist()
        shares[split] = (part.pixels[: len(classes)] / judged).tolist()
        ignored[split] = float(part.pixels[IGNORE] / max(1, int(part.pixels.sum())))
    draw_histogram(output, classes, images["train"], images["val"])
    draw_histogram(
        output,
        classes,
        *([100 * share for share in shares[split]] for split in SPLITS),
        unit="share of pixels",
        name="pixel_shares.png",
        shares=True,
    )
    rows: list[dict[str, Any]] = []
    for label, name in enumerate(classes):
        row: dict[str, Any] = {"id": label, "name": name}
        for split in SPLITS:
            row |= {f"{split}_images": images[split][label], f"{split}_share": round(shares[split][label], 6)}
        rows.append(row)
    content = {"classes": rows, "ignored": {split: round(ignored[split], 6) for split in SPLITS}}
    write_json(output / CHECK_FOLDER / STATISTICS_NAME, content)
