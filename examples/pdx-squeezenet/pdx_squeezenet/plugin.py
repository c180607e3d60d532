"""What this plugin offers: plain records. Nothing heavier than pdx_core's light modules is imported here."""

from __future__ import annotations

from pdx_core import hookimpl
from pdx_core.specs import BackboneSpec, HeadSpec, ModelSpec, Score, Weights

PDX_API = 1

PAPER = "https://arxiv.org/abs/1602.07360"
WEIGHTS = "https://paddle-imagenet-models-name.bj.bcebos.com/dygraph/SqueezeNet1_1_pretrained.pdparams"


@hookimpl
def pdx_backbones():
    yield BackboneSpec(
        name="SqueezeNet1_1",
        target="pdx_squeezenet.squeezenet:SqueezeNet",
        summary="SqueezeNet 1.1: 1x1 squeezes before every 3x3 convolution",
        channels=(128, 256, 512),
        strides=(4, 8, 16),
        paper=PAPER,
    )


@hookimpl
def pdx_heads():
    yield HeadSpec(
        name="SqueezeNetHead",
        task="cls",
        target="pdx_squeezenet.head:SqueezeNetHead",
        options="pdx_squeezenet.options:SqueezeNetHeadOptions",
        summary="dropout, 1x1 convolution to the classes, average pooling",
    )


@hookimpl
def pdx_models():
    yield ModelSpec(
        name="SqueezeNet1_1",
        task="cls",
        family="SqueezeNet",
        summary="SqueezeNet 1.1 on ImageNet-1k, 1.2 M parameters",
        backbone="SqueezeNet1_1",
        head="SqueezeNetHead",
        num_classes=1000,
        labels="pdx_cls.imagenet:class_names",
        input_size=(224, 224),
        preprocessing=({"ResizeShort": {"size": 256}}, {"CenterCrop": {"size": 224}}, {"Normalize": {}}),
        overrides={
            "Train.pretrain_weight_path": "official",
            "Train.epochs_iters": 15,
            "Train.warmup_steps": 1,
            "Train.batch_size": 32,
            # The trunk has no batch norm and wants small steps, the new classifier large ones. The fixed stem and first
            # two levels save their backward pass.
            "Train.learning_rate": 0.001,
            "Train.optimizer.lr_factors": {r"^head\.": 20.0},
            "Train.optimizer.weight_decay": 2e-4,
            "Train.freeze": (r"^backbone\.stem", r"^backbone\.levels\.[01]\."),
            "Data.train_transforms": (
                # crops magnify, so 192 shows things about as large as evaluation at 224 does
                {"RandomResizedCrop": {"size": 192, "scale": (0.35, 1.0)}},
                {"RandomHorizontalFlip": {}},
                {"Normalize": {}},
            ),
        },
        weights=(Weights(tag="imagenet1k", url=WEIGHTS, num_classes=1000, dialect="PaddleClas", source="PaddleClas"),),
        scores=(
            Score(metric="top1", value=60.1, dataset="ImageNet-1k val"),
            Score(metric="top5", value=81.9, dataset="ImageNet-1k val"),
        ),
        params=1_235_496,
        paper=PAPER,
    )
