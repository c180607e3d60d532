"""Classification heads: loss against numbers worked out by hand, scores, gradients."""

import inspect
import math

import attrs
import numpy as np
import paddle
import pytest

from pdx_cls.losses import SoftCrossEntropy
from pdx_core.contracts import FeatureSpec
from pdx_core.errors import ConfigError
from pdx_core.plugins import get_registry

FEATURES = (FeatureSpec(8, 16), FeatureSpec(24, 32))
HEADS = [
    pytest.param(entry.spec, id=entry.spec.name)
    for entry in get_registry().entries("heads")
    if entry.plugin == "cls" and entry.spec.task == "cls"
]
LOGITS = [[2.0, 0.0, 0.0], [0.0, 1.0, 0.0]]
LOG_TOTALS = [math.log(math.exp(2) + 2), math.log(math.exp(1) + 2)]


def _loss(label, dtype="int64", **options):
    criterion = SoftCrossEntropy(3, **options)
    return float(criterion(paddle.to_tensor(LOGITS), paddle.to_tensor(label, dtype=dtype)))


def test_cross_entropy_of_class_indices():
    assert _loss([0, 0]) == pytest.approx(((LOG_TOTALS[0] - 2) + LOG_TOTALS[1]) / 2, rel=1e-6)


def test_soft_labels_give_the_weighted_mean_of_hard_ones():
    mixed = _loss([[0.7, 0.3, 0.0], [0.0, 0.5, 0.5]], "float32")
    expected = (0.7 * (LOG_TOTALS[0] - 2) + 0.3 * LOG_TOTALS[0] + 0.5 * (LOG_TOTALS[1] - 1) + 0.5 * LOG_TOTALS[1]) / 2
    assert mixed == pytest.approx(expected, rel=1e-6)


def test_label_smoothing_spreads_over_all_classes():
    first = LOG_TOTALS[0] - (0.9 + 0.1 / 3) * 2
    second = LOG_TOTALS[1] - (0.9 + 0.1 / 3) * 1
    assert _loss([0, 1], label_smoothing=0.1) == pytest.approx((first + second) / 2, rel=1e-6)


def test_class_weights_weigh_the_mean():
    expected = (3 * (LOG_TOTALS[0] - 2) + 1 * (LOG_TOTALS[1] - 1)) / 4
    assert _loss([0, 1], class_weights=(3, 1, 1)) == pytest.approx(expected, rel=1e-6)
    assert _loss([0, 1], class_weights=(6, 2, 2)) == pytest.approx(expected, rel=1e-6)


def test_half_precision_logits_do_not_overflow():
    criterion = SoftCrossEntropy(3)
    logits = paddle.to_tensor([[40.0, 0.0, 0.0]], dtype="float16")
    assert float(criterion(logits, paddle.to_tensor([1]))) == pytest.approx(40, rel=1e-5)


@pytest.mark.parametrize("wrong", [{"label_smoothing": 1.0}, {"class_weights": (1, 1)}, {"class_weights": (0, 0, 0)}])
def test_senseless_options_are_refused(wrong):
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        SoftCrossEntropy(3, **wrong)


def _build(spec, num_classes=5, **options):
    paddle.seed(0)
    return spec.load()(FEATURES, num_classes, **{**spec.arguments, **options})


def _levels(batch=3):
    return tuple(paddle.randn([batch, level.channels, 64 // level.stride, 64 // level.stride]) for level in FEATURES)


@pytest.mark.parametrize("spec", HEADS)
def test_scores_add_up_to_one(spec):
    head = _build(spec)
    head.eval()
    logits = head(_levels())
    assert logits.shape == [3, 5]
    scores = head.decode(logits)["scores"]
    np.testing.assert_allclose(scores.sum(-1).numpy(), 1.0, rtol=1e-6)


@pytest.mark.parametrize("spec", HEADS)
@pytest.mark.parametrize("soft", [False, True])
def test_loss_is_finite_and_reaches_every_parameter(spec, soft):
    head = _build(spec, dropout=0.0)
    head.train()
    label = paddle.full([3, 5], 0.2) if soft else paddle.to_tensor([0, 4, 2])
    losses = head.loss(_levels(), {"label": label, "images": None})
    assert list(losses) == ["loss_ce"]
    losses["loss_ce"].backward()
    for name, parameter in head.named_parameters():
        if not parameter.stop_gradient:
            assert parameter.grad is not None and np.isfinite(parameter.grad.numpy()).all(), name


@pytest.mark.parametrize("spec", HEADS)
def test_option_defaults_are_those_of_the_head(spec):
    accepted = inspect.signature(spec.load().__init__).parameters
    for field in attrs.fields(spec.options_class()):
        assert accepted[field.name].default == field.default, field.name


def test_wide_head_scales_in_evaluation_as_the_release_does():
    spec = get_registry().find("heads", "WideClsHead")
    paddle.seed(0)
    released = _build(spec, dropout=0.2)
    plain = _build(spec, dropout=0.0)
    plain.set_state_dict(released.state_dict())
    released.eval()
    plain.eval()
    levels = _levels()
    bias = released.fc.bias.numpy()
    np.testing.assert_allclose(
        released(levels).numpy() - bias, 0.8 * (plain(levels).numpy() - bias), rtol=1e-5, atol=1e-6
    )
