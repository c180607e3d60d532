"""The necks and the head of SSD, and what a config may say about them."""

from __future__ import annotations

from typing import Literal

import attrs
from attrs import validators as v

from pdx_core.specs import HeadSpec, NeckSpec
from pdx_det.suppression_options import SuppressionOptions

# Channels of the 1x1 convolution and of the level, kernel, stride, padding.
VGG300_LEVELS = ((256, 512, 3, 2, 1), (128, 256, 3, 2, 1), (128, 256, 3, 1, 0), (128, 256, 3, 1, 0))
VGG512_LEVELS = ((256, 512, 3, 2, 1), *((128, 256, 3, 2, 1),) * 3, (128, 256, 4, 1, 1))
MOBILENET_LEVELS = ((256, 512, 3, 2, 1), (128, 256, 3, 2, 1), (128, 256, 3, 2, 1), (64, 128, 3, 2, 1))
RESNET_LEVELS = ((256, 512, 3, 2, 1), (256, 512, 3, 2, 1), (128, 256, 3, 2, 1), *((128, 256, 3, 1, 0),) * 2)


@attrs.frozen(kw_only=True)
class SSDExtrasOptions:
    levels: tuple[tuple[int, int, int, int, int], ...] = VGG300_LEVELS
    normalized: bool = False
    l2_norm: bool = False
    spelling: Literal["vgg", "mobilenet", "resnet"] = "vgg"


@attrs.frozen(kw_only=True)
class SSDHeadOptions(SuppressionOptions):
    min_sizes: tuple[float | tuple[float, ...], ...] = ()  # of a level: one, or several
    max_sizes: tuple[float, ...] = ()  # 0: no larger square prior on that level
    ratios: tuple[tuple[float, ...], ...] = ()
    steps: tuple[float, ...] = ()
    min_max_first: bool = False
    clip_priors: bool = False
    kernel_size: int = attrs.field(default=3, validator=v.in_((1, 3)))
    separable: bool = False
    match_iou: float = attrs.field(default=0.5, validator=v.and_(v.gt(0), v.le(1)))
    spelling: Literal["ssd", "blaze"] = "ssd"  # of released files
    negative_ratio: float = attrs.field(default=3.0, validator=v.ge(0))
    pre_top_k: int = 400
    keep_top_k: int = attrs.field(default=200, validator=v.gt(0))


def _neck(name: str, summary: str, **arguments) -> NeckSpec:
    return NeckSpec(
        name=name,
        target="pdx_det.necks.ssd_extras:SSDExtras",
        options="pdx_det.ssd_specs:SSDExtrasOptions",
        arguments=arguments,
        summary=summary,
    )


NECKS = (
    _neck("SSDVGG300Extras", "four more levels behind VGG16, for 300 px", levels=VGG300_LEVELS, l2_norm=True),
    _neck("SSDVGG512Extras", "five more levels behind VGG16, for 512 px", levels=VGG512_LEVELS, l2_norm=True),
    _neck(
        "SSDMobileNetExtras",
        "four more levels behind MobileNetV1",
        levels=MOBILENET_LEVELS,
        normalized=True,
        spelling="mobilenet",
    ),
    _neck("SSDResNetExtras", "five more levels behind ResNet34", levels=RESNET_LEVELS, spelling="resnet"),
)
HEADS = (
    HeadSpec(
        name="SSDHead",
        task="det",
        target="pdx_det.ssd:SSDHead",
        options="pdx_det.ssd_specs:SSDHeadOptions",
        summary="priors of fixed shape on every level, one convolution for boxes and one for scores",
    ),
)
