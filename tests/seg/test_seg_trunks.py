"""The trunks that only segmentation uses are what their records say."""

import inspect

import attrs
import paddle
import pytest

from pdx_core.plugins import get_registry

TRUNKS = [entry.spec for entry in get_registry().entries("backbones") if entry.plugin == "seg"]
each_trunk = pytest.mark.parametrize("spec", TRUNKS, ids=lambda spec: spec.name)


@each_trunk
def test_levels_are_as_the_record_says(spec):
    net = spec.load()(**spec.arguments)
    net.eval()
    assert tuple(level.channels for level in net.features) == spec.channels
    assert tuple(level.stride for level in net.features) == spec.strides
    with paddle.no_grad():
        levels = net(paddle.zeros([1, 3, 64, 96]))
        small = net(paddle.zeros([1, 3, spec.min_size, spec.min_size]))
    assert [level.shape for level in levels] == [
        [1, channels, 64 // stride, 96 // stride] for channels, stride in zip(spec.channels, spec.strides, strict=True)
    ]
    assert all(level.shape[2] >= 1 for level in small)


def test_options_of_unet():
    (spec,) = (spec for spec in TRUNKS if spec.name == "UNetTrunk")
    accepted = inspect.signature(spec.load()).parameters
    for field in attrs.fields(spec.options_class()):
        assert accepted[field.name].default == field.default, field.name
    net = spec.load()(width=32, norm="group")
    assert [level.channels for level in net.features] == [32, 64, 128, 256, 256]
    assert not any(name.endswith("_mean") for name in net.state_dict())
