"""How Paddle's release spells the parameters of mask heads."""

from __future__ import annotations

from pdx_core.contracts import DialectRules


def detection_rules(detector: DialectRules) -> DialectRules:
    """Rules of `MaskRCNNHead`; `detector`: those of the `RCNNHead` in it."""
    return (
        *((rf"detector\.{expression}", replacement) for expression, replacement in detector),
        (r"mask\.convs\.(\d+)\.(.+)", lambda match: f"{_UPSAMPLE}.mask_inter_feat_{int(match[1]) + 1}.{match[2]}"),
        (r"mask\.enlarge\.(.+)", rf"{_UPSAMPLE}.conv5_mask.\1"),
        (r"mask\.logits\.(.+)", r"mask_head.mask_fcn_logits.\1"),
    )


_UPSAMPLE = "mask_head.head.upsample"
