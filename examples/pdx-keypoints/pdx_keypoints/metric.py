"""How far predicted points are from where they should be."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pdx_core.data.sample import Sample
from pdx_keypoints.points import points_of
from pdx_keypoints.result import PointsResult


class PointErrors:
    """PCK, the share of known points that are found, and NME, their mean distance from the truth.

    Distances are fractions of the longer side of the image.

    threshold: the distance up to which a point is found
    """

    def __init__(self, classes: Sequence[str], threshold: float = 0.05) -> None:
        self.threshold = threshold
        self.found, self.known, self.distance = 0, 0, 0.0

    def update(self, results: Sequence[PointsResult], samples: Sequence[Sample]) -> None:
        for result, sample in zip(results, samples, strict=True):
            truth = sample.truth or sample
            distances = np.linalg.norm(result.xy - points_of(truth).xy, axis=1) / max(truth.size)  # [K]
            distances = distances[~np.isnan(distances)]  # NaN where the truth is not known
            self.found += int((distances <= self.threshold).sum())
            self.known += len(distances)
            self.distance += float(distances.sum())

    def compute(self) -> dict[str, float]:
        if not self.known:
            return {"pck": float("nan"), "nme": float("nan")}
        return {"pck": self.found / self.known, "nme": self.distance / self.known}

    def state(self) -> tuple[int, int, float]:
        return self.found, self.known, self.distance

    def merge(self, states: Sequence[tuple[int, int, float]]) -> None:
        self.found, self.known, self.distance = (sum(values) for values in zip(*states, strict=True))
