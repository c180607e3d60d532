"""What the plugin promises: it is found, it is light, it builds what its records say, and it learns."""

import subprocess
import sys

import numpy as np
import pytest

from pdx_core.plugins import get_registry


def test_the_plugin_is_installed_and_offers_its_records():
    registry = get_registry()
    assert not [problem for problem in registry.problems if problem.plugin == "squeezenet"]
    model = registry.find("models", "squeezenet1-1")
    assert (model.backbone, model.head, model.task) == ("SqueezeNet1_1", "SqueezeNetHead", "cls")


def test_listing_imports_nothing_heavy():
    code = """
import sys
import pdx_squeezenet.plugin as plugin

list(plugin.pdx_models())
print(sorted({"paddle", "numpy", "cv2"} & set(sys.modules)))
"""
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


@pytest.fixture(scope="module")
def network():
    from pdx_core import build_network

    return build_network("SqueezeNet1_1")


def test_levels_are_as_declared(network):
    import paddle

    spec = get_registry().find("backbones", "SqueezeNet1_1")
    assert tuple(level.channels for level in network.backbone.features) == spec.channels
    assert tuple(level.stride for level in network.backbone.features) == spec.strides
    levels = network.backbone(paddle.zeros([1, 3, 224, 224]))
    assert [level.shape[1:] for level in levels] == [[128, 55, 55], [256, 27, 27], [512, 13, 13]]


def test_parameter_count(network):
    spec = get_registry().find("models", "SqueezeNet1_1")
    assert sum(parameter.size for parameter in network.parameters()) == spec.params


def test_official_names(network):
    from pdx_core import load_weights

    rng = np.random.default_rng(0)
    shapes = {f"_conv{number}.{part}._conv": shape for number, rows in FIRES.items() for part, shape in rows.items()}
    shapes["_conv"] = (64, 3, 3, 3)
    shapes["_conv9"] = (1000, 512, 1, 1)
    arrays = {f"{name}.weight": rng.normal(size=shape).astype("float32") for name, shape in shapes.items()}
    arrays.update({f"{name}.bias": np.zeros(shape[0], "float32") for name, shape in shapes.items()})
    report = load_weights(network, arrays)
    assert report.complete and report.dialect == "PaddleClas"
    np.testing.assert_array_equal(
        network.backbone.levels[2][3].expand3.weight.numpy(), arrays["_conv8._conv_path2._conv.weight"]
    )


def test_dropout_scales_in_evaluation(network):
    import paddle

    x = paddle.ones([1, 2, 1, 1])
    network.eval()
    np.testing.assert_allclose(network.head.dropout(x).numpy(), 0.5)


def test_it_overfits_four_pictures():
    import paddle

    from pdx_core import build_network

    paddle.seed(1)
    network = build_network("SqueezeNet1_1", num_classes=4)
    network.train()
    images = paddle.randn([4, 3, 64, 64])
    label = paddle.to_tensor([0, 1, 2, 3])
    optimizer = paddle.optimizer.Adam(1e-3, parameters=network.parameters())
    losses = []
    for _ in range(60):
        loss = network.loss(images, {"label": label})["loss_ce"]
        loss.backward()
        optimizer.step()
        optimizer.clear_grad()
        losses.append(float(loss))
    assert min(losses) < 0.1 * losses[0]  # of the last step little is known: half of the features are dropped


def _fire(in_channels, squeezed, expanded):
    return {
        "_conv": (squeezed, in_channels, 1, 1),
        "_conv_path1": (expanded, squeezed, 1, 1),
        "_conv_path2": (expanded, squeezed, 3, 3),
    }


FIRES = {
    1: _fire(64, 16, 64),
    2: _fire(128, 16, 64),
    3: _fire(128, 32, 128),
    4: _fire(256, 32, 128),
    5: _fire(256, 48, 192),
    6: _fire(384, 48, 192),
    7: _fire(384, 64, 256),
    8: _fire(512, 64, 256),
}
