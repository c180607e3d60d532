"""The ten hooks. Each takes no argument and returns an iterable of records; order does not matter.

A plugin is one light module named by an entry point in the group `pdx.plugins`:

    [project.entry-points."pdx.plugins"]
    mine = "pdx_mine.plugin"

It says `PDX_API = 1` and implements the hooks it needs. It imports nothing heavier than attrs, click, pluggy, yaml and
the light modules of `pdx_core`; records name their targets by import path, and pdx imports those on first use.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    from pdx_core.specs import (
        BackboneSpec,
        CommandSpec,
        HeadSpec,
        MetricSpec,
        ModelSpec,
        NeckSpec,
        PredictorSpec,
        ReaderSpec,
        RuntimeSpec,
        TaskSpec,
    )

hookspec = pluggy.HookspecMarker("pdx")


@hookspec
def pdx_tasks() -> Iterable[TaskSpec]:
    """Offer tasks.

    @hookimpl
    def pdx_tasks():
        yield TaskSpec(name="count", title="object counting", target="pdx_count.task:CountTask",
                       metric="count_error", predictor="count", reader="count_folder")
    """


@hookspec
def pdx_dataset_readers() -> Iterable[ReaderSpec]:
    """Offer dataset formats.

    @hookimpl
    def pdx_dataset_readers():
        yield ReaderSpec(name="csv_labels", task="cls", target="pdx_mine.readers:CsvLabels",
                         layout="labels.csv with columns file,class beside the images",
                         detect="pdx_mine.readers_light:is_csv_labels")
    """


@hookspec
def pdx_backbones() -> Iterable[BackboneSpec]:
    """Offer trunks.

    @hookimpl
    def pdx_backbones():
        yield BackboneSpec(name="TinyNet", target="pdx_mine.tinynet:TinyNet",
                           channels=(16, 32, 64, 128), strides=(4, 8, 16, 32))
    """


@hookspec
def pdx_necks() -> Iterable[NeckSpec]:
    """Offer necks.

    @hookimpl
    def pdx_necks():
        yield NeckSpec(name="TinyFPN", target="pdx_mine.fpn:TinyFPN", min_levels=2)
    """


@hookspec
def pdx_heads() -> Iterable[HeadSpec]:
    """Offer heads.

    @hookimpl
    def pdx_heads():
        yield HeadSpec(name="CosineHead", task="cls", target="pdx_mine.heads:CosineHead")
    """


@hookspec
def pdx_metrics() -> Iterable[MetricSpec]:
    """Offer metrics.

    @hookimpl
    def pdx_metrics():
        yield MetricSpec(name="macro_f1", task="cls", key="f1", target="pdx_mine.metrics:MacroF1")
    """


@hookspec
def pdx_predictors() -> Iterable[PredictorSpec]:
    """Offer predictors.

    @hookimpl
    def pdx_predictors():
        yield PredictorSpec(name="cls_tta", task="cls", target="pdx_mine.predictor:TtaPredictor")
    """


@hookspec
def pdx_runtimes() -> Iterable[RuntimeSpec]:
    """Offer ways to run an exported model.

    @hookimpl
    def pdx_runtimes():
        yield RuntimeSpec(name="tensorrt", target="pdx_trt.runtime:TensorRT", suffixes=(".onnx",),
                          requires=("tensorrt",), install="pip install tensorrt", devices=("gpu",))
    """


@hookspec
def pdx_models() -> Iterable[ModelSpec]:
    """Offer rows of the model zoo.

    @hookimpl
    def pdx_models():
        yield ModelSpec(name="TinyNet_x1_0", task="cls", backbone="TinyNet", head="ClsHead")
    """


@hookspec
def pdx_commands() -> Iterable[CommandSpec]:
    """Offer extra subcommands of `pdx`.

    @hookimpl
    def pdx_commands():
        yield CommandSpec(name="anchors", target="pdx_mine.cli:anchors", summary="Cluster boxes into anchors.")
    """
