"""From the outputs of an exported model to results; reading, preparing and batching are the core's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pdx_core.predictor import ImagePredictor, Prepared
from pdx_keypoints.result import PointsResult
from pdx_keypoints.task import require_whole_images

if TYPE_CHECKING:
    import numpy as np


class KeypointsPredictor(ImagePredictor):
    """Gives the points of each image in pixels of the original."""

    def __init__(self, *positional: Any, **options: Any) -> None:
        super().__init__(*positional, **options)
        require_whole_images(self.card.transforms)

    def results(
        self, outputs: Mapping[str, np.ndarray], images: Sequence[Prepared], **options: Any
    ) -> list[PointsResult]:
        """outputs["points"]: float32 [N, K, 2] -> one result per image."""
        return [
            PointsResult(image.name, xy, self.card.classes, **image.common)
            for image, xy in zip(images, outputs["points"], strict=True)
        ]
