"""From the scores of an exported classifier to results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pdx_core.errors import PdxError
from pdx_core.predictor import ImagePredictor, Prepared
from pdx_core.results import LabelsResult

if TYPE_CHECKING:
    import numpy as np

    from pdx_core.settings import RunConfig

DEFAULT_TOPK = 5


class ClsPredictor(ImagePredictor):
    """Gives the best classes of each image.

    topk: how many; None takes what the model says, which is 5 unless it was exported otherwise
    """

    def __init__(self, *positional: Any, topk: int | None = None, **options: Any) -> None:
        super().__init__(*positional, **options)
        own = (self.card.post.get("Topk") or {}).get("topk", DEFAULT_TOPK)
        self.topk = _checked(own if topk is None else topk)

    @classmethod
    def published_post(cls, config: RunConfig) -> dict[str, Any]:
        return {"Topk": {"topk": config.predict.topk or DEFAULT_TOPK}}

    def check_options(self, options: Mapping[str, Any]) -> None:
        super().check_options({name: value for name, value in options.items() if name != "topk"})
        if options.get("topk") is not None:
            _checked(options["topk"])

    def results(
        self, outputs: Mapping[str, np.ndarray], images: Sequence[Prepared], topk: int | None = None
    ) -> list[LabelsResult]:
        # Models that PaddleX exported have one output, of any name
        scores = outputs["scores"] if "scores" in outputs else next(iter(outputs.values()))  # [N, K]
        count = self.topk if topk is None else topk
        return [
            LabelsResult.best(image.name, row, self.card.classes, count, **image.common)
            for image, row in zip(images, scores, strict=True)
        ]


def _checked(topk: Any) -> int:
    if not isinstance(topk, int) or isinstance(topk, bool) or topk < 1:
        raise PdxError(f"topk must be a whole number from 1 on, got {topk!r}")
    return topk
