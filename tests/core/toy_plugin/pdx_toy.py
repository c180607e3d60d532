"""A task of its own with tiny networks, so that the core's training tests need no plugin. Light, like every plugin."""

from pdx_core import hookimpl
from pdx_core.specs import BackboneSpec, HeadSpec, MetricSpec, ModelSpec, ReaderSpec, TaskSpec

PDX_API = 1


def is_toy(folder):
    return (folder / "toy.txt").exists()


@hookimpl
def pdx_tasks():
    yield TaskSpec(name="toy", target="pdx_toy_parts:ToyTask", metric="toy_accuracy", reader="toy_reader")


@hookimpl
def pdx_dataset_readers():
    yield ReaderSpec(name="toy_reader", task="toy", target="pdx_toy_parts:ToyReader", detect="pdx_toy:is_toy")


@hookimpl
def pdx_backbones():
    yield BackboneSpec(name="toy_flat", target="pdx_toy_parts:Flat", channels=(3,), strides=(1,), min_size=1)
    yield BackboneSpec(name="toy_conv", target="pdx_toy_parts:Conv", channels=(6,), strides=(2,), min_size=4)


@hookimpl
def pdx_heads():
    yield HeadSpec(name="toy_head", task="toy", target="pdx_toy_parts:Head")


@hookimpl
def pdx_metrics():
    yield MetricSpec(name="toy_accuracy", task="toy", key="accuracy", target="pdx_toy_parts:Accuracy")


@hookimpl
def pdx_models():
    shared = {
        "task": "toy",
        "head": "toy_head",
        "num_classes": 3,
        "input_size": (8, 8),
        "preprocessing": ({"Normalize": {"mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5]}},),
    }
    overrides = {
        "Train.batch_size": 8,
        "Train.epochs_iters": 4,
        "Train.learning_rate": 0.05,
        "Train.log_interval": 2,
        "Data.workers": 1,
        "Data.train_transforms": [
            {"RandomHorizontalFlip": {}},
            {"Normalize": {"mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5]}},
        ],
    }
    # without batch statistics and random numbers: processes and accumulation must give what one large batch gives
    yield ModelSpec(name="toy_plain", backbone="toy_flat", overrides=overrides, **shared)
    # batch norm and dropout: everything a checkpoint has to remember
    yield ModelSpec(
        name="toy_full",
        backbone="toy_conv",
        overrides={
            **overrides,
            "Model.head.dropout": 0.3,
            "Train.ema.enable": True,
            "Train.optimizer.weight_decay": 1e-4,
        },
        **shared,
    )
