"""Tables that turn our parameter names into official ones."""

from pdx_backbones.dialects import translate_indexed, translate_parts
from pdx_core.dialects import translate


def test_whole_parts_are_replaced_and_others_kept():
    rules = translate_parts({"norm": "bn", "se": "mid_se.inner"}, prefix="backbone.")
    assert translate("stem.norm.weight", rules) == "backbone.stem.bn.weight"
    assert translate("block.se.normal", rules) == "backbone.block.mid_se.inner.normal"


def test_indices_are_computed():
    rules = translate_indexed(r"blocks\.(\d+)\.", lambda match: f"conv{int(match.group(1)) + 2}.", {"norm": "bn"})
    assert translate("blocks.10.expand.norm.bias", rules) == "conv12.expand.bn.bias"


def test_names_outside_the_pattern_are_left_to_the_next_rule():
    rules = translate_indexed(r"blocks\.(\d+)\.", lambda match: "b.", {})
    assert translate("stem.conv.weight", rules) == "stem.conv.weight"
    assert translate("stem.conv.weight", (*rules, *translate_parts({"stem": "conv1"}))) == "conv1.conv.weight"
