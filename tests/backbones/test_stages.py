"""Levels, dilations and freezing, worked out by hand."""

import pytest

from pdx_backbones.stages import dilate_strides, level_ends, plan_chain
from pdx_core.contracts import FeatureSpec
from pdx_core.errors import ConfigError

DEFAULTS = {"out_stages": (0, 1, 2, 3), "output_stride": 32, "norm": "batch", "freeze_stages": 0}
STRIDES = (1, 2, 1, 2, 2, 1, 2)  # after a stem of stride 2: strides 2 4 4 8 16 16 32


def test_levels_end_before_the_next_stride():
    assert level_ends(STRIDES) == (2, 3, 5, 6)


def test_strides_beyond_the_output_stride_become_dilations():
    assert dilate_strides(STRIDES, 8) == [(1, 1), (2, 1), (1, 1), (2, 1), (1, 2), (1, 2), (1, 4)]


def test_late_dilation_starts_with_the_next_block():
    assert dilate_strides(STRIDES, 8, late_dilation=True) == [(1, 1), (2, 1), (1, 1), (2, 1), (1, 1), (1, 2), (1, 2)]


def test_strides_may_be_left_out_without_dilating():
    plain = plan_chain(STRIDES, output_stride=8)
    undilated = plan_chain(STRIDES, output_stride=8, dilate=False)
    assert [(block.stride, block.dilation) for block in undilated.blocks] == [
        (block.stride, 1) for block in plain.blocks
    ]
    assert undilated.outputs == plain.outputs == {2: 4, 3: 8, 5: 8, 6: 8}


def test_blocks_after_the_last_wanted_level_are_left_out():
    plan = plan_chain(STRIDES, **{**DEFAULTS, "out_stages": (1, 2)})
    assert len(plan.blocks) == 6
    assert plan.outputs == {3: 8, 5: 16}


def test_output_stride_caps_the_declared_strides():
    plan = plan_chain(STRIDES, **{**DEFAULTS, "output_stride": 16})
    assert list(plan.outputs.values()) == [4, 8, 16, 16]


@pytest.mark.parametrize(("freeze_stages", "frozen"), [(0, 0), (1, 1), (2, 4), (3, 5), (5, 8)])
def test_frozen_parts_count_the_stem(freeze_stages, frozen):
    plan = plan_chain(STRIDES, **{**DEFAULTS, "freeze_stages": freeze_stages})
    assert plan.frozen == frozen
    assert plan.stem_norm == ("frozen" if frozen else "batch")
    assert [block.norm for block in plan.blocks].count("frozen") == max(frozen - 1, 0)


def test_levels_are_those_behind_the_ends_of_stages():
    plan = plan_chain(STRIDES, out_stages=(1, 2))
    assert plan.features([10, 11, 12, 13, 14, 15]) == (FeatureSpec(13, 8), FeatureSpec(15, 16))
    blocks = [lambda x, number=number: [*x, number] for number in range(6)]
    assert plan.levels(["stem"], blocks) == (["stem", 0, 1, 2, 3], ["stem", 0, 1, 2, 3, 4, 5])
    assert plan.levels(["half"], blocks[4:], first=4) == (["half", 4, 5],)


@pytest.mark.parametrize(
    "wrong",
    [{"out_stages": ()}, {"out_stages": (2, 1)}, {"out_stages": (4,)}, {"output_stride": 4}, {"freeze_stages": 6}],
)
def test_impossible_options_are_refused(wrong):
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        plan_chain(STRIDES, **{**DEFAULTS, **wrong})
