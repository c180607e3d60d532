"""Segmentation losses against numbers worked out by hand, and where every pixel is ignored."""

import math
import sys
import types

import paddle
import pytest

from pdx_core.errors import ConfigError
from pdx_seg.labels import IGNORE
from pdx_seg.losses.cross_entropy import CrossEntropy, OhemCrossEntropy
from pdx_seg.losses.mixed import MixedLoss
from pdx_seg.losses.overlap import Dice, Lovasz
from pdx_seg.losses_specs import TERMS, read_terms

# Scores of class 1 at four pixels in a row; the last is ignored.
SCORES = (0.2, 0.6, 0.9, 0.5)
LABELS = (0, 0, 1, IGNORE)
TRUE_SCORES = (0.8, 0.4, 0.9)


def _logits(scores=SCORES):
    """[1, 2, 1, P]: the logit of class 0 is 0, that of class 1 the inverse of the sigmoid."""
    second = [math.log(score / (1 - score)) for score in scores]
    return paddle.to_tensor([[[[0.0] * len(scores)], [second]]], stop_gradient=False)


def _labels(labels=LABELS):
    return paddle.to_tensor([[list(labels)]], dtype="int64")


def _value(criterion, labels=LABELS):
    return float(criterion(_logits(), _labels(labels)))


def test_cross_entropy_is_the_mean_over_known_pixels():
    expected = -sum(map(math.log, TRUE_SCORES)) / 3
    assert _value(CrossEntropy(2)) == pytest.approx(expected, rel=1e-5)


def test_class_weights_weigh_the_mean():
    expected = -(math.log(0.8) + math.log(0.4) + 5 * math.log(0.9)) / 7
    assert _value(CrossEntropy(2, class_weights=(1, 5))) == pytest.approx(expected, rel=1e-5)
    assert _value(CrossEntropy(2, class_weights=(2, 10))) == pytest.approx(expected, rel=1e-5)


def test_a_class_of_weight_zero_does_not_count():
    assert _value(CrossEntropy(2, class_weights=(0, 1))) == pytest.approx(-math.log(0.9), rel=1e-5)


def test_label_smoothing_spreads_over_the_classes():
    other = [1 - score for score in TRUE_SCORES]
    hard = [0.9 * math.log(score) for score in TRUE_SCORES]
    even = [0.1 * (math.log(a) + math.log(b)) / 2 for a, b in zip(TRUE_SCORES, other, strict=True)]
    assert _value(CrossEntropy(2, label_smoothing=0.1)) == pytest.approx(-(sum(hard) + sum(even)) / 3, rel=1e-5)


def test_ohem_takes_the_pixels_below_the_threshold():
    assert _value(OhemCrossEntropy(2, threshold=0.5, min_kept=1)) == pytest.approx(-math.log(0.4), rel=1e-5)
    expected = -(math.log(0.4) + math.log(0.8)) / 2
    assert _value(OhemCrossEntropy(2, threshold=0.85, min_kept=1)) == pytest.approx(expected, rel=1e-5)


def test_ohem_keeps_the_hardest_pixels_where_too_few_are_hard():
    expected = -(math.log(0.4) + math.log(0.8)) / 2
    assert _value(OhemCrossEntropy(2, threshold=0.1, min_kept=2)) == pytest.approx(expected, rel=1e-5)
    everything = -sum(map(math.log, TRUE_SCORES)) / 3
    assert _value(OhemCrossEntropy(2, threshold=0.1, min_kept=100)) == pytest.approx(everything, rel=1e-5)


def test_ohem_weighs_classes():
    expected = -(math.log(0.4) + math.log(0.8) + 3 * math.log(0.9)) / 5
    assert _value(OhemCrossEntropy(2, threshold=1.0, min_kept=1, class_weights=(1, 3))) == pytest.approx(expected, 1e-5)


def test_dice_of_two_classes():
    first = 1 - (2 * (0.8 + 0.4) + 1) / ((0.8 + 0.4 + 0.1) + 2 + 1)
    second = 1 - (2 * 0.9 + 1) / ((0.2 + 0.6 + 0.9) + 1 + 1)
    assert _value(Dice(2)) == pytest.approx((first + second) / 2, rel=1e-5)


def test_dice_looks_at_the_classes_there_are():
    labels = (0, 0, 0, IGNORE)
    only = 1 - (2 * 1.3 + 0.5) / (1.3 + 3 + 0.5)
    assert _value(Dice(2, smooth=0.5), labels) == pytest.approx(only, rel=1e-5)


def test_lovasz_of_two_classes():
    """Errors of class 0: 0.2, 0.6, 0.1 at pixels of class 0, 0, 1. By size 0.6 (its own), 0.2 (its own), 0.1 (not):
    1 - IoU goes 1/2, 1, 1, so the steps are 1/2, 1/2, 0. Of class 1 with errors 0.2, 0.6, 0.1: 0.6 (not), 0.2 (not),
    0.1 (its own); 1 - IoU goes 1/2, 2/3, 1; steps 1/2, 1/6, 1/3."""
    first = 0.6 / 2 + 0.2 / 2
    second = 0.6 / 2 + 0.2 / 6 + 0.1 / 3
    assert _value(Lovasz(2)) == pytest.approx((first + second) / 2, rel=1e-5)


def test_lovasz_of_a_perfect_and_of_a_wrong_answer():
    logits = paddle.to_tensor([[[[50.0, -50.0]], [[-50.0, 50.0]]]])
    assert float(Lovasz(2)(logits, _labels((0, 1)))) == pytest.approx(0, abs=1e-6)
    assert float(Lovasz(2)(logits, _labels((1, 0)))) == pytest.approx(1, abs=1e-6)


def test_mixed_loss_weighs_and_names_its_terms():
    mixed = MixedLoss(2, ["cross_entropy", {"name": "dice", "weight": 0.5, "smooth": 0.5}])(_logits(), _labels())
    assert list(mixed) == ["loss_ce", "loss_dice"]
    assert float(mixed["loss_dice"]) == pytest.approx(0.5 * _value(Dice(2, smooth=0.5)), rel=1e-6)


ALL = ({"name": "cross_entropy", "class_weights": (1, 2, 3)}, "ohem", "dice", "lovasz")


def test_every_loss_is_named():
    assert {term.key for term in read_terms(ALL)} == {key for key, _, _ in TERMS.values()}


@pytest.mark.parametrize("entry", ALL, ids=str)
def test_nothing_to_learn_where_every_pixel_is_ignored(entry):
    logits = paddle.randn([2, 3, 4, 5])
    logits.stop_gradient = False
    (loss,) = MixedLoss(3, [entry])(logits, paddle.full([2, 4, 5], IGNORE, "int64")).values()
    assert float(loss) == 0
    loss.backward()
    assert (logits.grad.numpy() == 0).all()


@pytest.mark.parametrize("entry", ALL, ids=str)
def test_ignored_pixels_change_nothing(entry):
    paddle.seed(1)
    logits = paddle.randn([2, 3, 4, 6])
    labels = paddle.randint(0, 3, [2, 4, 6])
    labels[:, :, 4:] = IGNORE
    (whole,) = MixedLoss(3, [entry])(logits, labels).values()
    (cut,) = MixedLoss(3, [entry])(logits[:, :, :, :4], labels[:, :, :4]).values()
    assert float(whole) == pytest.approx(float(cut), rel=1e-5)


@pytest.mark.parametrize("entry", ALL, ids=str)
def test_following_the_gradient_lowers_the_loss(entry):
    paddle.seed(0)
    labels = paddle.randint(0, 3, [2, 4, 6])
    logits = paddle.zeros([2, 3, 4, 6])
    values = []
    for _ in range(30):
        logits.stop_gradient = False
        (loss,) = MixedLoss(3, [entry])(logits, labels).values()
        loss.backward()
        values.append(float(loss))
        logits = (logits - 5 * logits.grad / logits.grad.abs().max()).detach()
    assert values[-1] < 0.1 * values[0]


def test_half_precision_logits_do_not_overflow():
    logits = paddle.to_tensor([[[[40.0]], [[0.0]], [[0.0]]]], dtype="float16")
    value = MixedLoss(3, ["cross_entropy"])(logits, _labels((1,)))["loss_ce"]
    assert float(value) == pytest.approx(40, rel=1e-4)


class Constant(paddle.nn.Layer):
    """A loss of somebody's own."""

    def __init__(self, num_classes, value):
        super().__init__()
        self._value = value * num_classes

    def forward(self, logits, labels):
        return logits.sum() * 0 + self._value


def test_a_loss_by_import_path(monkeypatch):
    monkeypatch.setitem(sys.modules, "somebody", types.SimpleNamespace(Constant=Constant))
    mixed = MixedLoss(2, [{"name": "somebody:Constant", "value": 3, "weight": 0.5}])
    assert {name: float(value) for name, value in mixed(_logits(), _labels()).items()} == {"loss_constant": 3.0}
    with pytest.raises(ConfigError, match="somebody:Constant cannot be built with"):
        MixedLoss(2, [{"name": "somebody:Constant"}])


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ([], "at least one loss"),
        (["dicee"], "Did you mean 'dice'"),
        ([{"name": "dice", "smoth": 1}], "Did you mean 'smooth'"),
        ([{"name": "ohem", "threshold": 2}], "ohem: .*threshold"),
        ([{"name": "ohem", "min_kept": 0}], "min_kept"),
        ([{"name": "dice", "weight": 0}], "weight"),
        ([{"name": "cross_entropy", "class_weights": [0, 0]}], "not all 0"),
        ([{"name": "cross_entropy", "class_weights": 3}], "list of one number per class"),
        ([{"name": "cross_entropy", "class_weights": [1, 1, 1]}], "class_weights has 3 numbers for 2 classes"),
        (["dice", {"name": "dice", "weight": 2}], "names one loss twice"),
        ([{"weight": 2}], "a loss is a name"),
        ([{"dice": 3}], "a loss is a name"),
        ([3], "a loss is a name"),
    ],
)
def test_senseless_losses_are_refused(entries, message):
    with pytest.raises(ConfigError, match=message):
        MixedLoss(2, entries)


def test_a_bare_name_of_a_config():
    assert [term.key for term in read_terms([{"dice": {}}, "ohem"])] == ["loss_dice", "loss_ohem"]
