"""The necks and the head of YOLOv3 and PP-YOLO, as records."""

from __future__ import annotations

from pdx_core.specs import HeadSpec, NeckSpec

# Width and height in pixels, clustered on COCO by the authors of YOLOv3; three for each of strides 8, 16, 32.
COCO_ANCHORS = ((10, 13), (16, 30), (33, 23), (30, 61), (62, 45), (59, 119), (116, 90), (156, 198), (373, 326))
# The six of PP-YOLO on ResNet18, for strides 16 and 32.
COCO_ANCHORS_TWO_LEVELS = ((10, 14), (23, 27), (37, 58), (81, 82), (135, 169), (344, 319))


NECKS = (
    NeckSpec(
        name="YOLOv3FPN",
        target="pdx_det.necks.yolo_fpn:YoloFPN",
        options="pdx_det.yolo_options:YoloFPNOptions",
        summary="top-down neck of YOLOv3",
    ),
    NeckSpec(
        name="PPYOLOFPN",
        target="pdx_det.necks.yolo_fpn:YoloFPN",
        options="pdx_det.yolo_options:YoloFPNOptions",
        arguments={"coord_conv": True, "pyramid_pooling": True, "drop_keep": 0.9},
        summary="neck of PP-YOLO: YOLOv3's with coordinates, spatial pyramid pooling and DropBlock",
    ),
    NeckSpec(
        name="PPYOLOPAN",
        target="pdx_det.necks.yolo_pan:YoloPAN",
        options="pdx_det.yolo_options:YoloPANOptions",
        summary="neck of PP-YOLOv2: down and up again, cross-stage partial blocks",
    ),
)
HEADS = (
    HeadSpec(
        name="YOLOv3Head",
        task="det",
        target="pdx_det.yolov3:YOLOv3Head",
        options="pdx_det.yolo_options:YOLOv3HeadOptions",
        summary="anchors on three levels, one 1x1 convolution each",
    ),
    HeadSpec(
        name="PPYOLOHead",
        task="det",
        target="pdx_det.yolov3:YOLOv3Head",
        options="pdx_det.yolo_options:YOLOv3HeadOptions",
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
