"""Training defaults of the zoo, as dotted configuration keys.

`finetune` is what `pdx train NAME` does: PaddleX's fine-tuning schedule (20 epochs, 5 of them warm-up, the
regularisation of the original recipe) from the published weights. PaddleX states its learning rates for 4 GPUs with a
large batch each; here they are scaled linearly to one device with 32 images:
rate = published rate * 32 / (4 * published batch).

`imagenet` is the recipe the published weights were trained with, for 4 GPUs with the batch that is given.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

BATCH_SIZE = 32  # of fine-tuning, on one device
_PUBLISHED_DEVICES = 4
# Written out although they are the transform's defaults, so that `pdx config` shows what the network is fed
_NORMALIZE = {"Normalize": {"mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225)}}
_AUTO_AUGMENT = {"AutoAugment": {}}


def train_transforms(size: int = 224, *extra: Mapping[str, Any]) -> tuple[Mapping[str, Any], ...]:
    """Random resized crop, mirror image, whatever is `extra`, normalisation."""
    return ({"RandomResizedCrop": {"size": size}}, {"RandomHorizontalFlip": {}}, *extra, _NORMALIZE)


def eval_transforms(short_side: int = 256, size: int = 224) -> tuple[Mapping[str, Any], ...]:
    """Short side to `short_side`, centre crop, normalisation: the published evaluation of ImageNet models."""
    return ({"ResizeShort": {"size": short_side}}, {"CenterCrop": {"size": size}}, _NORMALIZE)


def finetune(
    *,
    published_rate: float,
    published_batch: int,
    weight_decay: float,
    label_smoothing: float = 0.0,
    decay_norms: bool = True,
    size: int = 224,
) -> dict[str, Any]:
    """Overrides of a ModelSpec that starts from its published weights.

    size: side of the training images in pixels
    decay_norms: False excludes scale and shift of batch norms from the weight decay, as the recipe does
    """
    return {
        "Train.pretrain_weight_path": "official",
        "Train.epochs_iters": 20,
        "Train.warmup_steps": 5,
        "Train.batch_size": BATCH_SIZE,
        "Train.learning_rate": _round(published_rate * BATCH_SIZE / (_PUBLISHED_DEVICES * published_batch)),
        **_shared(weight_decay, label_smoothing, decay_norms),
        "Data.train_transforms": train_transforms(size),
    }


def imagenet(
    *,
    epochs: int,
    batch: int,
    rate: float,
    weight_decay: float,
    warmup_epochs: int = 0,
    milestones: tuple[float, ...] = (),
    label_smoothing: float = 0.0,
    decay_norms: bool = True,
    mixup: float = 0.0,
    auto_augment: bool = False,
    size: int = 224,
) -> dict[str, Any]:
    """Overrides that repeat the published training from random weights on 4 devices with `batch` images each.

    milestones: epochs at which the rate falls to a tenth; () for a cosine
    mixup:      alpha of its beta distribution; 0 for none
    size:       side of the training images in pixels
    """
    extra = (_AUTO_AUGMENT,) if auto_augment else ()
    schedule: dict[str, Any] = {"Train.schedule.name": "cosine"}
    if milestones:
        schedule = {"Train.schedule.name": "piecewise", "Train.schedule.milestones": milestones}
    return {
        "Train.pretrain_weight_path": None,
        "Train.epochs_iters": epochs,
        "Train.warmup_steps": warmup_epochs,
        "Train.batch_size": batch,
        "Train.learning_rate": rate,
        **_shared(weight_decay, label_smoothing, decay_norms),
        **schedule,
        "Data.train_transforms": train_transforms(size, *extra),
        "Data.batch_transforms": ({"Mixup": {"alpha": mixup}},) if mixup else (),
    }


def _shared(weight_decay: float, label_smoothing: float, decay_norms: bool) -> dict[str, Any]:
    overrides: dict[str, Any] = {"Train.optimizer.weight_decay": weight_decay}
    if label_smoothing:
        overrides["Model.head.label_smoothing"] = label_smoothing
    if not decay_norms:
        overrides["Train.optimizer.no_decay"] = ("norm",)
    return overrides


def _round(rate: float) -> float:
    return float(f"{rate:.2g}")
