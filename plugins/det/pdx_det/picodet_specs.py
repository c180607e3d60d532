"""The neck and the head of PicoDet, and what a config may say about them."""

from __future__ import annotations

import attrs
from attrs import validators as v

from pdx_core.specs import HeadSpec, NeckSpec
from pdx_det.suppression_options import SuppressionOptions


@attrs.frozen(kw_only=True)
class CSPPANOptions:
    channels: int = attrs.field(default=96, validator=v.gt(0))
    kernel_size: int = attrs.field(default=5, validator=v.in_((1, 3, 5, 7)))


@attrs.frozen(kw_only=True)
class PicoHeadOptions(SuppressionOptions):
    largest_bin: int = attrs.field(default=7, validator=v.gt(1))  # longest distance to a side, in cells
    score_threshold: float = attrs.field(default=0.025, validator=v.and_(v.ge(0), v.lt(1)))
    nms_iou: float = attrs.field(default=0.6, validator=v.and_(v.gt(0), v.le(1)))


NECKS = (
    NeckSpec(
        name="CSPPAN",
        target="pdx_det.necks.csp_pan:CSPPAN",
        options="pdx_det.picodet_specs:CSPPANOptions",
        min_levels=2,
        summary="thin path aggregation with cross-stage partial layers, one level more than it gets",
    ),
)
HEADS = (
    HeadSpec(
        name="PicoHead",
        task="det",
        target="pdx_det.picodet:PicoHead",
        options="pdx_det.picodet_specs:PicoHeadOptions",
        summary="anchor-free head with distances as distributions",
    ),
)
