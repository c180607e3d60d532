"""What pdx-backbones offers."""

from __future__ import annotations

from pdx_core import hookimpl

PDX_API = 1


@hookimpl
def pdx_backbones():
    for family in ():
        yield from family.SPECS
