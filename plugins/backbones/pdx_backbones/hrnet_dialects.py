"""What Paddle's toolkits call the parameters of HRNet.

PaddleDetection and PaddleSeg number from 1 and repeat every number in the name of each level.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from pdx_backbones.dialects import translate_indexed
from pdx_core.contracts import DialectRules

_NEW = r"stages\.(\d)\.new\.(\d+)\."
_BRANCH = r"stages\.(\d)\.units\.(\d+)\.branches\.(\d)\.(\d+)\."
_EXCHANGE = r"stages\.(\d)\.units\.(\d+)\.exchange\.rows\.(\d)\.(\d)\.(?:(\d+)\.)?"
_BLOCK_WORDS = {"conv0": "conv1", "conv1": "conv2", "conv2": "conv3", "short": "conv_down"}


def _numbers(match: re.Match[str]) -> list[int]:
    return [int(text) for text in match.groups(default="0")]


def _clas_new(match: re.Match[str]) -> str:
    stage, index = _numbers(match)
    return f"conv_tr1_{index + 1}." if stage == 0 else f"conv_tr{stage + 1}."


def _clas_branch(match: re.Match[str]) -> str:
    stage, unit, branch, block = _numbers(match)
    return f"st{stage + 2}.stage_func_list.{unit}.basic_block_list.{branch}.{block}."


def _clas_exchange(match: re.Match[str]) -> str:
    stage, unit, target, source, step = _numbers(match)
    branches = stage + 2
    lengths = [max(1, row - column) if row != column else 0 for row in range(branches) for column in range(branches)]
    before = sum(lengths[: target * branches + source]) + step
    return f"st{stage + 2}.stage_func_list.{unit}.fuse_func.residual_func_list.{before}."


def _other_new(match: re.Match[str]) -> str:
    stage, index = _numbers(match)
    return f"tr{stage + 1}.transition_tr{stage + 1}_layer_{index + 1 if stage == 0 else stage + 2}."


def _other_branch(match: re.Match[str]) -> str:
    stage, unit, branch, block = _numbers(match)
    place = f"st{stage + 2}_{unit + 1}"
    return f"st{stage + 2}.stage_{place}.branches_func.bb_{place}_branch_layer_{branch + 1}_{block + 1}."


def _other_exchange(match: re.Match[str]) -> str:
    stage, unit, target, source, step = _numbers(match)
    place = f"st{stage + 2}_{unit + 1}"
    name = f"st{stage + 2}.stage_{place}.fuse_func.residual_{place}_layer_{target + 1}_{source + 1}"
    return name + (f"_{step + 1}." if source < target else ".")


def _rules(
    first: str, words: Mapping[str, str], places: Sequence[Callable[[re.Match[str]], str]], prefix: str = ""
) -> DialectRules:
    """first: name of the first stage up to the number of the block; places: renaming of new, branch and exchange."""
    shift = 0 if first.endswith(".") else 1
    own = (
        (r"stem\.(\d)\.", lambda match: f"conv_layer1_{int(match.group(1)) + 1}."),
        (r"first\.(\d+)\.", lambda match: f"{first}{int(match.group(1)) + shift}."),
        *zip((_NEW, _BRANCH, _EXCHANGE), places, strict=True),
    )
    renamed = {**words, **_BLOCK_WORDS}
    return tuple(rule for pattern, rename in own for rule in translate_indexed(pattern, rename, renamed, prefix))


_OTHER = (_other_new, _other_branch, _other_exchange)
DIALECTS: Mapping[str, DialectRules] = {
    "PaddleClas": _rules("layer1.", {"norm": "bn"}, (_clas_new, _clas_branch, _clas_exchange)),
    "PaddleDetection": _rules("la1.block_layer2_", {}, _OTHER, "backbone."),
    "PaddleSeg": _rules("la1.bb_layer2_", {"conv": "_conv", "norm": "_batch_norm"}, _OTHER, "backbone."),
}
