"""What the plugin promises: everything that pdx expects of any plugin, and the names and numbers of the release."""

import numpy as np
import pytest


@pytest.mark.pdx_plugin("pdx_squeezenet.plugin")  # as `pdx plugin check squeezenet` tries it
def test_conformance(pdx_check):
    pdx_check()


@pytest.fixture(scope="module")
def network():
    from pdx_core import build_network

    return build_network("SqueezeNet1_1")


def test_levels_of_the_release(network):
    """Its pools keep no cell at the border, so 224 pixels of stride 4 are 55 cells."""
    import paddle

    levels = network.backbone(paddle.zeros([1, 3, 224, 224]))
    assert [level.shape[1:] for level in levels] == [[128, 55, 55], [256, 27, 27], [512, 13, 13]]


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
