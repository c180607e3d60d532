"""What this plugin offers: plain records. Nothing heavier than pdx_core's light modules is imported here."""

from __future__ import annotations

from pdx_core import hookimpl
from pdx_core.specs import HeadSpec, MetricSpec, ModelSpec, PredictorSpec, ReaderSpec, TaskSpec

PDX_API = 1

PAPER = "https://arxiv.org/abs/1711.08229"  # Sun et al., "Integral Human Pose Regression", 2018
TRUNK_WEIGHTS = "https://paddle-model-ecology.bj.bcebos.com/paddlex/official_pretrained_model/{}_pretrained.pdparams"
_SIDE = 192


@hookimpl
def pdx_tasks():
    yield TaskSpec(
        name="keypoints",
        title="keypoint regression",
        summary="Where the named points of an object are.",
        dataset_type="PointsDataset",
        target="pdx_keypoints.task:KeypointsTask",
        metric="point_errors",
        predictor="keypoints",
        demo="pdx_keypoints.demo:DEMO",
    )


@hookimpl
def pdx_dataset_readers():
    yield ReaderSpec(
        name="PointsDataset",
        task="keypoints",
        target="pdx_keypoints.reader:PointsDataset",
        summary="A CSV file per split, with the points of an image in each line.",
        layout="train_points.csv and val_points.csv, whose first line is `image,nose_x,nose_y,...` and whose others "
        "name an image and give its points in pixels, both cells empty where a point is not known",
        detect="pdx_keypoints.layout:is_dataset",
        checker="pdx_keypoints.checker:PointsChecker",
    )


@hookimpl
def pdx_heads():
    yield HeadSpec(
        name="PointsHead",
        task="keypoints",
        target="pdx_keypoints.head:PointsHead",
        options="pdx_keypoints.options:PointsHeadOptions",
        summary="a map per point, whose centre of mass is the point",
    )


@hookimpl
def pdx_metrics():
    yield MetricSpec(
        name="point_errors",
        task="keypoints",
        key="pck",
        unit="fraction",
        target="pdx_keypoints.metric:PointErrors",
        options="pdx_keypoints.options:PointErrorsOptions",
        summary="share of points that are near enough (PCK), and their mean distance",
    )


@hookimpl
def pdx_predictors():
    yield PredictorSpec(
        name="keypoints",
        task="keypoints",
        target="pdx_keypoints.predictor:KeypointsPredictor",
        result="pdx_keypoints.result:PointsResult",
        summary="the points in pixels of the original image",
    )


@hookimpl
def pdx_models():
    for trunk in ("ResNet18", "PP-LCNet_x1_0"):
        yield ModelSpec(
            name=f"Points-{trunk}",
            task="keypoints",
            family="Keypoints",
            summary=f"points as centres of mass of maps, on {trunk}",
            backbone=trunk,
            head="PointsHead",
            input_size=(_SIDE, _SIDE),
            preprocessing=({"Resize": {"size": _SIDE}}, {"Normalize": {}}),
            overrides={
                # The trunk starts from its ImageNet weights, of which the classifier is left over.
                "Train.pretrain_weight_path": TRUNK_WEIGHTS.format(trunk),
                "Train.partial_weights": ("head.*", "fc.*", "last_conv.*"),
                "Train.epochs_iters": 50,
                "Train.warmup_steps": 1,
                "Train.batch_size": 16,
                "Train.learning_rate": 0.001,
                "Train.optimizer": {"name": "adamw", "weight_decay": 0.01, "no_decay": ("norm",)},
                "Data.train_transforms": (
                    {"RandomHorizontalFlip": {}},  # moves the points, and names the left eye the right one
                    {"RandomResizedCrop": {"size": _SIDE, "scale": (0.7, 1.0)}},
                    {"ColorDistort": {}},
                    {"Normalize": {}},
                ),
            },
            paper=PAPER,
        )
