"""What the shared training and evaluation loops have to know about keypoints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from pdx_core.errors import ConfigError, fold_name
from pdx_keypoints.points import points_of
from pdx_keypoints.result import PointsResult

if TYPE_CHECKING:
    from pdx_core.data.batch import Batch
    from pdx_core.data.sample import Sample
    from pdx_core.settings import RunConfig

_RESIZING = ("resize", "resizeshort", "resizelong", "normalize")


class KeypointsTask:
    """Images with K named points each, of which some may not be known."""

    def __init__(self, config: RunConfig, classes: tuple[str, ...]) -> None:
        require_whole_images(config.data.eval_transforms)
        self.classes = classes

    def collate(self, samples: Sequence[Sample], batch: Batch) -> dict[str, np.ndarray]:
        """points: float32 [N, K, 2], x and y in pixels of the network input; known: float32 [N, K], 1 or 0."""
        points = np.stack([points_of(sample).xy for sample in samples])  # [N, K, 2]
        sides = batch.im_shape[:, None, ::-1]  # [N, 1, 2] x, y
        known = ((points >= 0) & (points <= sides)).all(axis=-1)  # what a crop cut off is not known any more
        return {
            "points": np.where(known[..., None], points, 0).astype(np.float32),
            "known": known.astype(np.float32),
        }

    def results(self, outputs: Mapping[str, np.ndarray], samples: Sequence[Sample]) -> list[PointsResult]:
        """outputs["points"]: float32 [N, K, 2] in pixels of the original images -> one result per image."""
        return [
            PointsResult(sample.path, xy, self.classes) for sample, xy in zip(samples, outputs["points"], strict=True)
        ]


def require_whole_images(transforms: Sequence[Mapping[str, Any] | str]) -> None:
    """ConfigError for a preparation that crops or shifts: the way back to the original image is a scale only."""
    for entry in transforms:
        name = entry if isinstance(entry, str) else next(iter(entry))
        if ":" not in name and fold_name(name) not in _RESIZING:
            raise ConfigError(
                f"Data.eval_transforms has {name}, but points are found in whole images only; use Resize, ResizeShort "
                "or ResizeLong, then Normalize"
            )
