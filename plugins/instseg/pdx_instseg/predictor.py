"""From the outputs of an exported instance segmentation to results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pdx_core.errors import PdxError
from pdx_core.predictor import Prepared
from pdx_core.results_boxes import best_rows
from pdx_det.api import DetPredictor
from pdx_instseg.outputs import named_outputs, per_image, run_lengths
from pdx_instseg.results import InstancesResult

if TYPE_CHECKING:
    import numpy as np


class InstSegPredictor(DetPredictor):
    """Gives the objects of each image, best first: see `DetPredictor` for threshold and topk.

    polygons: whether the JSON also holds the outlines of the masks

    Only the masks that are asked for are brought to the size of the image.
    """

    def __init__(self, *positional: Any, polygons: bool = False, **options: Any) -> None:
        super().__init__(*positional, **options)
        if self.test_time.enabled:
            raise PdxError("test_time merges boxes, not masks; leave it out for instance segmentation")
        self.polygons = _checked(polygons)

    def check_options(self, options: Mapping[str, Any]) -> None:
        super().check_options({name: value for name, value in options.items() if name != "polygons"})
        if options.get("polygons") is not None:
            _checked(options["polygons"])

    def results(
        self,
        outputs: Mapping[str, np.ndarray],
        images: Sequence[Prepared],
        threshold: float | None = None,
        topk: int | None = None,
        polygons: bool | None = None,
    ) -> list[InstancesResult]:
        threshold = self.threshold if threshold is None else threshold
        topk = self.topk if topk is None else topk
        found = []
        for image, (rows, masks) in zip(images, per_image(named_outputs(outputs)), strict=True):
            best = best_rows(rows, threshold, topk)
            found.append(
                InstancesResult.of_rows(
                    image.name,
                    rows[best],
                    self.card.classes,
                    size=image.size,
                    run_lengths=run_lengths(masks[best], rows[best], image.size),
                    with_polygons=self.polygons if polygons is None else polygons,
                    **image.common,
                )
            )
        return found


def _checked(value: Any) -> bool:
    if not isinstance(value, bool):
        raise PdxError(f"polygons must be True or False, got {value!r}")
    return value
