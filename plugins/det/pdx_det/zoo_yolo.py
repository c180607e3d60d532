"""YOLOv3, PP-YOLO and PP-YOLOv2 on COCO."""

from __future__ import annotations

from typing import Any, NamedTuple

from pdx_core.specs import ModelSpec, Score
from pdx_det.one_stage_recipes import augmented, coco, finetune, stretched
from pdx_det.yolo_specs import COCO_ANCHORS_TWO_LEVELS
from pdx_det.zoo_weights import released

_YOLOV3 = "https://arxiv.org/abs/1804.02767"
_PPYOLO = "https://arxiv.org/abs/2007.12099"
_PPYOLOV2 = "https://arxiv.org/abs/2104.10419"
_STRIDES_8_16_32 = {"Model.backbone.out_stages": (1, 2, 3)}
_DEFORMABLE_LAST = {**_STRIDES_8_16_32, "Model.backbone.dcn_stages": (3,)}
_IOU_AWARE = {"Model.head.iou_aware_factor": 0.4, "Model.head.iou_loss_weight": 2.5}


class _Row(NamedTuple):
    """A line of the tables. Box AP is in percent on COCO val2017 at 608 px unless `scores` says otherwise."""

    name: str
    backbone: str
    params: int
    file: str | None  # of the release, without suffix; None where there is none in this form
    scores: tuple[tuple[float, str, str], ...]  # value, dataset, note
    options: dict[str, Any]
    aliases: tuple[str, ...] = ()
    neck: str = "YOLOv3FPN"
    head: str = "YOLOv3Head"
    size: int = 608
    paper: str = _YOLOV3
    batch: int = 8  # of fine-tuning
    file_mb: float | None = None


_COCO = "COCO val2017"
_VOC = "VOC 2007 test"
_ROWS = (
    _Row(
        "YOLOv3-DarkNet53",
        "DarkNet53",
        61_949_149,
        "yolov3_darknet53_270e_coco",
        ((39.0, _COCO, ""), (37.5, _COCO, "416 px"), (34.8, _COCO, "320 px"), (83.5, _VOC, "mAP at IoU 0.5")),
        _STRIDES_8_16_32,
        batch=4,
        file_mb=252.4,
    ),
    _Row(
        "YOLOv3-MobileNetV1",
        "MobileNetV1_x1_0",
        24_571_197,
        "yolov3_mobilenet_v1_270e_coco",
        ((29.3, _COCO, ""), (29.3, _COCO, "416 px"), (27.1, _COCO, "320 px"), (76.2, _VOC, "mAP at IoU 0.5")),
        {"Model.backbone.out_blocks": (3, 5, 12)},  # the first blocks of strides 8 and 16, not the last
        file_mb=101.2,
    ),
    _Row(
        "YOLOv3-MobileNetV3",
        "MobileNetV3_large_x1_0",
        23_606_691,
        "yolov3_mobilenet_v3_large_270e_coco",
        ((31.6, _COCO, ""),),
        _STRIDES_8_16_32,
        aliases=("YOLOv3-MobileNetV3_large",),
        file_mb=94.6,
    ),
    _Row(
        "YOLOv3-ResNet34",
        "ResNet34",
        42_309_053,
        "yolov3_r34_270e_coco",
        ((36.2, _COCO, ""), (34.3, _COCO, "416 px"), (31.4, _COCO, "320 px"), (82.6, _VOC, "mAP at IoU 0.5")),
        _STRIDES_8_16_32,
        file_mb=169.7,
    ),
    _Row(
        "YOLOv3-ResNet50_vd_DCN",
        "ResNet50_vd",
        45_952_942,
        "yolov3_r50vd_dcn_270e_coco",
        ((39.1, _COCO, ""), (41.4, _COCO, "pretrained on Objects365")),
        _DEFORMABLE_LAST,
        aliases=("YOLOv3-ResNet50_vd-DCN",),
    ),
    _Row(
        "YOLOv3-ResNet50_vd_DCN-DropBlock",
        "ResNet50_vd",
        45_952_942,
        None,
        ((42.8, _COCO, "pretrained on Objects365"),),
        {**_DEFORMABLE_LAST, "Model.neck.drop_keep": 0.94},
    ),
    _Row(
        "YOLOv3-ResNet50_vd_DCN-DropBlock-IoULoss",
        "ResNet50_vd",
        45_952_942,
        None,
        ((43.2, _COCO, "pretrained on Objects365"),),
        {**_DEFORMABLE_LAST, "Model.neck.drop_keep": 0.9, "Model.head.iou_loss_weight": 2.5},
    ),
    _Row(
        "YOLOv3-ResNet50_vd_DCN-DropBlock-IoUAware",
        "ResNet50_vd",
        45_958_327,
        None,
        ((43.6, _COCO, "pretrained on Objects365"),),
        {**_DEFORMABLE_LAST, "Model.neck.drop_keep": 0.94, **_IOU_AWARE},
    ),
    _Row(
        "PPYOLO",
        "ResNet50_vd",
        47_045_559,
        "ppyolo_r50vd_dcn_2x_coco",
        ((45.9, "COCO test-dev2017", ""), (45.3, _COCO, "")),
        _DEFORMABLE_LAST,
        aliases=("PP-YOLO", "PP-YOLO_2x"),
        neck="PPYOLOFPN",
        head="PPYOLOHead",
        paper=_PPYOLO,
        file_mb=329.1,
    ),
    _Row(
        "PPYOLO-ResNet18_vd",
        "ResNet18_vd",
        13_135_838,
        "ppyolo_r18vd_coco",
        ((29.2, _COCO, "512 px"), (28.6, _COCO, "416 px"), (26.2, _COCO, "320 px")),
        {
            "Model.backbone.out_stages": (2, 3),
            "Model.neck.convs": 0,
            "Model.neck.coord_conv": False,
            "Model.neck.pyramid_pooling": False,
            "Model.head.anchors": COCO_ANCHORS_TWO_LEVELS,
            "Model.head.iou_aware_factor": 0.0,
        },
        neck="PPYOLOFPN",
        head="PPYOLOHead",
        size=512,
        paper=_PPYOLO,
    ),
    _Row(
        "PPYOLOv2-ResNet50_vd-DCN",
        "ResNet50_vd",
        54_579_383,
        "ppyolov2_r50vd_dcn_365e_coco",
        ((49.1, _COCO, "640 px"), (49.5, "COCO test-dev2017", "640 px")),
        {**_DEFORMABLE_LAST, "Model.head.iou_aware_factor": 0.5},
        aliases=("PPYOLOv2",),
        neck="PPYOLOPAN",
        head="PPYOLOHead",
        size=640,
        paper=_PPYOLOV2,
        batch=4,
    ),
)
_SIZES = tuple(range(320, 609, 32))


def _model(row: _Row) -> ModelSpec:
    improved = row.paper != _YOLOV3
    v2 = row.paper == _PPYOLOV2
    sizes = tuple(range(320, 769, 32)) if v2 else _SIZES
    defaults = finetune(
        size=row.size,
        epochs=10,
        batch=row.batch,
        published_rate=0.001,
        published_batch=8,
        weight_decay=5e-4,
        sizes=sizes,
        ema=improved,
        clip_norm=35.0 if improved else None,
    )
    if v2:
        recipe = coco(epochs=365, batch=96, rate=0.005, milestones=(243,), warmup_iterations=4000, weight_decay=5e-4,
                      ema=True, clip_norm=35.0)  # fmt: skip
    elif improved:
        recipe = coco(epochs=811, batch=192, rate=0.01, milestones=(649, 730), warmup_iterations=4000,
                      weight_decay=5e-4, ema=True, clip_norm=35.0)  # fmt: skip
    else:
        recipe = coco(epochs=270, batch=64, rate=0.001, milestones=(216, 243), warmup_iterations=4000,
                      weight_decay=5e-4)  # fmt: skip
    weights = released(row.file)
    if not weights:
        defaults["Train.pretrain_weight_path"] = None  # released in the static form only
    return ModelSpec(
        name=row.name,
        task="det",
        family="PP-YOLOv2" if v2 else "PP-YOLO" if improved else "YOLOv3",
        backbone=row.backbone,
        neck=row.neck,
        head=row.head,
        num_classes=80,
        input_size=(row.size, row.size),
        preprocessing=stretched(row.size),
        overrides={**row.options, **defaults},
        recipes={"coco": {**recipe, **augmented(size=row.size, sizes=sizes, expand=4.0, mixup=True)}},
        weights=weights,
        scores=tuple(
            Score(metric="box_ap", value=value, dataset=dataset, note=note) for value, dataset, note in row.scores
        ),
        params=row.params,
        file_mb=row.file_mb,
        labels="pdx_det.coco_classes:class_names",
        paper=row.paper,
        aliases=row.aliases,
        summary=f"{'PP-YOLOv2' if v2 else 'PP-YOLO' if improved else 'YOLOv3'} on COCO",
    )


SPECS = tuple(_model(row) for row in _ROWS)
