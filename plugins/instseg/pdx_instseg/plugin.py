"""What pdx-instseg offers: instance segmentation with mask heads and their zoo."""

from __future__ import annotations

from pdx_core import hookimpl
from pdx_core.specs import MetricSpec, PredictorSpec, TaskSpec
from pdx_instseg import mask_rcnn_specs, readers_specs, zoo_mask_rcnn

PDX_API = 1


@hookimpl
def pdx_tasks():
    yield TaskSpec(
        name="instseg",
        title="instance segmentation",
        summary="A box, a class, a score and a mask for each object.",
        dataset_type="COCOInstSegDataset",
        reader="COCOInstSegDataset",
        target="pdx_instseg.task:InstSegTask",
        metric="coco_mask",
        predictor="instseg",
        demo="pdx_instseg.demo:DEMO",
    )


@hookimpl
def pdx_dataset_readers():
    yield from readers_specs.SPECS


@hookimpl
def pdx_metrics():
    yield MetricSpec(
        name="coco_mask",
        task="instseg",
        key="AP",
        unit="fraction",
        target="pdx_instseg.metrics.coco:CocoMask",
        options="pdx_det.api:CocoBoxOptions",
        summary="average precision of masks over IoU 0.5 to 0.95, by size; recall; average precision of the boxes",
    )


@hookimpl
def pdx_predictors():
    yield PredictorSpec(
        name="instseg",
        task="instseg",
        target="pdx_instseg.predictor:InstSegPredictor",
        result="pdx_instseg.results:InstancesResult",
        summary="boxes with class, score and mask",
    )


@hookimpl
def pdx_heads():
    yield from mask_rcnn_specs.HEADS


@hookimpl
def pdx_models():
    yield from zoo_mask_rcnn.SPECS
