"""What pdx-det offers: detection necks, heads and zoo."""

from __future__ import annotations

from pdx_core import hookimpl
from pdx_core.specs import TaskSpec
from pdx_det import picodet_specs, rcnn_specs, yolo_specs, zoo_picodet, zoo_rcnn, zoo_yolo

PDX_API = 1


@hookimpl
def pdx_tasks():
    yield TaskSpec(
        name="det",
        title="object detection",
        summary="Boxes with a class and a score.",
        dataset_type="COCODetDataset",
        target="pdx_det.task:DetTask",
        metric="coco_box",
        predictor="det",
    )


@hookimpl
def pdx_necks():
    for family in (
        picodet_specs,
        rcnn_specs,
        yolo_specs,
    ):
        yield from family.NECKS


@hookimpl
def pdx_heads():
    for family in (
        picodet_specs,
        rcnn_specs,
        yolo_specs,
    ):
        yield from family.HEADS


@hookimpl
def pdx_models():
    for family in (
        zoo_picodet,
        zoo_rcnn,
        zoo_yolo,
    ):
        yield from family.SPECS
