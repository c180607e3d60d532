"""From the outputs of an exported detector to results."""

from __future__ import annotations

import numbers
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pdx_core.errors import PdxError
from pdx_core.predictor import ImagePredictor, Prepared
from pdx_core.results_boxes import BoxesResult
from pdx_core.settings import TestTimeConfig
from pdx_core.test_time import require_any_size
from pdx_det.output_rows import named_outputs, rows_per_image
from pdx_det.view_merging import MergeOptions, run_views

if TYPE_CHECKING:
    import numpy as np

    from pdx_core.settings import RunConfig

DEFAULT_THRESHOLD = 0.5


class DetPredictor(ImagePredictor):
    """Gives the boxes of each image, best first.

    threshold: boxes with a score above it are given; None takes what the model says, which is 0.5 unless it was
               exported otherwise
    topk:      at most so many boxes of an image; None gives them all
    test_time: the views in which each image is looked at, as in the section Predict.test_time of a configuration:
               {"scales": [1.0, 1.5], "flip": True}. Takes as many times longer as there are views. Scales need a model
               that takes any size: weights, or an export with Export.any_size
    """

    def __init__(
        self,
        *positional: Any,
        threshold: float | None = None,
        topk: int | None = None,
        test_time: TestTimeConfig | Mapping[str, Any] | None = None,
        **options: Any,
    ):
        super().__init__(*positional, **options)
        own = (self.card.post.get("DetThreshold") or {}).get("threshold", DEFAULT_THRESHOLD)
        self.threshold = _checked_threshold(own if threshold is None else threshold)
        self.topk = None if topk is None else _checked_topk(topk)
        self.test_time = TestTimeConfig.of(test_time)
        self._merging = MergeOptions.of(self.test_time.merge)
        require_any_size(self.runner, self.test_time)

    def run(self, feed: Mapping[str, np.ndarray]) -> Mapping[str, np.ndarray]:
        if not self.test_time.enabled:
            return self.runner(feed)
        return run_views(lambda view: named_outputs(self.runner(view)), feed, self.test_time, self._merging)

    @classmethod
    def published_post(cls, config: RunConfig) -> dict[str, Any]:
        threshold = config.predict.threshold
        return {"DetThreshold": {"threshold": DEFAULT_THRESHOLD if threshold is None else threshold}}

    def check_options(self, options: Mapping[str, Any]) -> None:
        super().check_options({name: value for name, value in options.items() if name not in ("threshold", "topk")})
        if options.get("threshold") is not None:
            _checked_threshold(options["threshold"])
        if options.get("topk") is not None:
            _checked_topk(options["topk"])

    def results(
        self,
        outputs: Mapping[str, np.ndarray],
        images: Sequence[Prepared],
        threshold: float | None = None,
        topk: int | None = None,
    ) -> list[BoxesResult]:
        threshold = self.threshold if threshold is None else threshold
        topk = self.topk if topk is None else topk
        return [
            BoxesResult.of_rows(
                image.name, rows, self.card.classes, threshold=threshold, topk=topk, size=image.size, **image.common
            )
            for image, rows in zip(images, rows_per_image(named_outputs(outputs)), strict=True)
        ]


def _checked_threshold(value: Any) -> float:
    if not isinstance(value, numbers.Real) or isinstance(value, bool) or not 0 <= value <= 1:
        raise PdxError(f"threshold must be a number from 0 to 1, got {value!r}")
    return float(value)


def _checked_topk(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise PdxError(f"topk must be a whole number from 1 on, got {value!r}")
    return value
