"""How Paddle's release spells the parameters of two-stage heads."""

from __future__ import annotations

import re

from pdx_core.contracts import DialectRules


def detection_rules(cascade: bool, convolutional: bool) -> DialectRules:
    """Rules of `RCNNHead`.

    cascade:       several stages, whose names are numbered
    convolutional: the box trunk begins with convolutions
    """

    def trunk(match: re.Match[str]) -> str:
        stage, rest = match.groups()
        place = f"bbox_head.head.{stage}." if cascade else "bbox_head.head."
        if not convolutional:
            return place + rest
        numbered = f"stage{stage if cascade else ''}_bbox_head_conv"
        if not cascade:
            numbered = "bbox_head_conv"
        return place + re.sub(r"convs\.(\d+)\.", lambda conv: f"{numbered}{conv.group(1)}.", rest)

    def predictor(match: re.Match[str]) -> str:
        stage, part, rest = match.groups()
        return f"bbox_head.bbox_{part}{f'_stage{stage}' if cascade else ''}.{rest}"

    return (
        (r"rpn\.conv\.(.+)", r"rpn_head.rpn_feat.rpn_conv.\1"),
        (r"rpn\.(score|delta)\.(.+)", r"rpn_head.rpn_rois_\1.\2"),
        (r"stages\.(\d+)\.trunk\.(.+)", trunk),
        (r"stages\.(\d+)\.predictor\.(score|delta)\.(.+)", predictor),
    )
