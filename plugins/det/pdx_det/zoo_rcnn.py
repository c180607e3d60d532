"""Faster R-CNN and Cascade R-CNN on COCO."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from pdx_core.specs import ModelSpec, Score
from pdx_det.rcnn_recipes import BACKBONES, rcnn_coco_recipe, rcnn_finetuning, rcnn_preprocessing
from pdx_det.zoo_weights import released

_FASTER = "https://arxiv.org/abs/1506.01497"
_CASCADE = "https://arxiv.org/abs/1712.00726"

_FROZEN, _C4, _DCN, _GROUP_NORM = (BACKBONES[name] for name in ("frozen", "c4", "dcn", "group_norm"))
_HRNET = {**BACKBONES["hrnet"], "Model.head.rpn_post_nms": (2000, 1000)}


class _Row(NamedTuple):
    """A line of the table. Box AP is in percent on COCO val2017.

    file: of the release, without suffix; None where there is none in the dynamic form
    """

    name: str
    backbone: str
    params: int
    file: str | None
    scores: tuple[tuple[float, str], ...]  # value, schedule or other note
    options: Mapping[str, Any] = _FROZEN
    aliases: tuple[str, ...] = ()
    neck: str | None = "FPN"
    head: str = "FasterRCNNHead"
    file_mb: float | None = None


def _vd_alias(name: str) -> tuple[str, ...]:
    """The spelling with an underscore, which other lists use."""
    return (name.replace("-vd", "_vd"),) if "-vd" in name else ()


_ROWS = (
    _Row("FasterRCNN-ResNet50", "ResNet50", 33_844_764, "faster_rcnn_r50_1x_coco", ((35.2, "1x"), (37.1, "2x")), _C4,
         neck=None, head="FasterRCNNC4Head", file_mb=135.6),
    _Row("FasterRCNN-ResNet50-vd", "ResNet50_vd", 33_863_996, "faster_rcnn_r50_vd_1x_coco", ((36.4, "1x"),), _C4,
         neck=None, head="FasterRCNNC4Head", file_mb=135.7),
    _Row("FasterRCNN-ResNet101", "ResNet101", 52_836_892, "faster_rcnn_r101_1x_coco", ((38.3, "1x"),), _C4,
         neck=None, head="FasterRCNNC4Head", file_mb=211.7),
    _Row("FasterRCNN-ResNet34-FPN", "ResNet34", 38_796_640, "faster_rcnn_r34_fpn_1x_coco", ()),
    _Row("FasterRCNN-ResNet34-vd-FPN", "ResNet34_vd", 38_815_872, "faster_rcnn_r34_vd_fpn_1x_coco", ()),
    _Row("FasterRCNN-ResNet50-FPN", "ResNet50", 41_753_056, "faster_rcnn_r50_fpn_1x_coco",
         ((37.2, "1x"), (37.7, "2x")), file_mb=167.2),
    _Row("FasterRCNN-ResNet50-FPN-GN", "ResNet50", 43_066_848, "faster_rcnn_r50_fpn_gn_2x_coco", ((39.7, "2x"),),
         _GROUP_NORM),
    _Row("FasterRCNN-ResNet50-FPN-DCN", "ResNet50", 42_624_319, "faster_rcnn_dcn_r50_fpn_1x_coco", ((41.0, "1x"),),
         _DCN),
    _Row("FasterRCNN-ResNet50-vd-FPN", "ResNet50_vd", 41_772_288, "faster_rcnn_r50_vd_fpn_2x_coco", ((38.9, "2x"),),
         file_mb=168.7),
    _Row("FasterRCNN-ResNet50-vd-FPN-GIoU", "ResNet50_vd", 41_772_288, None, ((39.4, "1x"),),
         {**_FROZEN, "Model.head.iou_loss": "giou"}),
    _Row("FasterRCNN-ResNet50-vd-FPN-DIoU", "ResNet50_vd", 41_772_288, None, ((39.2, "1x"),),
         {**_FROZEN, "Model.head.iou_loss": "diou"}),
    _Row("FasterRCNN-ResNet50-vd-FPN-CIoU", "ResNet50_vd", 41_772_288, None, ((39.6, "1x"),),
         {**_FROZEN, "Model.head.iou_loss": "ciou"}),
    _Row("FasterRCNN-ResNet50-vd-FPN-DCN", "ResNet50_vd", 42_643_551, "faster_rcnn_dcn_r50_vd_fpn_2x_coco",
         ((42.4, "2x"),), _DCN),
    _Row("FasterRCNN-ResNet101-FPN", "ResNet101", 60_745_184, "faster_rcnn_r101_fpn_1x_coco",
         ((38.7, "1x"), (39.1, "2x")), file_mb=251.7),
    _Row("FasterRCNN-ResNet101-vd-FPN", "ResNet101_vd", 60_764_416, "faster_rcnn_r101_vd_fpn_1x_coco",
         ((40.5, "1x"), (40.8, "2x")), file_mb=252.0),
    _Row("FasterRCNN-ResNet101-vd-FPN-DCN", "ResNet101_vd", 62_693_674, "faster_rcnn_dcn_r101_vd_fpn_1x_coco",
         ((44.1, "1x"),), _DCN),
    _Row("FasterRCNN-ResNeXt101-vd-FPN", "ResNeXt101_vd_64x4d", 99_670_528, "faster_rcnn_x101_vd_64x4d_fpn_1x_coco",
         ((42.2, "1x"), (41.7, "2x")), aliases=("FasterRCNN-ResNeXt101-vd-64x4d-FPN",)),
    _Row("FasterRCNN-ResNeXt101-vd-FPN-DCN", "ResNeXt101_vd_64x4d", 107_385_130,
         "faster_rcnn_dcn_x101_vd_64x4d_fpn_1x_coco", ((45.2, "1x"),), _DCN,
         aliases=("FasterRCNN-ResNeXt101-vd-64x4d-FPN-DCN",)),
    _Row("FasterRCNN-SENet154-vd-FPN", "SENet154_vd", 137_933_072, None, ((42.9, "1.44x"),)),
    _Row("FasterRCNN-HRNet_W18-FPN", "HRNet_W18", 27_481_140, "faster_rcnn_hrnetv2p_w18_1x_coco",
         ((36.0, "1x"), (38.0, "2x")), _HRNET, neck="HRFPN", file_mb=115.5),
    _Row("FasterRCNN-Res2Net50-FPN", "Res2Net50_26w_4s", 41_895_144,
         "faster_rcnn_res2net50_vb_26w_4s_fpn_1x_coco", ((39.5, "1x"),)),
    _Row("Cascade-FasterRCNN-ResNet50-FPN", "ResNet50", 69_394_766, "cascade_rcnn_r50_fpn_1x_coco", ((41.1, "1x"),),
         head="CascadeRCNNHead"),
    _Row("Cascade-FasterRCNN-ResNet50-FPN-GN", "ResNet50", 73_332_046, "cascade_rcnn_r50_fpn_gn_2x_coco", (),
         _GROUP_NORM, head="CascadeRCNNHead"),
    _Row("Cascade-FasterRCNN-ResNet50-vd-FPN", "ResNet50_vd", 69_413_998, "cascade_rcnn_r50_vd_fpn_ssld_1x_coco", (),
         head="CascadeRCNNHead"),
    _Row("Cascade-FasterRCNN-ResNet50-FPN-DCN", "ResNet50", 70_266_029, "cascade_rcnn_dcn_r50_fpn_1x_coco",
         ((44.2, "1x"),), _DCN, head="CascadeRCNNHead"),
    _Row("Cascade-FasterRCNN-ResNet101-vd-FPN-DCN", "ResNet101_vd", 90_335_384, None, ((46.4, "1x"),), _DCN,
         head="CascadeRCNNHead"),
    _Row("Cascade-FasterRCNN-ResNeXt101-vd-FPN-DCN", "ResNeXt101_vd_64x4d", 135_026_840,
         "cascade_rcnn_dcn_x101_vd_64x4d_fpn_1x_coco", ((47.3, "1x"),), _DCN,
         aliases=("Cascade-FasterRCNN-ResNeXt101-vd-64x4d-FPN-DCN",), head="CascadeRCNNHead"),
)  # fmt: skip

# Fine-tuning as PaddleX sets it for 4 devices with 2 images each (rate 0.01), scaled to one device.
# The rate falls where it does in the published schedule: after 8 and 11 of 12 epochs.
_FINETUNE = {"epochs": 50, "batch": 2, "rate": 0.0025, "milestones": (33.0, 46.0)}


def _model(row: _Row) -> ModelSpec:
    cascade = row.head == "CascadeRCNNHead"
    pyramid = row.neck is not None
    defaults = rcnn_finetuning(**_FINETUNE, pyramid=pyramid, pretrained=row.file is not None)
    weights = released(row.file)
    return ModelSpec(
        name=row.name,
        task="det",
        family="Cascade R-CNN" if cascade else "Faster R-CNN",
        backbone=row.backbone,
        neck=row.neck,
        head=row.head,
        num_classes=80,
        input_size=(800, 1333),
        preprocessing=rcnn_preprocessing(pyramid),
        overrides={**row.options, **defaults},
        recipes={"coco": rcnn_coco_recipe()},
        weights=weights,
        scores=tuple(
            Score(metric="box_ap", value=value, dataset="COCO val2017", note=note) for value, note in row.scores
        ),
        params=row.params,
        file_mb=row.file_mb,
        labels="pdx_det.coco_classes:class_names",
        paper=_CASCADE if cascade else _FASTER,
        aliases=row.aliases + _vd_alias(row.name),
        summary="three box heads in a row on region proposals" if cascade else "a box head on region proposals",
    )


SPECS = tuple(_model(row) for row in _ROWS)
