"""Branches of HRNet that are returned without gradient learn only from what they give to the others."""

import paddle
import pytest

from pdx_backbones.hrnet import HRNet
from pdx_core.errors import ConfigError


def test_no_gradient_comes_back_through_a_detached_branch():
    trunk = HRNet(width=4, form="small_v1", detached_stages=(0,))
    finest, *others = trunk(paddle.rand([1, 3, 64, 64]))
    assert finest.stop_gradient and not any(level.stop_gradient for level in others)
    sum(level.sum() for level in others).backward()
    last = trunk.stages[-1].units[-1].exchange
    assert all(parameter.stop_gradient for parameter in last.rows[0].parameters())  # they feed nothing else
    untaught = [name for name, own in trunk.named_parameters() if not own.stop_gradient and own.grad is None]
    assert not untaught


def test_a_branch_that_is_not_returned_cannot_be_detached():
    with pytest.raises(ConfigError, match=r"detached_stages \[0\] are not among out_stages \[1, 2\]"):
        HRNet(width=4, form="small_v1", out_stages=(1, 2), detached_stages=(0,))
