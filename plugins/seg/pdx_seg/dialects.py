"""What PaddleSeg calls the parameters of its segmenters (the misspelt "piontwise" is its own)."""

from __future__ import annotations

import re

from pdx_backbones.dialects import translate_indexed, translate_parts
from pdx_core.contracts import DialectRules

_CONV = {
    "conv": "_conv",
    "norm": "_batch_norm",
    "depthwise": "depthwise_conv",
    "pointwise": "piontwise_conv",
}
_PYRAMID = {
    **_CONV,
    "pyramid": "aspp",
    "branches": "aspp_blocks",
    "pooled": "global_avg_pool.1",
    "fuse": "conv_bn_relu",
}

AUXILIARY: DialectRules = translate_parts({**_CONV, "hidden": "conv_bn_relu", "classifier": "conv"}, "auxlayer.")
DEEPLAB_V3: DialectRules = translate_parts({**_PYRAMID, "classifier": "cls"}, "head.")
DEEPLAB_V3_PLUS: DialectRules = translate_parts(
    {
        **_PYRAMID,
        "detail": "decoder.conv_bn_relu1",
        "refine0": "decoder.conv_bn_relu2",
        "refine1": "decoder.conv_bn_relu3",
        "classifier": "decoder.conv",
    },
    "head.",
)
FCN: DialectRules = translate_parts({**_CONV, "fuse": "conv_1", "classifier": "cls"}, "head.")
LRASPP: DialectRules = translate_parts(
    {
        **_CONV,
        "values": "conv_v",
        "gate": "conv_w.1",
        "mix": "conv_t",
        "details": "convs",
        "fuses": "conv_ups",
        "classifier": "conv_out",
    },
    "lraspp_head.",
)


def _pooled(match: re.Match[str]) -> str:
    return f"global_feature_extractor.ppm.stages.{match.group(1)}.1."


FAST_SCNN_TRUNK: DialectRules = (
    *translate_indexed(r"stem\.0\.", lambda match: "learning_to_downsample.conv_bn_relu.", _CONV),
    *translate_indexed(r"stem\.(\d)\.", lambda match: f"learning_to_downsample.dsconv_bn_relu{match.group(1)}.", _CONV),
    *translate_indexed(
        r"stages\.(\d)\.(\d)\.convs\.",
        lambda match: f"global_feature_extractor.bottleneck{int(match.group(1)) + 1}.{match.group(2)}.block.",
        _CONV,
    ),
    *translate_indexed(r"pyramid\.pools\.(\d)\.", _pooled, _CONV),
    *translate_indexed(r"pyramid\.fuse\.", lambda match: "global_feature_extractor.ppm.conv_bn_relu2.", _CONV),
)
FAST_SCNN: DialectRules = translate_parts(
    {
        **_CONV,
        "context": "feature_fusion.dwconv",
        "context_project": "feature_fusion.conv_low_res",
        "detail_project": "feature_fusion.conv_high_res",
        "refine0": "classifier.dsconv1",
        "refine1": "classifier.dsconv2",
        "classifier": "classifier.conv",
    }
)

UNET_TRUNK: DialectRules = (
    *translate_indexed(r"stem\.(\d)\.", lambda match: f"encode.double_conv.{match.group(1)}.", _CONV),
    *translate_indexed(
        r"stages\.(\d)\.(\d)\.",
        lambda match: f"encode.down_sample_list.{match.group(1)}.{int(match.group(2)) + 1}.",
        _CONV,
    ),
)
UNET: DialectRules = (
    *translate_indexed(
        r"steps\.(\d)\.(\d)\.",
        lambda match: f"decode.up_sample_list.{match.group(1)}.double_conv.{match.group(2)}.",
        _CONV,
    ),
    *translate_parts({"classifier": "cls", "classifier_again": "conv"}),
)
