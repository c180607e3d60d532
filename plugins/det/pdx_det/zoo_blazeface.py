"""BlazeFace on WIDER FACE."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from pdx_core.specs import ModelSpec, Score
from pdx_det.blazeface_specs import PAPER
from pdx_det.one_stage_recipes import finetune
from pdx_det.zoo_weights import released

_PIXELS = {"mean": [123, 117, 104], "std": [127.502231] * 3, "scale": 1.0}
_SIZE = 640  # of training; pictures are looked at in their own size
_SETS = ("easy", "medium", "hard")
_STATIC = "of the static release, several scales"
_DYNAMIC = "several scales"


class _Row(NamedTuple):
    name: str
    backbone: str
    params: int
    scores: tuple[float, float, float]  # AP on the easy, medium and hard set
    note: str
    file: str | None = None
    neck: str | None = None
    options: Mapping[str, Any] = {}


_ROWS = (
    _Row("BlazeFace", "BlazeNet", 115_584, (88.5, 85.5, 73.1), _DYNAMIC, "blazeface_1000e"),
    _Row(
        "BlazeFace-FPN-SSH",
        "BlazeNet",
        159_072,
        (90.7, 88.3, 79.3),
        _DYNAMIC,
        "blazeface_fpn_ssh_1000e",
        "FPNSSH",
        {"Model.backbone.act": "hardswish"},
    ),
    _Row("BlazeFace-NAS", "BlazeNet_NAS", 40_156, (83.7, 80.7, 65.8), _STATIC),
    _Row("BlazeFace-NAS_V2", "BlazeNet_NAS_V2", 46_556, (87.0, 83.7, 68.5), _STATIC),
)


def class_names() -> tuple[str, ...]:
    return ("face",)


def _model(row: _Row) -> ModelSpec:
    defaults = finetune(
        size=_SIZE,
        epochs=100,
        batch=8,
        published_rate=0.001,
        published_batch=8,
        weight_decay=5e-4,
        normalize=_PIXELS,
        rate=0.001,
    )
    defaults["Train.optimizer.name"] = "adam"  # the release takes RMSProp
    weights = released(row.file, tag="wider_face", num_classes=1)
    if not weights:
        defaults["Train.pretrain_weight_path"] = None  # released in the static form only
    return ModelSpec(
        name=row.name,
        task="det",
        family="BlazeFace",
        backbone=row.backbone,
        neck=row.neck,
        head="BlazeFaceHead",
        num_classes=1,
        input_size=(_SIZE, _SIZE),
        preprocessing=({"Normalize": _PIXELS},),
        overrides={**row.options, **defaults},
        weights=weights,
        scores=tuple(
            Score(metric=f"ap_{name}", value=value, dataset="WIDER FACE val", note=row.note)
            for name, value in zip(_SETS, row.scores, strict=True)
        ),
        params=row.params,
        labels="pdx_det.zoo_blazeface:class_names",
        paper=PAPER,
        summary="faces, on phones",
    )


SPECS = tuple(_model(row) for row in _ROWS)
