"""Trunks, preprocessing and training defaults of two-stage detectors, as dotted configuration keys."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pdx_det.one_stage_recipes import Transforms, coco, keep_ratio

# Batch norm is fixed in all of these, and so are the stem and the first stage, as batches are small.
_FROZEN = {"Model.backbone.norm": "frozen", "Model.backbone.freeze_stages": 2}
BACKBONES: Mapping[str, Mapping[str, Any]] = {
    "frozen": _FROZEN,
    "c4": {**_FROZEN, "Model.backbone.out_stages": (2,)},
    # The release fixes no weights of HRNet but keeps gradients from its finest branch, see `detached_stages`.
    "hrnet": {"Model.backbone.norm": "frozen", "Model.backbone.detached_stages": (0,)},
    "dcn": {**_FROZEN, "Model.backbone.dcn_stages": (1, 2, 3)},
    "group_norm": {**_FROZEN, "Model.neck.norm": "group", "Model.head.box_trunk": "conv_fc"},
}

_TRAINING_SIDES = (640, 672, 704, 736, 768, 800)
_AUGMENTATION = (
    {"RandomHorizontalFlip": {}},
    {"RandomResizeShort": {"sizes": _TRAINING_SIDES, "max_size": 1333, "interpolation": "bicubic"}},
)


def rcnn_preprocessing(pyramid: bool = True) -> Transforms:
    """Evaluation transforms of the release.

    pyramid: whether the levels of a pyramid must fit; the C4 models have none
    """
    return keep_ratio(interpolation="bicubic", pad_multiple=32 if pyramid else 1)


def rcnn_finetuning(
    *,
    epochs: int,
    batch: int,
    rate: float,
    milestones: tuple[float, ...],
    pyramid: bool = True,
    pretrained: bool = True,
) -> dict[str, Any]:
    """Overrides for fine-tuning on one device with the augmentation of the release.

    milestones: epochs after which the rate is divided by 10
    pretrained: whether there are published weights to start from
    """
    return {
        "Train.pretrain_weight_path": "official" if pretrained else None,
        "Train.epochs_iters": epochs,
        "Train.batch_size": batch,
        "Train.learning_rate": rate,
        "Train.warmup_steps": 100,
        "Train.warmup_unit": "iteration",
        "Train.schedule.name": "piecewise",
        "Train.schedule.milestones": milestones,
        "Train.optimizer.weight_decay": 1e-4,
        "Data.train_transforms": (*_AUGMENTATION, {"Normalize": {"pad_multiple": 32 if pyramid else 1}}),
    }


def rcnn_coco_recipe(
    *, epochs: int = 12, warmup_start_rate: float = 0.001, clip_norm: float | None = None
) -> dict[str, Any]:
    """Overrides that repeat the published training on COCO: 12 epochs ("1x") or 24 ("2x") with 8 images in all."""
    return coco(
        epochs=epochs,
        batch=8,
        rate=0.01,
        milestones=(8, 11) if epochs == 12 else (round(epochs * 2 / 3), round(epochs * 11 / 12)),
        warmup_iterations=1000,
        warmup_start_rate=warmup_start_rate,
        weight_decay=1e-4,
        clip_norm=clip_norm,
    )
