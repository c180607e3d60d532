"""What a config may say about a trunk: the options of every family, and those that some have of their own."""

from __future__ import annotations

from typing import Literal

import attrs


@attrs.frozen(kw_only=True)
class BackboneOptions:
    """What every family takes unless it says otherwise; those with more extend this class."""

    out_stages: tuple[int, ...] = (0, 1, 2, 3)  # levels that forward returns; stages after the last are not built
    output_stride: int = 32  # 8 or 16: later strides become dilations
    norm: Literal["batch", "frozen", "group"] = "batch"
    freeze_stages: int = 0  # 1: stem fixed, 2: stem and first stage ...; their batch norm is frozen too


@attrs.frozen(kw_only=True)
class DarkNetOptions(BackboneOptions):
    act: Literal["relu", "leaky_relu"] = "relu"  # the ImageNet weights were trained with relu, YOLOv3 with leaky_relu


@attrs.frozen(kw_only=True)
class HRNetOptions:
    out_stages: tuple[int, ...] = (0, 1, 2, 3)  # branches that forward returns
    norm: Literal["batch", "frozen", "group"] = "batch"
    freeze_stages: int = 0  # 1: stem fixed, 2: stem and first stage ...; their batch norm is frozen too
    detached_stages: tuple[int, ...] = ()  # branches through which no gradient comes back from the head
    upsample: Literal["nearest", "bilinear"] = "nearest"  # "bilinear" for the weights of PaddleSeg
    padding: Literal["even", "same"] = "even"  # of strided convolutions; "same" for the weights of PaddleSeg


@attrs.frozen(kw_only=True)
class MobileNetV1Options(BackboneOptions):
    out_blocks: tuple[int, ...] = ()  # blocks to return instead of the last ones of out_stages


@attrs.frozen(kw_only=True)
class ResNetOptions(BackboneOptions):
    dilate: bool = True  # False: an output_stride of 8 or 16 leaves strides out without dilating in their place
    multi_grid: tuple[int, ...] = ()
    dcn_stages: tuple[int, ...] = ()


@attrs.frozen(kw_only=True)
class VGGOptions:
    out_stages: tuple[int, ...] = (0, 1, 2)  # levels of stride 4, 8, 16
    freeze_stages: int = 0  # 1: everything up to stride 2 fixed, 2: also the level of stride 4 ...
