"""What Paddle's toolkits call the parameters of the ResNet family."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from pdx_backbones.dialects import translate_indexed
from pdx_core.contracts import DialectRules

_OTHER_WORDS = {"offset": "conv_offset", "reduce": "squeeze", "restore": "extract"}  # of PaddleDetection


def resnet_dialects(counts: Sequence[int], variant: str, first_stage: int) -> Mapping[str, DialectRules]:
    """The toolkits number blocks through, or letter them, or count per stage.

    counts: blocks per stage;  variant, first_stage: as of `ResNet`
    """
    deep = variant != "plain"
    leading = r"(stem|stages)\.(\d+)\.(?:(\d+)\.)?"

    def clas(match: re.Match[str]) -> str:
        part, first, second = match.groups()
        return (
            f"stem.{first}." if part == "stem" else f"blocks.{sum(counts[: int(first) + first_stage]) + int(second)}."
        )

    def detection(match: re.Match[str]) -> str:
        part, first, second = match.groups()
        if part == "stem":
            return f"conv1.conv1_{int(first) + 1}." if deep else "conv1.conv1."
        stage, index = int(first) + first_stage, int(second)
        letter = chr(ord("a") + index)
        if stage == 2 and counts[stage] > 10 and index:  # more blocks than one wants to letter
            letter = f"b{index}"
        return f"res{stage + 2}.res{stage + 2}{letter}."

    def segmentation(match: re.Match[str]) -> str:
        part, first, second = match.groups()
        if part == "stem":
            return f"conv1_{int(first) + 1}." if deep else "conv1."
        return f"bb_{int(first) + first_stage}_{second}."

    branches = {"conv0": "branch2a", "conv1": "branch2b", "conv2": "branch2c", **_OTHER_WORDS}
    detection_rules = translate_indexed(leading, detection, branches, prefix="backbone.")
    if variant == "vd":
        pooled = {**branches, "short": "short.conv"}  # the pooling shares a container with the convolution
        strided = rf"(stages)\.([{0 if first_stage else 1}-3])\.(\d+)\.(?=short)"
        detection_rules = (*translate_indexed(strided, detection, pooled, prefix="backbone."), *detection_rules)
    return {
        "PaddleClas": translate_indexed(leading, clas, {"norm": "bn"}),
        "PaddleDetection": detection_rules,
        "PaddleSeg": translate_indexed(
            leading, segmentation, {"conv": "_conv", "norm": "_batch_norm"}, prefix="backbone."
        ),
    }


def res2net_dialects(variant: str, first_stage: int) -> Mapping[str, DialectRules]:
    """PaddleDetection counts the blocks of Res2Net where it letters those of ResNet."""

    def rename(match: re.Match[str]) -> str:
        part, first, second = match.groups()
        if part == "stem":
            return "res1.conv1." if variant == "plain" else f"res1.conv1_{int(first) + 1}."
        return f"res{int(first) + first_stage + 2}.blocks.{second}."

    def rename_slice(match: re.Match[str]) -> str:
        return f"{rename(re.match(place, match.group()))}branch2b.{match.group(4)}."

    place = r"(stem|stages)\.(\d+)\.(?:(\d+)\.)?"
    words = {"conv0": "branch2a", "conv2": "branch2c", "short": "branch1", **_OTHER_WORDS}
    return {
        "PaddleDetection": (
            *translate_indexed(rf"{place}conv1\.convs\.(\d)\.", rename_slice, words, "backbone."),
            *translate_indexed(place, rename, words, "backbone."),
        )
    }
