"""How Paddle's release spells the parameters of two-stage heads."""

from __future__ import annotations

import re
from typing import Any

from pdx_core.contracts import DialectRules
from pdx_core.dialects import translate
from pdx_det.box_heads import ResidualTrunk


def detection_rules(box_trunk: Any, cascade: bool) -> DialectRules:
    """Rules of `RCNNHead`.

    box_trunk: the layer of the first stage; its kind decides the spelling
    cascade:   several stages, whose names are numbered
    """

    def trunk(match: re.Match[str]) -> str:
        stage, rest = match.groups()
        if isinstance(box_trunk, ResidualTrunk):
            official = translate(rest.removeprefix("stage."), box_trunk.stage.dialects["PaddleDetection"])
            return official.replace("backbone.", "bbox_head.head.", 1)
        place, conv = ("bbox_head.head.", "bbox_head_conv")
        if cascade:
            place, conv = f"{place}{stage}.", f"stage{stage}_{conv}"
        return place + re.sub(r"^convs\.(\d+)\.", rf"{conv}\1.", rest)

    def predictor(match: re.Match[str]) -> str:
        stage, part, rest = match.groups()
        return f"bbox_head.bbox_{part}{f'_stage{stage}' if cascade else ''}.{rest}"

    return (
        (r"rpn\.conv\.(.+)", r"rpn_head.rpn_feat.rpn_conv.\1"),
        (r"rpn\.(score|delta)\.(.+)", r"rpn_head.rpn_rois_\1.\2"),
        (r"stages\.(\d+)\.trunk\.(.+)", trunk),
        (r"stages\.(\d+)\.predictor\.(score|delta)\.(.+)", predictor),
    )
