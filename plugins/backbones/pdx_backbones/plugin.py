"""What pdx-backbones offers."""

from __future__ import annotations

from pdx_backbones import mobilenet_v3_specs
from pdx_core import hookimpl

PDX_API = 1


@hookimpl
def pdx_backbones():
    for family in (mobilenet_v3_specs,):
        yield from family.SPECS
