"""The HRNet trunks: how many units and blocks, and one record per published width."""

from __future__ import annotations

from typing import NamedTuple

from pdx_core.specs import BackboneSpec

PAPER = "https://arxiv.org/abs/1908.07919"


class Form(NamedTuple):
    """first: bottlenecks before the branches and their inner channels; units: of the stages with 2, 3, 4 branches."""

    first: tuple[int, int]
    units: tuple[int, int, int]
    blocks: int  # of each branch between two exchanges


FORMS = {"full": Form((4, 64), (1, 4, 3), 4), "small_v1": Form((1, 32), (1, 1, 1), 2)}


def _spec(name: str, width: int, form: str) -> BackboneSpec:
    return BackboneSpec(
        name=name,
        target="pdx_backbones.hrnet:HRNet",
        options="pdx_backbones.options:HRNetOptions",
        arguments={"width": width, "form": form},
        channels=tuple(width * factor for factor in (1, 2, 4, 8)),
        strides=(4, 8, 16, 32),
        summary=f"HRNet of width {width}" + (", small" if form != "full" else ""),
        paper=PAPER,
    )


SPECS = (
    _spec("HRNet_W18", 18, "full"),
    _spec("HRNet_W18_Small_v1", 16, "small_v1"),
    _spec("HRNet_W48", 48, "full"),
)
