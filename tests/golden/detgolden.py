"""What detection adds to `golden`: tensors by name, small tensors kept whole, detections compared without order.

gold = detgolden.load("YOLOv3-ResNet34")
for report in detgolden.compare_named(gold, {"backbone.0": levels[0], "det.decoded_boxes": boxes}):
    assert report.ok, str(report)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import golden
import numpy as np

GOLDEN = Path(golden.__file__).parent


@dataclass
class DetGolden:
    """One golden file: named tensors, whole arrays, and `meta` with losses and gradient norms."""

    prints: dict[str, golden.Fingerprint]
    full: dict[str, np.ndarray]
    meta: dict[str, Any]


def has_manifest(name: str, task: str = "det") -> bool:
    return (GOLDEN / task / f"manifest/{name}.json.gz").exists()


def has_outputs(name: str, task: str = "det") -> bool:
    return (GOLDEN / task / f"{name}.npz").exists()


def manifest(name: str, task: str = "det") -> dict[str, Any]:
    return golden.load_manifest(GOLDEN / task / f"manifest/{name}.json.gz")


def load(name: str, task: str = "det") -> DetGolden:
    path = GOLDEN / task / f"{name}.npz"
    loaded = golden.load_golden(path)
    with np.load(path, allow_pickle=False) as data:
        full = {key[5:]: data[key] for key in data.files if key.startswith("full_")}
    return DetGolden({fingerprint.name: fingerprint for fingerprint in loaded.outputs}, full, loaded.meta)


def compare_named(
    gold: DetGolden, got: Mapping[str, Any], rtol: float = 1e-4, atol: float = 1e-5
) -> list[golden.Report]:
    """One report for every tensor of `got`; a name that the file does not know is an error."""
    return [golden.compare(gold.prints[name], np.asarray(tensor), rtol, atol) for name, tensor in got.items()]


def match_detections(
    want: Any, got: Any, score_tolerance: float = 1e-3, box_tolerance: float = 0.05
) -> tuple[float, float]:
    """Share of the wanted rows that were found, and of the found rows that were wanted.

    Rows are label, score, x1, y1, x2, y2. They match when labels are equal, scores differ by at most `score_tolerance`
    and each coordinate by at most `box_tolerance` * (1 + longer side).
    """
    want = np.asarray(want, np.float64).reshape(-1, 6)
    got = np.asarray(got, np.float64).reshape(-1, 6)
    if not len(want) or not len(got):
        return float(len(want) == len(got)), float(len(want) == len(got))
    used = np.zeros(len(got), bool)
    hits = 0
    for row in want:
        side = 1.0 + max(row[4] - row[2], row[5] - row[3], 0.0)
        close = (got[:, 0] == row[0]) & (np.abs(got[:, 1] - row[1]) <= score_tolerance) & ~used
        close &= (np.abs(got[:, 2:] - row[2:]) <= box_tolerance * side).all(axis=1)
        candidates = np.flatnonzero(close)
        if len(candidates):
            used[candidates[np.abs(got[candidates, 1] - row[1]).argmin()]] = True
            hits += 1
    return hits / len(want), float(used.mean())


def loss_problems(
    gold: DetGolden, got: Mapping[str, float], mode: str, rtol: float = 2e-4, atol: float = 1e-6
) -> list[str]:
    """The recorded loss terms of a mode that differ; `loss` is the sum of all."""
    terms = {**got, "loss": sum(got.values())}
    return [
        f"{name}: {terms.get(name)} instead of {value}"
        for name, value in gold.meta["losses"][mode].items()
        if name not in terms or abs(terms[name] - value) > atol + rtol * abs(value)
    ]


def train_batch(record: Mapping[str, Any]) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """The fixed training batch of a manifest: images float32 [N, 3, H, W] and the targets of `Task.collate`."""
    inputs = record["train_inputs"]
    images = golden.make_input(inputs["image"]["shape"], inputs["image"]["seed"])
    boxes = inputs.get("gt_bbox_abs") or inputs["gt_bbox"]
    count, slots = len(boxes), max(map(len, boxes))
    targets = {
        "gt_boxes": np.zeros((count, slots, 4), np.float32),
        "gt_labels": np.full((count, slots), -1, np.int32),
        "gt_crowd": np.zeros((count, slots), np.int32),
        "gt_weights": np.zeros((count, slots), np.float32),
        "im_shape": np.array(inputs.get("im_shape") or [images.shape[2:]] * count, np.float32),
        "scale_factor": np.ones((count, 2), np.float32),
    }
    for image, (own, labels) in enumerate(zip(boxes, inputs["gt_class"], strict=True)):
        targets["gt_boxes"][image, : len(own)] = own
        targets["gt_labels"][image, : len(own)] = labels
        targets["gt_weights"][image, : len(own)] = 1.0
    return images, targets
