"""Preprocessing and training defaults of the one-stage detectors, as dotted configuration keys.

`finetune` is what `pdx train NAME` does: a short cosine schedule from the published weights on one device. PaddleX
states its rates for 4 GPUs; here they are scaled linearly to the images of one device:
rate = published rate * batch / (4 * published batch). A `coco` recipe repeats the published training.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

_DEVICES_OF_PADDLEX = 4
Transforms = tuple[Mapping[str, Any], ...]


def stretched(size: int, interpolation: str = "bicubic", normalize: Mapping[str, Any] | None = None) -> Transforms:
    """Resize to a square without regard to the aspect ratio, then normalise: the published evaluation."""
    return (
        {"Resize": {"size": [size, size], "interpolation": interpolation}},
        {"Normalize": dict(normalize or {})},
    )


def keep_ratio(
    short: int = 800, longest: int = 1333, interpolation: str = "bilinear", pad_multiple: int = 32
) -> Transforms:
    """Short side to `short`, long side at most `longest`, then normalise and pad to whole cells of stride 32."""
    return (
        {"ResizeShort": {"size": short, "max_size": longest, "interpolation": interpolation}},
        {"Normalize": {"pad_multiple": pad_multiple}},
    )


def finetune(
    *,
    size: int,
    epochs: int,
    batch: int,
    published_rate: float,
    published_batch: int,
    weight_decay: float,
    sizes: Sequence[int] = (),
    normalize: Mapping[str, Any] | None = None,
    ema: bool = False,
    clip_norm: float | None = None,
    rate: float | None = None,
) -> dict[str, Any]:
    """Overrides of a model on square input.

    sizes: sides between which each batch is resized; () keeps `size`
    rate:  instead of scaling the published one
    """
    if rate is None:
        rate = float(f"{published_rate * batch / (_DEVICES_OF_PADDLEX * published_batch):.2g}")
    overrides: dict[str, Any] = {
        "Train.pretrain_weight_path": "official",
        "Train.epochs_iters": epochs,
        "Train.batch_size": batch,
        "Train.learning_rate": rate,
        "Train.warmup_steps": 100,
        "Train.warmup_unit": "iteration",
        "Train.optimizer.weight_decay": weight_decay,
        "Train.optimizer.no_decay": ("norm",),
        **augmented(size=size, sizes=sizes, normalize=normalize),
    }
    if ema:
        overrides["Train.ema.enable"] = True
    if clip_norm is not None:
        overrides["Train.optimizer.clip_norm"] = clip_norm
    return overrides


_FILTERS = ("nearest", "bilinear", "area", "bicubic", "lanczos")


def augmented(
    *,
    size: int,
    sizes: Sequence[int] = (),
    normalize: Mapping[str, Any] | None = None,
    expand: float = 0.0,
    mixup: bool = False,
) -> dict[str, Any]:
    """Overrides for the augmentation of the release; `expand` and `mixup` are for its long schedules only.

    sizes:  sides between which each batch is resized, with any filter; () keeps `size`
    expand: the largest factor by which a canvas in the mean colour exceeds the picture; 0 leaves it out
    """
    pixels = dict(normalize or {})
    steps: list[Mapping[str, Any]] = [{"ColorDistort": {}}]
    if expand:
        colour = {"fill": list(pixels["mean"])} if pixels.get("scale") == 1.0 else {}
        steps.append({"RandomExpand": {"max_ratio": expand, **colour}})
    steps += [
        {"RandomBoxCrop": {}},
        {"RandomHorizontalFlip": {}},
        {"Resize": {"size": [size, size]}},
        {"Normalize": pixels},
    ]
    batch_steps: list[Mapping[str, Any]] = [{"BoxMixup": {}}] if mixup else []
    if sizes:
        squares = [[side, side] for side in sizes]
        batch_steps.append({"BatchRandomResize": {"sizes": squares, "interpolations": list(_FILTERS)}})
    overrides: dict[str, Any] = {"Data.train_transforms": tuple(steps)}
    if batch_steps:
        overrides["Data.batch_transforms"] = tuple(batch_steps)
    return overrides


def coco(
    *,
    epochs: int,
    batch: int,
    rate: float,
    milestones: Sequence[float] = (),
    warmup_iterations: int = 0,
    warmup_start_rate: float = 0.0,
    weight_decay: float,
    ema: bool = False,
    clip_norm: float | None = None,
) -> dict[str, Any]:
    """Overrides that repeat the published schedule on COCO or VOC from a pretrained trunk.

    batch: images of all devices together, for which `rate` is meant; milestones: (): cosine
    """
    overrides: dict[str, Any] = {
        "Train.pretrain_weight_path": None,
        "Train.epochs_iters": epochs,
        "Train.batch_size": batch,
        "Train.learning_rate": rate,
        "Train.warmup_steps": warmup_iterations,
        "Train.warmup_unit": "iteration",
        "Train.schedule.warmup_start_lr": warmup_start_rate,
        "Train.optimizer.weight_decay": weight_decay,
        "Train.schedule.name": "piecewise" if milestones else "cosine",
    }
    if milestones:
        overrides["Train.schedule.milestones"] = tuple(milestones)
    if ema:
        overrides["Train.ema.enable"] = True
    if clip_norm is not None:
        overrides["Train.optimizer.clip_norm"] = clip_norm
    return overrides
