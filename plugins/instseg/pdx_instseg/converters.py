"""Writes datasets of instance segmentation in another format, copying the images."""

from __future__ import annotations

import base64
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pdx_core.data.findings import Findings
from pdx_core.data.reading import Format
from pdx_core.images import encode_image
from pdx_det.api import Item, Listing, items_of, write_coco, write_labelme
from pdx_instseg.readers.formats import scan_all
from pdx_instseg.readers.masks import Mask, area_of
from pdx_instseg.run_lengths import RunLengths

logger = logging.getLogger(__name__)


def to_coco(source: Format, destination: Path) -> dict[str, int]:
    """images/ and annotations/instance_train.json, instance_val.json: polygons, or run lengths where polygons cannot
    say it (holes)."""
    listing, parts = _read(source)
    return write_coco(source, destination, listing, parts, _outline)


def to_labelme(source: Format, destination: Path) -> dict[str, int]:
    """images/, annotations/*.json, train_anno_list.txt, val_anno_list.txt and labels.txt: polygons, those of an object
    in a group, and drawn masks where there are holes. LabelMe knows no crowds: they are left out."""
    listing, parts = _read(source)
    crowds = sum(int(item.boxes.crowd.sum()) for items in parts.values() for item in items)
    counts = write_labelme(destination, listing, parts, _shapes)
    if crowds:
        logger.warning("%d crowds were left out: LabelMe has none", crowds)
    return counts


def _read(source: Format) -> tuple[Listing, dict[str, list[Item]]]:
    findings = Findings()
    listing = scan_all(source.spec.name, source.root, findings)
    findings.raise_errors(f"{source.root} cannot be converted before this is mended")
    return listing, items_of(listing)


def _outline(item: Item, at: int) -> dict[str, Any]:
    mask: Mask = item.masks[at]
    area = area_of(mask, (item.height, item.width))
    if isinstance(mask, RunLengths):
        return {"area": area, "segmentation": mask.json}
    return {"area": area, "segmentation": [_plain(part.ravel().tolist()) for part in mask]}


def _shapes(item: Item, classes: Sequence[str]) -> list[dict[str, Any]]:
    shapes: list[dict[str, Any]] = []
    for at, (mask, label) in enumerate(zip(item.masks, item.boxes.labels.tolist(), strict=True)):
        if item.boxes.crowd[at]:
            continue
        common = {"label": classes[label], "group_id": None, "flags": {}}
        if isinstance(mask, RunLengths):
            shapes.append({**common, **_drawn_mask(mask)})
            continue
        if len(mask) > 1:
            common["group_id"] = at + 1
        for part in mask:
            points = [_plain(point) for point in part.tolist()]
            shapes.append({**common, "points": points, "shape_type": "polygon"})
    return shapes


def _drawn_mask(mask: RunLengths) -> dict[str, Any]:
    """As LabelMe has it since 5.3: the corners of the first and the last pixel, and a picture of what is between."""
    left, top, right, bottom = mask.frame
    png = encode_image(mask.bitmap()[top:bottom, left:right] * 255, ".png")
    return {
        "points": [[left, top], [right - 1, bottom - 1]],
        "shape_type": "mask",
        "mask": base64.b64encode(png).decode("ascii"),
    }


def _plain(values: list[float]) -> list[float]:
    """Whole numbers without a point: they are shorter, and outlines of bitmaps consist of them."""
    return [int(value) if float(value).is_integer() else value for value in values]
