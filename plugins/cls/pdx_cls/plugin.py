"""What pdx-cls offers: the task, its readers, heads, metric, predictor and zoo."""

from __future__ import annotations

from pdx_cls import (
    heads_specs,
    readers_specs,
    zoo_darknet,
    zoo_hrnet,
    zoo_mobilenet_v1,
    zoo_mobilenet_v2,
    zoo_mobilenet_v3,
    zoo_pp_lcnet,
    zoo_resnet,
    zoo_xception,
)
from pdx_core import hookimpl
from pdx_core.specs import MetricSpec, PredictorSpec, TaskSpec

PDX_API = 1


@hookimpl
def pdx_tasks():
    yield TaskSpec(
        name="cls",
        title="image classification",
        summary="One class per image.",
        dataset_type="ClsDataset",
        target="pdx_cls.task:ClsTask",
        metric="topk",
        predictor="cls",
        demo="pdx_cls.demo:DEMO",
    )


@hookimpl
def pdx_dataset_readers():
    yield from readers_specs.SPECS


@hookimpl
def pdx_heads():
    yield from heads_specs.SPECS


@hookimpl
def pdx_metrics():
    yield MetricSpec(
        name="topk",
        task="cls",
        key="top1",
        unit="fraction",
        target="pdx_cls.metrics:TopK",
        summary="top-1 and top-5 accuracy, mean accuracy over classes, confusion matrix",
    )


@hookimpl
def pdx_predictors():
    yield PredictorSpec(
        name="cls",
        task="cls",
        target="pdx_cls.predictor:ClsPredictor",
        result="pdx_core.results:LabelsResult",
        summary="best classes with their scores",
    )


@hookimpl
def pdx_models():
    for family in (
        zoo_darknet,
        zoo_hrnet,
        zoo_mobilenet_v1,
        zoo_mobilenet_v2,
        zoo_mobilenet_v3,
        zoo_pp_lcnet,
        zoo_resnet,
        zoo_xception,
    ):
        yield from family.SPECS
