"""SSD and SSDLite on COCO and VOC."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from pdx_core.specs import ModelSpec, Score
from pdx_det.one_stage_recipes import augmented, coco, finetune, stretched
from pdx_det.zoo_weights import released

_PAPER = "https://arxiv.org/abs/1512.02325"
_VGG_PIXELS = {"mean": [104, 117, 123], "std": [1, 1, 1], "scale": 1.0}
_MOBILENET_PIXELS = {"mean": [127.5] * 3, "std": [127.502231] * 3, "scale": 1.0}
_TWO, _BOTH = (2.0,), (2.0, 3.0)
_MOBILENET_RATIOS = (_TWO, *(_BOTH,) * 5)


class _Row(NamedTuple):
    name: str
    backbone: str
    backbone_options: Mapping[str, Any]
    neck: str
    size: int
    params: int  # with 80 classes
    pixels: Mapping[str, Any]
    priors: Mapping[str, Any]  # options of the head
    scores: tuple[tuple[str, float, str], ...]  # metric, value, dataset
    file: str | None
    file_classes: int
    recipe: Mapping[str, Any]
    aliases: tuple[str, ...] = ()


_VGG_RECIPE = coco(
    epochs=240, batch=32, rate=0.001, milestones=(160, 200), warmup_iterations=500, warmup_start_rate=0.0001,
    weight_decay=5e-4,
)  # fmt: skip
_MOBILENET_RECIPE = coco(epochs=120, batch=64, rate=0.001, milestones=(40, 60, 80, 100), weight_decay=5e-5)
_ROWS = (
    _Row(
        "SSD300-VGG16",
        "VGG16",
        {"out_stages": (1, 2)},
        "SSDVGG300Extras",
        300,
        34_305_206,
        _VGG_PIXELS,
        {
            "min_sizes": (30, 60, 111, 162, 213, 264),
            "max_sizes": (60, 111, 162, 213, 264, 315),
            "ratios": (_TWO, _BOTH, _BOTH, _BOTH, _TWO, _TWO),
            "steps": (8, 16, 32, 64, 100, 300),
            "min_max_first": True,
        },
        (("box_ap", 25.1, "COCO val2017"), ("map50", 77.5, "VOC 2007 test")),
        "ssd_vgg16_300_240e_voc",
        20,
        _VGG_RECIPE,
        ("VGG-SSD 300",),
    ),
    _Row(
        "SSD512-VGG16",
        "VGG16",
        {"out_stages": (1, 2)},
        "SSDVGG512Extras",
        512,
        36_038_196,
        _VGG_PIXELS,
        {
            "min_sizes": (20, 51, 133, 215, 296, 378, 460),
            "max_sizes": (51, 133, 215, 296, 378, 460, 542),
            "ratios": (_TWO, _BOTH, _BOTH, _BOTH, _BOTH, _TWO, _TWO),
            "steps": (8, 16, 32, 64, 128, 256, 512),
            "min_max_first": True,
        },
        (("box_ap", 29.1, "COCO val2017"), ("map50", 80.2, "VOC 2007 test")),
        None,  # released in the static form only
        80,
        _VGG_RECIPE,
        ("VGG-SSD 512",),
    ),
    _Row(
        "SSD300-MobileNetV1",
        "MobileNetV1_x1_0",
        {"out_stages": (2, 3)},
        "SSDMobileNetExtras",
        300,
        6_673_589,
        _MOBILENET_PIXELS,
        {
            "min_sizes": (60, 105, 150, 195, 240, 285),
            "max_sizes": (0, 150, 195, 240, 285, 300),
            "ratios": _MOBILENET_RATIOS,
            "kernel_size": 1,
        },
        (("map50", 73.2, "VOC 2007 test"),),
        "ssd_mobilenet_v1_300_120e_voc",
        20,
        _MOBILENET_RECIPE,
        ("MobileNet-SSD",),
    ),
    _Row(
        "SSDLite300-MobileNetV1",
        "MobileNetV1_x1_0",
        {"out_stages": (2, 3)},
        "SSDMobileNetExtras",
        300,
        6_773_440,
        {},
        {
            "min_sizes": (30, 60, 114, 168, 222, 276),
            "max_sizes": (60, 114, 168, 222, 276, 330),
            "ratios": _MOBILENET_RATIOS,
            "steps": (16, 32, 64, 100, 150, 300),
            "clip_priors": True,
            "separable": True,
        },
        (),
        "ssdlite_mobilenet_v1_300_coco",
        80,
        coco(epochs=1700, batch=512, rate=0.4, warmup_iterations=2000, warmup_start_rate=0.13, weight_decay=4e-5),
    ),
    _Row(
        "SSD300-ResNet34",
        "ResNet34",
        {"out_stages": (2,), "output_stride": 8, "dilate": False},
        "SSDResNetExtras",
        300,
        19_976_758,
        {},
        {
            "min_sizes": (21, 45, 99, 153, 207, 261),
            "max_sizes": (45, 99, 153, 207, 261, 315),
            "ratios": (_TWO, _BOTH, _BOTH, _BOTH, _TWO, _TWO),
            "steps": (8, 16, 32, 64, 100, 300),
            "min_max_first": True,
            "clip_priors": True,
            "score_threshold": 0.05,
            "nms_iou": 0.5,
        },
        (),
        "ssd_r34_70e_coco",
        80,
        coco(epochs=70, batch=256, rate=0.02, milestones=(50, 60), warmup_iterations=500, weight_decay=5e-4),
    ),
)


def _model(row: _Row) -> ModelSpec:
    lite = row.name.startswith("SSDLite")
    defaults = finetune(
        size=row.size,
        epochs=40,
        batch=16,
        published_rate=0.001,
        published_batch=16,
        weight_decay=5e-4,
        normalize=row.pixels,
        rate=0.001,
    )
    weights = released(row.file, tag="coco" if row.file_classes == 80 else "voc", num_classes=row.file_classes)
    if not weights:
        defaults["Train.pretrain_weight_path"] = None
    return ModelSpec(
        name=row.name,
        task="det",
        family="SSD",
        backbone=row.backbone,
        neck=row.neck,
        head="SSDHead",
        num_classes=80,
        input_size=(row.size, row.size),
        preprocessing=stretched(row.size, "bilinear", row.pixels),
        overrides={
            **{f"Model.backbone.{key}": value for key, value in row.backbone_options.items()},
            **{f"Model.head.{key}": value for key, value in row.priors.items()},
            **defaults,
        },
        recipes={
            "voc" if row.file_classes == 20 else "coco": {
                **row.recipe,
                **augmented(size=row.size, normalize=row.pixels, expand=4.0),
            }
        },
        weights=weights,
        scores=tuple(Score(metric=metric, value=value, dataset=dataset) for metric, value, dataset in row.scores),
        params=row.params,
        labels="pdx_det.coco_classes:class_names",
        paper=_PAPER,
        aliases=row.aliases,
        summary=f"{'SSDLite' if lite else 'SSD'} at {row.size} px",
    )


SPECS = tuple(_model(row) for row in _ROWS)
