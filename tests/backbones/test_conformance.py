"""What every registered backbone owes the heads, parametrised over the records."""

import inspect
import re

import attrs
import numpy as np
import paddle
import pytest

from pdx_backbones.stages import plan_chain
from pdx_core.errors import ConfigError
from pdx_core.plugins import get_registry
from pdx_core.testing import backbones

RECORDS = [entry.spec for entry in get_registry().entries("backbones") if entry.plugin == "backbones"]


def _size(spec):
    return [value for value in spec.arguments.values() if not isinstance(value, str)]


def _representatives():
    """The smallest record of each network and form, and a bottleneck ResNet."""
    chosen = {}
    for spec in sorted(RECORDS, key=_size):
        form = tuple(value for value in spec.arguments.values() if isinstance(value, str))
        chosen.setdefault((spec.target, form), spec)
    return [*chosen.values(), *(spec for spec in RECORDS if spec.name == "ResNet50_vd")]


def _build(spec, **options):
    paddle.seed(0)
    return spec.load()(**{**spec.arguments, **options})


def _takes(spec, option):
    return spec.options_class() is not None and option in attrs.fields_dict(spec.options_class())


def by_name(specs, only_in_sweep=lambda spec: False):
    return [pytest.param(spec, id=spec.name, marks=pytest.mark.sweep if only_in_sweep(spec) else ()) for spec in specs]


LARGE = re.compile(r"101|152|154|200|W48|Xception(65|71)")  # the other records of these families are quick
HEAVY = ("DarkNet53", "HRNet_W18", "Res2Net50_vd_26w_4s", "VGG16", "Xception41", "Xception41_deeplab")

each_record = pytest.mark.parametrize("spec", by_name(RECORDS, lambda spec: LARGE.search(spec.name)))
each_form = pytest.mark.parametrize("spec", by_name(_representatives()))
each_quick_form = pytest.mark.parametrize("spec", by_name(_representatives(), lambda spec: spec.name in HEAVY))


def test_there_are_records():
    assert {"ResNet18", "ResNet200_vd", "MobileNetV3_small_x0_35", "PP-LCNet_x2_5"} <= {spec.name for spec in RECORDS}


@each_record
def test_levels_are_as_the_record_says(spec):
    net = _build(spec)
    net.eval()
    assert tuple(level.channels for level in net.features) == spec.channels
    assert tuple(level.stride for level in net.features) == spec.strides
    side = max(spec.min_size, 64)
    with paddle.no_grad():
        levels = net(paddle.zeros([1, 3, side, side]))
    assert [level.shape for level in levels] == [
        [1, channels, side // stride, side // stride]
        for channels, stride in zip(spec.channels, spec.strides, strict=True)
    ]


@each_record
def test_option_defaults_are_those_of_the_network(spec):
    """Otherwise a config that spells a default out would build another network than one that does not."""
    options = spec.options_class()
    if options is None:
        pytest.skip("takes no options")
    accepted = dict(inspect.signature(spec.load().__init__).parameters)
    if accepted.pop("levels", None):  # what every chain of blocks takes and hands on
        accepted |= inspect.signature(plan_chain).parameters
    for field in attrs.fields(options):
        assert field.name in accepted, f"the network takes no {field.name}"
        assert accepted[field.name].default == field.default, field.name


# What authors of plugins run with `pdx plugin check`
@pytest.mark.pdx_plugin("backbones", every_record=True, networks=False)
def test_records(pdx_check):
    pdx_check()


@pytest.mark.pdx_plugin("backbones", "PP-LCNet_x0_25", "MobileNetV1_x0_25")
def test_small_networks(pdx_check):
    pdx_check()


@pytest.mark.sweep
@pytest.mark.pdx_plugin("backbones", every_record=True)
def test_every_network(pdx_check):
    pdx_check()


# Of each form; test_export.py compares graphs with more options than the kit has
QUICK = (
    backbones.forward_gives_the_levels_it_declares,
    backbones.saved_parameters_give_the_same_outputs,
    backbones.evaluation_mode_is_deterministic,
)


@each_quick_form
@pytest.mark.parametrize("check", QUICK, ids=lambda check: check.__name__)
def test_what_the_kit_expects_of_any_trunk(spec, check):
    check(spec)


@each_form
def test_gradient_reaches_every_trained_parameter(spec):
    backbones.gradients_reach_every_trained_parameter(spec)


@each_quick_form
@pytest.mark.parametrize("output_stride", [16, 8])
def test_output_stride(spec, output_stride):
    if not _takes(spec, "output_stride"):
        pytest.skip("has no output_stride")
    net = _build(spec, output_stride=output_stride)
    assert [level.stride for level in net.features] == [min(stride, output_stride) for stride in spec.strides]
    plain = _build(spec)
    assert {name: tensor.shape for name, tensor in net.state_dict().items()} == {
        name: tensor.shape for name, tensor in plain.state_dict().items()
    }
    net.eval()
    with paddle.no_grad():
        levels = net(paddle.zeros([1, 3, 64, 64]))
    assert [64 // level.shape[-1] for level in levels] == [level.stride for level in net.features]


@each_quick_form
def test_out_stages_choose_levels_and_leave_later_stages_out(spec):
    if not _takes(spec, "out_stages"):
        pytest.skip("has no out_stages")
    last = len(spec.channels) - 2
    net = _build(spec, out_stages=(0, last))
    assert tuple(level.channels for level in net.features) == (spec.channels[0], spec.channels[last])
    with paddle.no_grad():
        assert len(net(paddle.zeros([1, 3, 64, 64]))) == 2
    assert len(net.state_dict()) < len(_build(spec).state_dict())
    with pytest.raises(ConfigError, match="out_stages"):
        _build(spec, out_stages=(2, 0))


@each_quick_form
def test_frozen_norm_keeps_its_keys_and_never_learns(spec):
    if not _takes(spec, "norm"):
        pytest.skip("has no norm")
    net = _build(spec, norm="frozen")
    assert list(net.state_dict()) == list(_build(spec).state_dict())
    net.train()
    before = {name: tensor.numpy() for name, tensor in net.state_dict().items() if name.endswith("_mean")}
    assert before
    net(paddle.randn([2, 3, 64, 64]))
    for name, tensor in net.state_dict().items():
        if name in before:
            np.testing.assert_array_equal(tensor.numpy(), before[name])
    trained = [name for name, parameter in net.named_parameters() if not parameter.stop_gradient]
    assert trained and not any(".norm." in name for name in trained)


@each_quick_form
def test_freeze_stages_fixes_what_it_names(spec):
    if not _takes(spec, "freeze_stages"):
        pytest.skip("has no freeze_stages")
    counts = []
    for freeze_stages in (0, 2, len(spec.channels) + 1):
        net = _build(spec, freeze_stages=freeze_stages)
        counts.append(sum(not parameter.stop_gradient for parameter in net.parameters()))
    assert counts == sorted(counts, reverse=True)
    assert len(set(counts)) == len(counts)
    assert counts[-1] == 0
