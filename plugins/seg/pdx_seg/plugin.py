"""What pdx-seg offers: the task, its readers, trunks, heads, metric, predictor and zoo."""

from __future__ import annotations

from pdx_core import hookimpl
from pdx_core.specs import MetricSpec, PredictorSpec, TaskSpec
from pdx_seg import heads_specs, readers_specs, trunks_specs, zoo

PDX_API = 1


@hookimpl
def pdx_tasks():
    yield TaskSpec(
        name="seg",
        title="semantic segmentation",
        summary="A class for every pixel.",
        dataset_type="SegDataset",
        reader="SegDataset",
        target="pdx_seg.task:SegTask",
        metric="mean_iou",
        predictor="seg",
        demo="pdx_seg.demo:DEMO",
        overrides={"Export.any_size": True},  # tiles and views need it, whatever size the dataset has
    )


@hookimpl
def pdx_dataset_readers():
    yield from readers_specs.SPECS


@hookimpl
def pdx_metrics():
    yield MetricSpec(
        name="mean_iou",
        task="seg",
        key="mIoU",
        unit="fraction",
        target="pdx_seg.metrics:MeanIou",
        options="pdx_seg.metrics_specs:MeanIouOptions",
        summary="mean intersection over union; accuracy, kappa and Dice, also per class",
    )


@hookimpl
def pdx_predictors():
    yield PredictorSpec(
        name="seg",
        task="seg",
        target="pdx_seg.predictor:SegPredictor",
        result="pdx_seg.results:LabelMapResult",
        preparation="pdx_seg.deploy_card:from_deploy",
        summary="a class for every pixel of the original image",
    )


@hookimpl
def pdx_backbones():
    yield from trunks_specs.SPECS


@hookimpl
def pdx_heads():
    yield from heads_specs.SPECS


@hookimpl
def pdx_models():
    yield from zoo.SPECS
