"""PicoDet-S on COCO, in the form of 2021 (ESNet trunk)."""

from __future__ import annotations

from pdx_core.specs import ModelSpec, Score
from pdx_det.one_stage_recipes import coco, finetune, stretched
from pdx_det.zoo_weights import released

_PAPER = "https://arxiv.org/abs/2111.00902"
# size -> box AP, box AP at IoU 0.5, images per device of the published run, sizes of a batch in training
_ROWS = {
    320: (27.1, 41.4, 128, (256, 288, 320, 352, 384)),
    416: (30.7, 45.8, 80, (352, 384, 416, 448, 480)),
}


def _model(size: int) -> ModelSpec:
    box_ap, box_ap50, batch, sizes = _ROWS[size]
    return ModelSpec(
        name=f"PicoDet-S_{size}",
        task="det",
        family="PicoDet",
        backbone="ESNet_x0_75",
        neck="CSPPAN",
        head="PicoHead",
        num_classes=80,
        input_size=(size, size),
        preprocessing=stretched(size),
        overrides={
            "Model.backbone.out_stages": (1, 2, 3),
            **finetune(
                size=size,
                epochs=40,
                batch=16,
                published_rate=0.4,
                published_batch=batch,
                weight_decay=4e-5,
                sizes=sizes,
            ),
        },
        recipes={
            "coco": coco(
                epochs=300,
                batch=4 * batch,
                rate=0.4,
                warmup_iterations=300,
                warmup_start_rate=0.04,
                weight_decay=4e-5,
                ema=True,
            )
        },
        weights=released(f"picodet_s_{size}_coco", source="PaddleDetection model zoo, PicoDet of 2021.10"),
        scores=(
            Score(metric="box_ap", value=box_ap, dataset="COCO val2017"),
            Score(metric="box_ap50", value=box_ap50, dataset="COCO val2017"),
        ),
        params=992_719,
        labels="pdx_det.coco_classes:class_names",
        paper=_PAPER,
        aliases=(f"picodet_s_{size}_coco",),
        summary="PicoDet-S on COCO: one million parameters",
    )


SPECS = tuple(_model(size) for size in _ROWS)
