"""What pdx-backbones offers."""

from __future__ import annotations

from pdx_backbones import (
    darknet_specs,
    esnet_specs,
    hrnet_specs,
    mobilenet_v1_specs,
    mobilenet_v2_specs,
    mobilenet_v3_specs,
    pp_lcnet_specs,
    resnet_specs,
    vgg_specs,
    xception_specs,
)
from pdx_core import hookimpl

PDX_API = 1


@hookimpl
def pdx_backbones():
    for family in (
        darknet_specs,
        esnet_specs,
        hrnet_specs,
        mobilenet_v1_specs,
        mobilenet_v2_specs,
        mobilenet_v3_specs,
        pp_lcnet_specs,
        resnet_specs,
        vgg_specs,
        xception_specs,
    ):
        yield from family.SPECS
