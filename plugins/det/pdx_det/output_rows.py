"""What a detector puts out: rows label, score, x1, y1, x2, y2 of all images, and how many belong to each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from pdx_core.errors import PdxError


def rows_per_image(outputs: Mapping[str, np.ndarray]) -> Iterator[np.ndarray]:
    """float32 [n_i, 6] of each image; rows that a graph of fixed size filled up (label -1) are left out."""
    start = 0
    for count in np.asarray(outputs["bbox_num"]).reshape(-1).tolist():
        rows = outputs["bbox"][start : start + count]
        start += count
        yield rows[rows[:, 0] >= 0] if len(rows) else rows.reshape(0, 6)


def named_outputs(outputs: Mapping[str, np.ndarray]) -> Mapping[str, np.ndarray]:
    """Models that PaddleX exported call their outputs anything: rows have six columns, counts have one."""
    if "bbox" in outputs:
        return outputs
    rows = next((value for value in outputs.values() if value.ndim == 2 and value.shape[1] == 6), None)
    counts = next((value for value in outputs.values() if value.ndim == 1 or value.shape[-1] == 1), None)
    if rows is None or counts is None:
        shapes = ", ".join(f"{name} {list(value.shape)}" for name, value in outputs.items())
        raise PdxError(f"the model's outputs are not those of a detector: {shapes}")
    return {"bbox": rows, "bbox_num": counts}
