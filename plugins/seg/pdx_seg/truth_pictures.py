"""Draws what a dataset says about an image, to be looked at."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pdx_core.opencv import require_cv2
from pdx_seg.counting import count_labels
from pdx_seg.labels import IGNORE
from pdx_seg.legend import add_legend, draw_overlay
from pdx_seg.palette import mask_palette

_SIDE = 1600  # pixels; larger pictures are drawn smaller
_LISTED = 24  # classes in a legend


def draw_truth(image: np.ndarray, label_map: np.ndarray, classes: Sequence[str]) -> np.ndarray:
    """The image tinted by class, with a legend of the classes and their shares, the largest first.

    image:     uint8 [H, W, 3], RGB
    label_map: uint8 [H, W], class indices and IGNORE
    returns:   uint8 [H', W', 3], RGB
    """
    counts, colours = count_labels(label_map), mask_palette()
    order = np.argsort(-counts, kind="stable")[: np.count_nonzero(counts)].tolist()
    names = {label: classes[label] if label < len(classes) else str(label) for label in order}
    names[IGNORE] = "(ignored)"
    entries = [(names[label], f" {counts[label] / label_map.size:.1%}", colours[label].tolist()) for label in order]
    cv2 = require_cv2()
    factor = _SIDE / max(label_map.shape)
    if factor < 1:
        size = (max(1, round(label_map.shape[1] * factor)), max(1, round(label_map.shape[0] * factor)))
        image = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
        label_map = cv2.resize(label_map, size, interpolation=cv2.INTER_NEAREST)
    return add_legend(draw_overlay(image, label_map, colours), entries[:_LISTED])
