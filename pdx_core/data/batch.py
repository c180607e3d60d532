"""A batch on its way from the loader to the network."""

from __future__ import annotations

import attrs
import numpy as np

from pdx_core.data.sample import Sample


@attrs.define(kw_only=True)
class Batch:
    """Normalised images, what the loss needs, and the samples they came from.

    images:       float32 [N, 3, H, W]
    targets:      arrays by name, made by `Task.collate`; empty when evaluating
    samples:      one per image; `sample.image` is dropped once it is in `images`
    im_shape:     float32 [N, 2], height and width without padding
    scale_factor: float32 [N, 2], y and x
    """

    images: np.ndarray
    samples: list[Sample]
    im_shape: np.ndarray
    scale_factor: np.ndarray
    targets: dict[str, np.ndarray] = attrs.field(factory=dict)

    def __len__(self) -> int:
        return len(self.samples)
