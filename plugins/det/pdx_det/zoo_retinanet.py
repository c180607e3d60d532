"""RetinaNet on COCO."""

from __future__ import annotations

from pdx_core.specs import ModelSpec, Score
from pdx_det.one_stage_recipes import coco, keep_ratio
from pdx_det.zoo_weights import released

_PAPER = "https://arxiv.org/abs/1708.02002"
# name -> backbone, parameters, file of the release, box AP in percent on COCO val2017 by schedule, other spellings
_ROWS = {
    "RetinaNet-ResNet50-FPN": (
        "ResNet50",
        33_839_924,
        "retinanet_r50_fpn_1x_coco",
        ((36.0, "1x, 2020"), (37.5, "1x")),
        (),
    ),
    "RetinaNet-ResNet101-FPN": (
        "ResNet101",
        52_832_052,
        "retinanet_r101_fpn_2x_coco",
        ((37.3, "1x, 2020"), (40.6, "2x")),
        (),
    ),
    "RetinaNet-ResNeXt101-vd-FPN": (
        "ResNeXt101_vd_64x4d",
        91_757_396,
        None,
        ((40.5, "1x, 2020"),),
        ("RetinaNet-ResNeXt101_vd-FPN", "RetinaNet-ResNeXt101-vd-64x4d-FPN"),
    ),
}


def _model(name: str) -> ModelSpec:
    backbone, params, file, scores, aliases = _ROWS[name]
    weights = released(file)
    return ModelSpec(
        name=name,
        task="det",
        family="RetinaNet",
        backbone=backbone,
        neck="FPN",
        head="RetinaNetHead",
        num_classes=80,
        input_size=(800, 1333),
        preprocessing=keep_ratio(),
        overrides={
            "Model.backbone.out_stages": (1, 2, 3),
            "Model.backbone.norm": "frozen",
            "Model.backbone.freeze_stages": 2,
            "Model.neck.extra": "conv",
            "Train.pretrain_weight_path": "official" if weights else None,
            "Train.epochs_iters": 12,
            "Train.batch_size": 2,
            "Train.learning_rate": 0.0025,  # 0.01 for 8 images (published), scaled to 2
            "Train.warmup_steps": 100,
            "Train.warmup_unit": "iteration",
            "Train.optimizer.weight_decay": 1e-4,
            "Train.optimizer.clip_norm": 35.0,
            "Data.train_transforms": ({"RandomHorizontalFlip": {}}, *keep_ratio()),
        },
        recipes={
            "coco": coco(
                epochs=12,
                batch=16,
                rate=0.01,
                milestones=(8, 11),
                warmup_iterations=500,
                warmup_start_rate=0.00001,
                weight_decay=1e-4,
            )
        },
        weights=weights,
        scores=tuple(Score(metric="box_ap", value=value, dataset="COCO val2017", note=note) for value, note in scores),
        params=params,
        labels="pdx_det.coco_classes:class_names",
        paper=_PAPER,
        aliases=aliases,
        summary="RetinaNet on COCO",
    )


SPECS = tuple(_model(name) for name in _ROWS)
