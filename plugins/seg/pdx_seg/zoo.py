"""The segmenters, all with the 19 classes of Cityscapes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from pdx_core.specs import ModelSpec, Score, Weights
from pdx_seg.recipes import EVALUATION, cityscapes, finetune

_RELEASE = "https://bj.bcebos.com/paddleseg/dygraph/cityscapes/{}/model.pdparams"
_IMAGENET = "https://paddle-imagenet-models-name.bj.bcebos.com/dygraph/{}_pretrained.pdparams"
_LICENCE = "Apache-2.0"
_EARLIER = "an earlier release, whose weights are in the static form only"


class _Trunk(NamedTuple):
    """A file of ImageNet weights, and what is in it beside the trunk (names with `*`)."""

    file: str
    rest: tuple[str, ...]


_RESNET50 = _Trunk("legendary_models/ResNet50_vd_ssld", ("fc.*",))
_RESNET101 = _Trunk("legendary_models/ResNet101_vd_ssld", ("fc.*",))
_MOBILENET_V2 = _Trunk("MobileNetV2", ("conv9.*", "out.*"))
_MOBILENET_V3 = _Trunk("legendary_models/MobileNetV3_large_x1_0_ssld", ("last_second_conv.*", "last_conv.*", "fc.*"))
_XCEPTION = _Trunk("Xception65_deeplab", ("_fc.*",))
_HRNET_REST = ("last_cls.*", "cls_head_conv_list.*", "conv_last.*", "fc.*")
_HRNET_W18 = _Trunk("legendary_models/HRNet_W18_C_ssld", _HRNET_REST)
_HRNET_W48 = _Trunk("legendary_models/HRNet_W48_C_ssld", _HRNET_REST)


class _Row(NamedTuple):
    """One model. Options leave out what the component does by itself."""

    name: str
    family: str
    backbone: str
    head: str
    params: int
    backbone_options: Mapping[str, Any] = {}
    head_options: Mapping[str, Any] = {}
    file: str | None = None  # of the released weights
    trunk: _Trunk | None = None  # what a run starts from when there are none, and the published training did
    scores: tuple[tuple[float, str], ...] = ()  # mIoU in percent on the 500 validation images, remark
    recipe: Mapping[str, Any] = {}  # what the published training has of its own
    recipe_losses: tuple[Mapping[str, Any], ...] = ()
    aliases: tuple[str, ...] = ()
    file_mb: float | None = None
    paper: str = ""


_DEEPLAB_V3_PAPER = "https://arxiv.org/abs/1706.05587"
_DEEPLAB_V3_PLUS_PAPER = "https://arxiv.org/abs/1802.02611"
_STRIDE_8 = {"output_stride": 8, "multi_grid": (1, 2, 4)}
_RATIOS_8 = {"ratios": (1, 12, 24, 36)}
_HRNET = {"padding": "same", "upsample": "bilinear"}

_ROWS = (
    _Row(
        "UNet",
        "UNet",
        "UNetTrunk",
        "UNetHead",
        13_406_227,
        file="unet_cityscapes_1024x512_160k",
        scores=((65.00, ""),),
        recipe={"iterations": 160_000, "batch": 4},
        file_mb=53.7,
        paper="https://arxiv.org/abs/1505.04597",
    ),
    _Row(
        "FastSCNN",
        "Fast-SCNN",
        "FastSCNNTrunk",
        "FastSCNNHead",
        1_420_342,
        file="fastscnn_cityscapes_1024x1024_160k",
        scores=((69.31, ""), (69.64, _EARLIER)),
        recipe={"iterations": 160_000, "batch": 4, "rate": 0.05, "end_rate": 1e-4, "crop": (1024, 1024)},
        aliases=("Fast-SCNN",),
        paper="https://arxiv.org/abs/1902.04502",
    ),
    _Row(
        "HRNet_W18",
        "HRNet-FCN",
        "HRNet_W18",
        "FCNHead",
        9_641_119,
        _HRNET,
        file="fcn_hrnetw18_cityscapes_1024x512_80k",
        trunk=_HRNET_W18,
        scores=((78.97, ""), (79.36, _EARLIER)),
        recipe={"weight_decay": 5e-4},
        aliases=("FCN-HRNet_W18",),
        paper="https://arxiv.org/abs/1908.07919",
    ),
    _Row(
        "HRNet_W18_Small_v1",
        "HRNet-FCN",
        "HRNet_W18_Small_v1",
        "FCNHead",
        1_540_819,
        _HRNET,
        recipe={"weight_decay": 5e-4},
        aliases=("FCN-HRNet_W18_Small_v1",),
        paper="https://arxiv.org/abs/1908.07919",
    ),
    _Row(
        "HRNet_W48",
        "HRNet-FCN",
        "HRNet_W48",
        "FCNHead",
        65_859_379,
        _HRNET,
        file="fcn_hrnetw48_cityscapes_1024x512_80k",
        trunk=_HRNET_W48,
        scores=((80.70, ""),),
        recipe={"weight_decay": 5e-4},
        aliases=("FCN-HRNet_W48",),
        paper="https://arxiv.org/abs/1908.07919",
    ),
    _Row(
        "DeepLabv3-ResNet50_vd",
        "DeepLabv3",
        "ResNet50_vd",
        "DeepLabV3Head",
        39_068_531,
        {**_STRIDE_8, "out_stages": (3,)},
        _RATIOS_8,
        file="deeplabv3_resnet50_os8_cityscapes_1024x512_80k",
        trunk=_RESNET50,
        scores=((79.90, ""),),
        aliases=("Deeplabv3-R50",),
        paper=_DEEPLAB_V3_PAPER,
    ),
    _Row(
        "DeepLabv3-MobileNetV3_large_x1_0_ssld",
        "DeepLabv3",
        "MobileNetV3_large_x1_0",
        "DeepLabV3Head",
        4_339_641,
        {"out_stages": (3,)},
        trunk=_MOBILENET_V3,
        paper=_DEEPLAB_V3_PAPER,
    ),
    _Row(
        "DeepLabv3p-ResNet50_vd",
        "DeepLabv3+",
        "ResNet50_vd",
        "DeepLabV3PlusHead",
        26_723_395,
        {**_STRIDE_8, "out_stages": (0, 3)},
        _RATIOS_8,
        file="deeplabv3p_resnet50_os8_cityscapes_1024x512_80k",
        trunk=_RESNET50,
        scores=((80.36, ""),),
        aliases=("Deeplabv3_Plus-R50",),
        paper=_DEEPLAB_V3_PLUS_PAPER,
    ),
    _Row(
        "DeepLabv3p-ResNet101_vd",
        "DeepLabv3+",
        "ResNet101_vd",
        "DeepLabV3PlusHead",
        45_715_523,
        {**_STRIDE_8, "out_stages": (0, 3)},
        _RATIOS_8,
        file="deeplabv3p_resnet101_os8_cityscapes_1024x512_80k",
        trunk=_RESNET101,
        scores=((81.10, ""),),
        aliases=("Deeplabv3_Plus-R101",),
        paper=_DEEPLAB_V3_PLUS_PAPER,
    ),
    _Row(
        "DeepLabv3p-Xception65",
        "DeepLabv3+",
        "Xception65_deeplab",
        "DeepLabV3PlusHead",
        41_057_299,
        {"output_stride": 16, "out_stages": (0, 3)},
        trunk=_XCEPTION,
        scores=((79.30, _EARLIER),),
        aliases=("DeepLabv3+/Xception65",),
        file_mb=165.1,
        paper=_DEEPLAB_V3_PLUS_PAPER,
    ),
    _Row(
        "DeepLabv3p-MobileNetV2_x1.0",
        "DeepLabv3+",
        "MobileNetV2_x1_0",
        "DeepLabV3PlusHead",
        2_723_747,
        {"out_stages": (0, 3)},
        trunk=_MOBILENET_V2,
        scores=((69.81, f"{_EARLIER} and slightly different"),),
        aliases=("DeepLabv3+/MobileNetV2",),
        paper=_DEEPLAB_V3_PLUS_PAPER,
    ),
    _Row(
        "DeepLabv3p-MobileNetV3_large_x1_0_ssld",
        "DeepLabv3+",
        "MobileNetV3_large_x1_0",
        "DeepLabV3PlusHead",
        3_515_273,
        {"out_stages": (0, 3)},
        trunk=_MOBILENET_V3,
        scores=((73.28, f"{_EARLIER} and slightly different"),),
        paper=_DEEPLAB_V3_PLUS_PAPER,
    ),
    _Row(
        "LRASPP-MobileNetV3_large_x1_0",
        "LR-ASPP",
        "MobileNetV3_large_x1_0",
        "LRASPPHead",
        2_924_198,
        {"output_stride": 8, "out_stages": (0, 1, 3)},
        file="lraspp_mobilenetv3_cityscapes_1024x512_80k",
        trunk=_MOBILENET_V3,
        scores=((72.33, ""),),
        recipe={"batch": 4, "rate": 0.005, "weight_decay": 5e-4, "distortion": 0.5, "warmup": 1000},
        recipe_losses=({"name": "ohem", "min_kept": 130_000},),
        paper="https://arxiv.org/abs/1905.02244",
    ),
)


def _start(trunk: _Trunk | None) -> dict[str, Any]:
    """Where a run starts from without weights of the whole network: its trunk's, if there are any."""
    if trunk is None:
        return {"Train.pretrain_weight_path": None}
    return {
        "Train.pretrain_weight_path": _IMAGENET.format(trunk.file),
        "Train.partial_weights": ("head.*", *trunk.rest),
    }


def _model(row: _Row) -> ModelSpec:
    published = cityscapes(**row.recipe)
    start = {"Train.pretrain_weight_path": "official"} if row.file else _start(row.trunk)
    weights = ()
    if row.file:
        weights = (
            Weights(
                tag="cityscapes",
                url=_RELEASE.format(row.file),
                num_classes=19,
                dialect="PaddleSeg",
                licence=_LICENCE,
                source="PaddleSeg model zoo",
            ),
        )
    recipe: dict[str, Any] = {**published, **_start(row.trunk)}
    if row.recipe_losses:
        recipe["Model.head.losses"] = row.recipe_losses
    return ModelSpec(
        name=row.name,
        task="seg",
        family=row.family,
        backbone=row.backbone,
        head=row.head,
        num_classes=19,
        input_size=row.recipe.get("crop", (512, 1024)),
        preprocessing=EVALUATION,
        overrides={
            **{f"Model.backbone.{key}": value for key, value in row.backbone_options.items()},
            **{f"Model.head.{key}": value for key, value in row.head_options.items()},
            **finetune(
                published_rate=published["Train.learning_rate"],
                published_batch=published["Train.batch_size"],
                weight_decay=published["Train.optimizer.weight_decay"],
            ),
            **start,
        },
        recipes={"cityscapes": recipe},
        weights=weights,
        scores=tuple(
            Score(metric="miou", value=value, dataset="Cityscapes val", note=note) for value, note in row.scores
        ),
        params=row.params,
        file_mb=row.file_mb,
        labels="pdx_seg.cityscapes:class_names",
        paper=row.paper,
        aliases=row.aliases,
        summary=f"{row.family} on Cityscapes",
    )


SPECS = tuple(_model(row) for row in _ROWS)
