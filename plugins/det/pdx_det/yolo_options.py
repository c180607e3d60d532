"""What a config may say about the necks and the head of YOLOv3 and PP-YOLO."""

from __future__ import annotations

import attrs
from attrs import validators as v

from pdx_det.suppression_options import SuppressionOptions
from pdx_det.yolo_specs import COCO_ANCHORS

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
