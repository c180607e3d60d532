"""What every segmentation head owes the training loop and the export, on its own trunk and on those of others."""

import functools
import inspect

import attrs
import numpy as np
import paddle
import pytest
from paddle.static import InputSpec

from pdx_core.contracts import FeatureSpec
from pdx_core.errors import ConfigError
from pdx_core.plugins import get_registry
from pdx_core.settings import Component, ModelConfig
from pdx_core.train.network import Network, build_components, growth_per_class
from pdx_seg.context import PooledConv
from pdx_seg.labels import IGNORE
from pdx_seg.levels import detail_level, level_at

CLASSES = 3
HEADS = [entry.spec for entry in get_registry().entries("heads") if entry.plugin == "seg"]
BACKBONES = {entry.spec.name for entry in get_registry().entries("backbones")}
SMALL_UNET = ("UNetTrunk", {"width": 8})
# A quick trunk for each head as the zoo combines them
OWN = {
    "DeepLabV3Head": ("MobileNetV3_small_x0_35", {"out_stages": (3,)}),
    "DeepLabV3PlusHead": ("MobileNetV2_x0_25", {"output_stride": 16, "out_stages": (0, 3)}),
    "FCNHead": ("HRNet_W18_Small_v1", {"padding": "same", "upsample": "bilinear"}),
    "FastSCNNHead": ("FastSCNNTrunk", {}),
    "LRASPPHead": ("MobileNetV3_small_x0_35", {"output_stride": 8, "out_stages": (0, 1, 3)}),
    "UNetHead": SMALL_UNET,
}
FOREIGN = [("ResNet18", {}), ("SqueezeNet1_1", {}), SMALL_UNET]

each_head = pytest.mark.parametrize("head", [spec.name for spec in HEADS])
# On a quick trunk by default, and on the one it is made for.
each_head_twice = pytest.mark.parametrize(
    ("head", "backbone"),
    [
        *(pytest.param(spec.name, SMALL_UNET, id=spec.name) for spec in HEADS),
        pytest.param("FastSCNNHead", OWN["FastSCNNHead"], id="FastSCNN"),
        *(
            pytest.param(name, OWN[name], id=f"{name}-{OWN[name][0]}", marks=pytest.mark.sweep)
            for name in OWN
            if name not in ("FastSCNNHead", "UNetHead")
        ),
    ],
)


def _build(head, backbone=None, **options):
    paddle.seed(0)
    name, trunk = backbone or OWN[head]
    config = ModelConfig(backbone=Component(name=name, options=trunk), head=Component(name=head, options=options))
    return Network(**build_components(config, CLASSES, head)), config


def _batch(count=2, height=64, width=96):
    """Images in which a pixel's class is told by its colour, and their labels; some are ignored."""
    rng = np.random.default_rng(0)
    labels = np.zeros((count, height, width), np.int64)
    labels[:, : height // 2, width // 3 :] = 1
    labels[:, height // 2 :, width // 2 :] = 2
    images = rng.normal(0, 0.1, (count, 3, height, width)).astype(np.float32)
    for channel in range(3):
        images[:, channel] += labels == channel
    labels[:, :4] = IGNORE
    return paddle.to_tensor(images), {"label_map": paddle.to_tensor(labels)}


def _info(images):
    size = paddle.to_tensor([[float(side) for side in images.shape[2:]]] * images.shape[0])
    return {"images": images, "im_shape": size, "scale_factor": paddle.ones_like(size)}


def test_every_head_is_here():
    assert {spec.name for spec in HEADS} == set(OWN)


@pytest.mark.parametrize("spec", HEADS, ids=lambda spec: spec.name)
def test_option_defaults_are_those_of_the_head(spec):
    from pdx_seg.head import SegHead

    own = inspect.signature(spec.load()).parameters
    shared = inspect.signature(SegHead.__init__).parameters
    for field in attrs.fields(spec.options_class()):
        assert (own.get(field.name) or shared[field.name]).default == field.default, field.name


@each_head
@pytest.mark.parametrize(("height", "width"), [(101, 127), (64, 96)])
def test_logits_have_the_size_of_the_input(head, height, width):
    net, _ = _build(head)
    net.eval()
    images = paddle.randn([1, 3, height, width])
    with paddle.no_grad():
        logits = net(images)
        found = net.predict(images, *list(_info(images).values())[1:])
    assert logits.shape == [1, CLASSES, height, width]
    assert found["label_map"].shape == [1, height, width] and found["label_map"].dtype == paddle.int32
    np.testing.assert_array_equal(found["label_map"].numpy(), logits.numpy().argmax(1))
    stride = net.head.decoder.stride
    assert found["logits"].shape[2:] == [-(-height // stride), -(-width // stride)] or stride == 1 or height % stride
    assert net.head(net.features(images)).shape == found["logits"].shape


@each_head
@pytest.mark.parametrize("backbone", FOREIGN, ids=lambda item: item[0])
def test_trunks_of_others_serve(head, backbone):
    if backbone[0] not in BACKBONES:
        pytest.skip(f"{backbone[0]} is not installed")
    net, _ = _build(head, backbone)
    images, targets = _batch(height=64, width=80)
    losses = net.loss(images, targets)
    assert all(np.isfinite(float(loss)) for loss in losses.values())
    net.eval()
    with paddle.no_grad():
        assert net(paddle.randn([1, 3, 75, 107])).shape == [1, CLASSES, 75, 107]


@each_head
@pytest.mark.parametrize("count", [2, 1])
def test_gradient_reaches_every_trained_parameter(head, count):
    net, _ = _build(head, aux_weight=0.0 if head == "DeepLabV3Head" else 0.4)
    net.train()
    images, targets = _batch(count)
    losses = net.loss(images, targets)
    assert ("loss_aux" in losses) == (head != "DeepLabV3Head")
    sum(losses.values()).backward()
    for name, parameter in net.named_parameters():
        if not parameter.stop_gradient:
            assert parameter.grad is not None and np.isfinite(parameter.grad.numpy()).all(), name
    starved = [
        name
        for name, parameter in net.named_parameters()
        if name.startswith("head.") and name.endswith("conv.weight") and not parameter.stop_gradient
        if float(parameter.grad.abs().sum()) == 0
    ]
    assert not starved


@each_head_twice
def test_a_tiny_batch_is_learnt(head, backbone):
    net, _ = _build(head, backbone, losses=("cross_entropy", {"name": "dice", "weight": 0.5}))
    net.train()
    optimizer = paddle.optimizer.Adam(learning_rate=0.005, parameters=net.parameters())
    images, targets = _batch()
    values = []
    for _ in range(16):
        loss = sum(net.loss(images, targets).values())
        loss.backward()
        optimizer.step()
        optimizer.clear_grad()
        values.append(float(loss))
    assert np.isfinite(values).all()
    assert values[-1] < 0.5 * values[0]


@each_head_twice
def test_export_equals_eager(head, backbone, tmp_path):
    net, _ = _build(head, backbone)
    images, targets = _batch()
    net.train()
    net.loss(images, targets)  # running statistics that are not those of the start
    net.eval()
    paddle.jit.save(_Predict(net), str(tmp_path / "net"), input_spec=[InputSpec([None, 3, None, None], "float32")])
    loaded = paddle.jit.load(str(tmp_path / "net"))
    other = paddle.randn([2, 3, 75, 107])
    with paddle.no_grad():
        label_map, logits = loaded(other)
        eager = net.predict(other, *list(_info(other).values())[1:])
    np.testing.assert_allclose(logits.numpy(), eager["logits"].numpy(), rtol=1e-4, atol=1e-4)
    assert (label_map.numpy() == eager["label_map"].numpy()).mean() > 0.999


class _Predict(paddle.nn.Layer):
    """What is exported: the shape without padding and the scale are for decoders that need them."""

    def __init__(self, net):
        super().__init__()
        self.net = net

    def forward(self, images):
        raw = self.net.head(self.net.features(images), {"images": images, "im_shape": images})
        found = self.net.head.decode(raw, {"images": images})
        return found["label_map"], found["logits"]


@each_head
def test_only_the_classifiers_depend_on_the_number_of_classes(head):
    net, config = _build(head, aux_weight=0.0 if head == "DeepLabV3Head" else 0.4)
    names = growth_per_class(net, config, CLASSES)
    assert names and all(name.split(".")[-2] in ("classifier", "classifier_again") for name in names)
    assert any(name.startswith("head.aux.") for name in names) == (head != "DeepLabV3Head")


def test_the_auxiliary_loss_is_weighed_and_can_be_left_out():
    images, targets = _batch()
    values = {}
    for weight in (0.4, 0.8):
        net, _ = _build("FastSCNNHead", aux_weight=weight, dropout=0.0)
        net.head.aux.dropout.p = 0.0
        net.train()
        values[weight] = {name: float(loss) for name, loss in net.loss(images, targets).items()}
    assert values[0.8]["loss_aux"] == pytest.approx(2 * values[0.4]["loss_aux"], rel=1e-5)
    assert values[0.8]["loss_ce"] == pytest.approx(values[0.4]["loss_ce"], rel=1e-5)
    without, _ = _build("FastSCNNHead", aux_weight=0.0)
    assert list(without.loss(images, targets)) == ["loss_ce"]
    assert not any(name.startswith("head.aux") for name in without.state_dict())


def test_one_value_per_channel_is_normalised_in_training_as_in_evaluation():
    paddle.seed(0)
    layer = PooledConv(4, 6, 1)
    layer.norm._mean.set_value(paddle.randn([6]))
    layer.norm._variance.set_value(paddle.rand([6]) + 0.5)
    mean, variance = layer.norm._mean.numpy(), layer.norm._variance.numpy()
    layer.norm.bias.set_value(paddle.ones([6]))
    x = paddle.randn([1, 4, 8, 8])
    layer.train()
    trained = layer(x)
    trained.sum().backward()
    assert float(layer.norm.weight.grad.abs().sum()) > 0
    np.testing.assert_array_equal(layer.norm._mean.numpy(), mean)
    layer.eval()
    np.testing.assert_allclose(layer(x).numpy(), trained.numpy(), rtol=1e-6)
    layer.train()
    layer(paddle.randn([2, 4, 8, 8]))  # two images are normalised by themselves
    assert not np.array_equal(layer.norm._mean.numpy(), mean)
    assert not np.array_equal(layer.norm._variance.numpy(), variance)


@functools.cache
def _levels():
    return tuple(FeatureSpec(8, stride) for stride in (1, 2, 4, 8, 16))


def test_which_level_gives_the_detail():
    assert detail_level(_levels(), 4, "Head") == 2
    assert detail_level(_levels()[3:], 4, "Head") == 0
    assert detail_level(_levels()[1:3], 4, "Head") == 0  # not the last one
    with pytest.raises(ConfigError, match=r"Head joins .* gives 1"):
        detail_level(_levels()[:1], 4, "Head")


def test_level_of_the_auxiliary_classifier():
    assert level_at(_levels(), -2, "aux_level") == 3
    with pytest.raises(ConfigError, match="aux_level is 5, but the backbone gives 5 levels"):
        level_at(_levels(), 5, "aux_level")
