"""A small catalogue for the tests of configuration and commands, as the source of a fake plugin."""

ZOO = """
import attrs
from attrs import validators as v
from pdx_core import hookimpl
from pdx_core.specs import BackboneSpec, HeadSpec, ModelSpec, Score, TaskSpec, Weights

PDX_API = 1
HERE = __name__


@attrs.frozen(kw_only=True)
class NetOptions:
    width: float = attrs.field(default=1.0, validator=v.gt(0))
    freeze_stages: int = 0
    norm: str = "batch"
    size: tuple[int, int] = (2, 2)


@attrs.frozen(kw_only=True)
class HeadOptions:
    smoothing: float = 0.0


@hookimpl
def pdx_tasks():
    yield TaskSpec(name="count", title="counting", target="nowhere:Task", overrides={"Train.unit": "iteration"})


@hookimpl
def pdx_backbones():
    common = {"target": "nowhere:Net", "channels": (8,), "strides": (4,)}
    yield BackboneSpec(name="CountNet", options=HERE + ":NetOptions", arguments={"width": 0.5}, **common)
    yield BackboneSpec(name="OtherNet", options=HERE + ":HeadOptions", **common)
    yield BackboneSpec(name="FreeNet", **common)


@hookimpl
def pdx_heads():
    yield HeadSpec(name="CountHead", task="count", target="nowhere:Head", options=HERE + ":HeadOptions")


@hookimpl
def pdx_models():
    yield ModelSpec(
        name="CountNet_x1_0", task="count", family="CountNet", backbone="CountNet", head="CountHead",
        aliases=("cn1",), num_classes=10, params=1234567, file_mb=4.9, summary="counts things",
        preprocessing=({"ResizeShort": {"size": 256}}, {"CenterCrop": {"size": 224}}, {"Normalize": {}}),
        overrides={"Train.batch_size": 8, "Train.learning_rate": 0.1, "Model.head.smoothing": 0.1,
                   "Model.backbone.freeze_stages": 2, "Train.optimizer.no_decay": ("norm",)},
        recipes={"long": {"Train.epochs_iters": 500, "Train.learning_rate": 0.2}},
        weights=(Weights(tag="demo", url="https://example.invalid/w.pdparams", licence="Apache-2.0"),),
        scores=(Score(metric="error", value=3.5, dataset="Numbers"),
                Score(metric="error", value=3.6, source="ours, CPU, 2026-01-01")),
    )
"""
