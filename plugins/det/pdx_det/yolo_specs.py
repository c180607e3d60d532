"""The necks and the head of YOLOv3 and PP-YOLO, and what a config may say about them."""

from __future__ import annotations

import attrs
from attrs import validators as v

from pdx_core.specs import HeadSpec, NeckSpec
from pdx_det.suppression_options import SuppressionOptions

# Width and height in pixels, clustered on COCO by the authors of YOLOv3; three for each of strides 8, 16, 32.
COCO_ANCHORS = ((10, 13), (16, 30), (33, 23), (30, 61), (62, 45), (59, 119), (116, 90), (156, 198), (373, 326))
# The six of PP-YOLO on ResNet18, for strides 16 and 32.
COCO_ANCHORS_TWO_LEVELS = ((10, 14), (23, 27), (37, 58), (81, 82), (135, 169), (344, 319))

_SHARE = v.and_(v.gt(0), v.le(1))


@attrs.frozen(kw_only=True)
class YoloFPNOptions:
    convs: int = attrs.field(default=4, validator=v.in_((0, 4)))
    coord_conv: bool = False
    pyramid_pooling: bool = False
    drop_keep: float = attrs.field(default=1.0, validator=_SHARE)  # share that DropBlock keeps; 1 switches it off


@attrs.frozen(kw_only=True)
class YoloPANOptions:
    act: str = "mish"
    pyramid_pooling: bool = True
    drop_keep: float = attrs.field(default=0.9, validator=_SHARE)


@attrs.frozen(kw_only=True)
class YOLOv3HeadOptions(SuppressionOptions):
    anchors: tuple[tuple[float, float], ...] = COCO_ANCHORS  # small to large
    cell_sharpness: float = attrs.field(default=1.0, validator=v.ge(1))  # scale_x_y
    iou_aware_factor: float = attrs.field(default=0.0, validator=v.and_(v.ge(0), v.lt(1)))
    iou_loss_weight: float = attrs.field(default=0.0, validator=v.ge(0))
    ignore_iou: float = attrs.field(default=0.7, validator=_SHARE)
    label_smooth: bool = False
    confidence_threshold: float = attrs.field(default=0.005, validator=v.and_(v.ge(0), v.lt(1)))
    normalized: bool = True


NECKS = (
    NeckSpec(
        name="YOLOv3FPN",
        target="pdx_det.necks.yolo_fpn:YoloFPN",
        options="pdx_det.yolo_specs:YoloFPNOptions",
        summary="top-down neck of YOLOv3",
    ),
    NeckSpec(
        name="PPYOLOFPN",
        target="pdx_det.necks.yolo_fpn:YoloFPN",
        options="pdx_det.yolo_specs:YoloFPNOptions",
        arguments={"coord_conv": True, "pyramid_pooling": True, "drop_keep": 0.9},
        summary="neck of PP-YOLO: YOLOv3's with coordinates, spatial pyramid pooling and DropBlock",
    ),
    NeckSpec(
        name="PPYOLOPAN",
        target="pdx_det.necks.yolo_pan:YoloPAN",
        options="pdx_det.yolo_specs:YoloPANOptions",
        summary="neck of PP-YOLOv2: down and up again, cross-stage partial blocks",
    ),
)
HEADS = (
    HeadSpec(
        name="YOLOv3Head",
        task="det",
        target="pdx_det.yolov3:YOLOv3Head",
        options="pdx_det.yolo_specs:YOLOv3HeadOptions",
        summary="anchors on three levels, one 1x1 convolution each",
    ),
    HeadSpec(
        name="PPYOLOHead",
        task="det",
        target="pdx_det.yolov3:YOLOv3Head",
        options="pdx_det.yolo_specs:YOLOv3HeadOptions",
        arguments={
            "cell_sharpness": 1.05,
            "iou_aware_factor": 0.4,
            "iou_loss_weight": 2.5,
            "confidence_threshold": 0.01,
            "nms_kind": "matrix",
            "pre_top_k": -1,
            "max_places": 2000,  # lowered scores compete with those of worse places
            "normalized": False,
        },
        summary="YOLOv3's head with IoU loss, IoU-aware confidence and Matrix NMS (PP-YOLO)",
    ),
)
