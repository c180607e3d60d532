"""Preprocessing and training defaults of the segmenters, as dotted configuration keys.

`finetune` is what `pdx train NAME` does: a short run on crops of 512 x 512 pixels. Paddle states its rates for 4 GPUs;
here they are scaled linearly to one device: rate = published rate * batch / (4 * published batch). As in PaddleX, the
length of a run counts iterations: 1000 batches of 4 see as many images as its 500 of 2 on 4 GPUs.

`cityscapes` repeats the published training, for 4 GPUs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Transforms = tuple[Mapping[str, Any], ...]

BATCH_SIZE = 4  # of fine-tuning, on one device
_DEVICES = 4  # of the published training
_CROP = (512, 512)  # of fine-tuning: height, width
_NORMALIZE = {"Normalize": {"mean": (0.5, 0.5, 0.5), "std": (0.5, 0.5, 0.5)}}
_GREY = (127, 127, 127)  # what surrounds an image that is smaller than the crop; 0 after normalisation

# The published evaluation: the whole image in its own size. The networks take any.
EVALUATION: Transforms = (_NORMALIZE,)


def train_transforms(crop: tuple[int, int] = _CROP, distortion: float = 0.4) -> Transforms:
    """Half to double size, a random window, mirror image, colours, normalisation.

    crop: height and width; distortion: of brightness, contrast and saturation, which are multiplied by 1 +- it at most
    """
    return (
        {"RandomScale": {"low": 0.5, "high": 2.0, "step": 0.25}},
        {"RandomCrop": {"size": crop, "fill": _GREY}},
        {"RandomHorizontalFlip": {}},
        {"ColorDistort": {"brightness": distortion, "contrast": distortion, "saturation": distortion}},
        _NORMALIZE,
    )


def finetune(*, published_rate: float, published_batch: int, weight_decay: float) -> dict[str, Any]:
    """Overrides of a model; where it starts from is the record's business."""
    return {
        "Train.unit": "iteration",
        "Train.epochs_iters": 1000,
        "Train.eval_interval": 100,
        "Train.save_interval": 100,
        "Train.batch_size": BATCH_SIZE,
        "Train.learning_rate": float(f"{published_rate * BATCH_SIZE / (_DEVICES * published_batch):.2g}"),
        "Train.optimizer.weight_decay": weight_decay,
        "Train.schedule.name": "poly",
        "Data.train_transforms": train_transforms(),
    }


def cityscapes(
    *,
    iterations: int = 80_000,
    batch: int = 2,
    rate: float = 0.01,
    end_rate: float = 0.0,
    weight_decay: float = 4e-5,
    crop: tuple[int, int] = (512, 1024),
    distortion: float = 0.4,
    warmup: int = 0,
) -> dict[str, Any]:
    """Overrides that repeat the published training on 4 devices with `batch` images each.

    warmup: iterations in which the rate grows from 1e-5
    """
    overrides: dict[str, Any] = {
        "Train.unit": "iteration",
        "Train.epochs_iters": iterations,
        "Train.eval_interval": 1000,
        "Train.save_interval": 1000,
        "Train.batch_size": batch,
        "Train.learning_rate": rate,
        "Train.optimizer.weight_decay": weight_decay,
        "Train.schedule.name": "poly",
        "Train.schedule.end_lr": end_rate,
        "Data.train_transforms": train_transforms(crop, distortion),
    }
    if warmup:
        overrides |= {
            "Train.warmup_steps": warmup,
            "Train.warmup_unit": "iteration",
            "Train.schedule.warmup_start_lr": 1e-5,
        }
    return overrides
