"""What pdx-det offers: detection necks, heads and zoo."""

from __future__ import annotations

from pdx_core import hookimpl
from pdx_core.specs import MetricSpec, PredictorSpec, TaskSpec
from pdx_det import (
    blazeface_specs,
    picodet_specs,
    rcnn_specs,
    readers_specs,
    retinanet_specs,
    ssd_specs,
    yolo_specs,
    zoo_blazeface,
    zoo_picodet,
    zoo_rcnn,
    zoo_retinanet,
    zoo_ssd,
    zoo_yolo,
)

PDX_API = 1


@hookimpl
def pdx_tasks():
    yield TaskSpec(
        name="det",
        title="object detection",
        summary="Boxes with a class and a score.",
        dataset_type="COCODetDataset",
        reader="COCODetDataset",
        target="pdx_det.task:DetTask",
        metric="coco_box",
        predictor="det",
        demo="pdx_det.demo:DEMO",
    )


@hookimpl
def pdx_dataset_readers():
    yield from readers_specs.SPECS


@hookimpl
def pdx_metrics():
    yield MetricSpec(
        name="coco_box",
        task="det",
        key="AP",
        unit="fraction",
        target="pdx_det.metrics.coco:CocoBox",
        options="pdx_det.metrics_specs:CocoBoxOptions",
        summary="average precision over IoU 0.5 to 0.95, by size; recall; confusions and kinds of errors",
    )
    yield MetricSpec(
        name="voc_map",
        task="det",
        key="mAP",
        unit="fraction",
        target="pdx_det.metrics.voc:VocMap",
        options="pdx_det.metrics_specs:VocMapOptions",
        summary="mean average precision at IoU 0.5 as in Pascal VOC, integral or 11-point",
    )


@hookimpl
def pdx_predictors():
    yield PredictorSpec(
        name="det",
        task="det",
        target="pdx_det.predictor:DetPredictor",
        result="pdx_core.results_boxes:BoxesResult",
        summary="boxes with class and score",
    )


@hookimpl
def pdx_backbones():
    yield from blazeface_specs.BACKBONES


@hookimpl
def pdx_necks():
    for family in (
        blazeface_specs,
        picodet_specs,
        rcnn_specs,
        retinanet_specs,
        ssd_specs,
        yolo_specs,
    ):
        yield from family.NECKS


@hookimpl
def pdx_heads():
    for family in (
        blazeface_specs,
        picodet_specs,
        rcnn_specs,
        retinanet_specs,
        ssd_specs,
        yolo_specs,
    ):
        yield from family.HEADS


@hookimpl
def pdx_models():
    for family in (
        zoo_blazeface,
        zoo_picodet,
        zoo_rcnn,
        zoo_retinanet,
        zoo_ssd,
        zoo_yolo,
    ):
        yield from family.SPECS
