"""The heads, as records."""

from __future__ import annotations

from pdx_core.specs import HeadSpec


def _head(name: str, target: str, options: str, summary: str) -> HeadSpec:
    return HeadSpec(
        name=name,
        task="seg",
        target=f"pdx_seg.{target}",
        options=f"pdx_seg.heads_options:{options}",
        summary=summary,
    )


SPECS = (
    _head("DeepLabV3Head", "deeplab:deeplab_v3", "DeepLabOptions", "pyramid of dilated convolutions, last level"),
    _head(
        "DeepLabV3PlusHead",
        "deeplab:deeplab_v3_plus",
        "DeepLabOptions",
        "pyramid of dilated convolutions, refined with a level of stride 4",
    ),
    _head("FCNHead", "fcn:fcn", "FCNOptions", "all levels side by side, one 1x1 convolution"),
    _head("FastSCNNHead", "fast_scnn:fast_scnn", "FastSCNNOptions", "last level added to one of stride 8"),
    _head("LRASPPHead", "lraspp:lraspp", "LRASPPOptions", "last level gated by its mean, joined with finer ones"),
    _head("UNetHead", "unet:unet", "SegHeadOptions", "step by step back to the finest level"),
)
