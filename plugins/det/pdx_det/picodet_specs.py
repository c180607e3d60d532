"""The neck and the head of PicoDet, as records."""

from __future__ import annotations

from pdx_core.specs import HeadSpec, NeckSpec

NECKS = (
    NeckSpec(
        name="CSPPAN",
        target="pdx_det.necks.csp_pan:CSPPAN",
        options="pdx_det.picodet_options:CSPPANOptions",
        min_levels=2,
        summary="thin path aggregation with cross-stage partial layers, one level more than it gets",
    ),
)
HEADS = (
    HeadSpec(
        name="PicoHead",
        task="det",
        target="pdx_det.picodet:PicoHead",
        options="pdx_det.picodet_options:PicoHeadOptions",
        summary="anchor-free head with distances as distributions",
    ),
)
