"""Mask R-CNN and Cascade Mask R-CNN on COCO."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from pdx_core.specs import ModelSpec, Score
from pdx_det.api import BACKBONES, rcnn_coco_recipe, rcnn_finetuning, rcnn_preprocessing, released_weights

_MASK = "https://arxiv.org/abs/1703.06870"
_CASCADE = "https://arxiv.org/abs/1906.09756"

_FROZEN, _C4, _DCN = (BACKBONES[name] for name in ("frozen", "c4", "dcn"))
_GROUP_NORM = {**BACKBONES["group_norm"], "Model.head.mask_norm": "group"}


class _Row(NamedTuple):
    """A line of the table. AP is in percent on COCO val2017.

    file:   of the release, without suffix; None where there is none in the dynamic form
    scores: box AP, mask AP, and the schedule they were published for; those of `file` itself are called "released"
    """

    name: str
    backbone: str
    params: int
    file: str | None
    scores: tuple[tuple[float, float, str], ...]
    options: Mapping[str, Any] = _FROZEN
    aliases: tuple[str, ...] = ()
    neck: str | None = "FPN"
    head: str = "MaskRCNNHead"
    file_mb: float | None = None
    epochs: int = 12


_CASCADE_HEAD = "CascadeMaskRCNNHead"
_ROWS = (
    _Row("MaskRCNN-ResNet50", "ResNet50", 35_962_732, "mask_rcnn_r50_2x_coco",
         ((38.2, 33.4, "2x"), (36.5, 32.2, "1x"), (39.7, 34.5, "released, 2x")), _C4, neck=None, head="MaskRCNNC4Head",
         file_mb=143.9),
    _Row("MaskRCNN-ResNet50-FPN", "ResNet50", 44_396_336, "mask_rcnn_r50_fpn_2x_coco",
         ((38.7, 34.7, "2x"), (37.9, 34.2, "1x"), (40.5, 36.7, "released, 2x")), file_mb=184.6),
    _Row("MaskRCNN-ResNet50-FPN-GN", "ResNet50", 45_711_152, "mask_rcnn_r50_fpn_gn_2x_coco",
         ((40.1, 35.8, "2x"), (42.3, 38.4, "released, 2x")), _GROUP_NORM, epochs=24),
    _Row("MaskRCNN-ResNet50-FPN-DCN", "ResNet50", 45_267_599, "mask_rcnn_dcn_r50_fpn_1x_coco",
         ((41.9, 37.3, "1x"), (42.7, 38.4, "released, 1x")), _DCN),
    _Row("MaskRCNN-ResNet50-vd-FPN", "ResNet50_vd", 44_415_568, "mask_rcnn_r50_vd_fpn_2x_coco",
         ((39.8, 35.4, "2x"), (41.4, 37.5, "released, 2x")), file_mb=185.5, epochs=24),
    _Row("MaskRCNN-ResNet50-vd-FPN-DCN", "ResNet50_vd", 45_286_831, "mask_rcnn_dcn_r50_vd_fpn_2x_coco",
         ((42.9, 38.0, "2x"), (44.6, 39.8, "released, 2x")), _DCN, epochs=24),
    _Row("MaskRCNN-ResNet101-FPN", "ResNet101", 63_388_464, "mask_rcnn_r101_fpn_1x_coco",
         ((39.5, 35.2, "1x"), (40.6, 36.6, "released, 1x")), file_mb=268.6),
    _Row("MaskRCNN-ResNet101-vd-FPN", "ResNet101_vd", 63_407_696, "mask_rcnn_r101_vd_fpn_1x_coco",
         ((41.4, 36.8, "1x"), (42.4, 38.1, "released, 1x")), aliases=("MaskRCNN-ResNet101vd-FPN",), file_mb=268.6),
    _Row("MaskRCNN-ResNet101-vd-FPN-DCN", "ResNet101_vd", 65_336_954, "mask_rcnn_dcn_r101_vd_fpn_1x_coco",
         ((44.6, 39.2, "1x"), (45.6, 40.6, "released, 1x")), _DCN),
    _Row("MaskRCNN-ResNeXt101-vd-FPN", "ResNeXt101_vd_64x4d", 102_313_808, "mask_rcnn_x101_vd_64x4d_fpn_2x_coco",
         ((42.9, 37.9, "1x"), (42.6, 37.6, "2x"), (44.6, 39.8, "released, 2x")),
         aliases=("MaskRCNN-ResNeXt101-vd-64x4d-FPN",)),
    _Row("MaskRCNN-ResNeXt101-vd-FPN-DCN", "ResNeXt101_vd_64x4d", 110_028_410,
         "mask_rcnn_dcn_x101_vd_64x4d_fpn_1x_coco", ((46.2, 40.4, "1x"), (47.3, 42.0, "released, 1x")), _DCN,
         aliases=("MaskRCNN-ResNeXt101-vd-64x4d-FPN-DCN",)),
    _Row("MaskRCNN-SENet154-vd-FPN", "SENet154_vd", 140_576_352, None, ((44.0, 38.7, "1.44x"),)),
    _Row("MaskRCNN-HRNet_W18-FPN", "HRNet_W18", 30_124_420, None,
         # The announcement has the line of MaskRCNN-ResNet50 here; the file size fits the other one.
         ((38.2, 33.4, "PaddleX 1.3, announcement"), (38.7, 34.7, "PaddleX 1.3, model list")), neck="HRFPN",
         file_mb=120.7),
    _Row("MaskRCNN-Res2Net50-FPN", "Res2Net50_26w_4s", 44_538_424, "mask_rcnn_res2net50_vb_26w_4s_fpn_2x_coco",
         ((40.7, 36.2, "2x"), (42.4, 38.1, "released, 2x")), epochs=24),
    _Row("MaskRCNN-Res2Net50-vd-FPN", "Res2Net50_vd_26w_4s", 44_557_656, "mask_rcnn_res2net50_vd_26w_4s_fpn_2x_coco",
         ((40.9, 36.2, "2x"), (42.6, 38.1, "released, 2x")), epochs=24),
    _Row("MaskRCNN-Res2Net50-vd-FPN-DCN", "Res2Net50_vd_26w_4s", 45_620_133, None, ((43.5, 38.4, "2x"),), _DCN,
         epochs=24),
    _Row("Cascade-MaskRCNN-ResNet50-FPN", "ResNet50", 72_038_046, "cascade_mask_rcnn_r50_fpn_1x_coco",
         ((41.3, 35.5, "1x"), (41.8, 36.3, "released, 1x")), head=_CASCADE_HEAD),
    _Row("Cascade-MaskRCNN-ResNet50-FPN-GN", "ResNet50", 75_976_350, "cascade_mask_rcnn_r50_fpn_gn_2x_coco",
         ((45.0, 39.3, "released, 2x"),), _GROUP_NORM, head=_CASCADE_HEAD, epochs=24),
    _Row("Cascade-MaskRCNN-ResNet50-vd-FPN", "ResNet50_vd", 72_057_278, "cascade_mask_rcnn_r50_vd_fpn_ssld_2x_coco",
         ((45.7, 39.7, "released, 2x, distilled trunk"),), head=_CASCADE_HEAD, epochs=24),
    _Row("Cascade-MaskRCNN-ResNeXt101-vd-FPN-DCN", "ResNeXt101_vd_64x4d", 137_670_120, None, (), _DCN,
         aliases=("Cascade-MaskRCNN-ResNeXt101-vd-64x4d-FPN-DCN",), head=_CASCADE_HEAD),
)  # fmt: skip


def _model(row: _Row) -> ModelSpec:
    cascade = row.head == _CASCADE_HEAD
    pyramid = row.neck is not None
    # As PaddleX sets it for 4 devices with 2 images each, or 1 for the cascade (rate 0.01), scaled to one device.
    # The rate falls where it does in the published schedule: after 8 and 11 of 12 epochs.
    finetuning = rcnn_finetuning(
        epochs=40,
        batch=1 if cascade else 2,
        rate=0.0025,
        milestones=(27.0, 37.0),
        pyramid=pyramid,
        pretrained=row.file is not None,
    )
    return ModelSpec(
        name=row.name,
        task="instseg",
        family="Cascade Mask R-CNN" if cascade else "Mask R-CNN",
        backbone=row.backbone,
        neck=row.neck,
        head=row.head,
        num_classes=80,
        input_size=(800, 1333),
        preprocessing=rcnn_preprocessing(pyramid),
        overrides={**row.options, **finetuning},
        recipes={
            "coco": rcnn_coco_recipe(epochs=row.epochs, warmup_start_rate=1e-5, clip_norm=35.0 if cascade else None)
        },
        weights=released_weights(row.file),
        scores=tuple(
            Score(metric=metric, value=value, dataset="COCO val2017", note=note)
            for box_ap, mask_ap, note in row.scores
            for metric, value in (("mask_ap", mask_ap), ("box_ap", box_ap))
        ),
        params=row.params,
        file_mb=row.file_mb,
        labels="pdx_det.api:coco_classes",
        paper=_CASCADE if cascade else _MASK,
        aliases=row.aliases + _vd_alias(row.name),
        summary="three box heads in a row and a mask branch" if cascade else "boxes with a mask for each",
    )


def _vd_alias(name: str) -> tuple[str, ...]:
    """The spelling with an underscore, which other lists use."""
    return (name.replace("-vd", "_vd"),) if "-vd" in name else ()


SPECS = tuple(_model(row) for row in _ROWS)
