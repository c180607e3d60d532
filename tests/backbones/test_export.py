"""A trunk that was exported computes what it computed before, at sizes that its strides do not divide."""

import numpy as np
import paddle
import pytest
from paddle.static import InputSpec

from pdx_core.plugins import get_registry

# record -> options; one of each network and of each part that only some records have
CASES = {
    "ResNet18_vd": {},
    "ResNet50": {"dcn_stages": (0,), "out_stages": (0,), "norm": "frozen"},
    "Res2Net50_vd_26w_4s": {"out_stages": (0, 1)},
    "SENet154_vd": {"out_stages": (0,)},
    "MobileNetV1_x0_25": {},
    "MobileNetV2_x0_25": {"output_stride": 8},
    "MobileNetV3_small_x0_35": {},
    "PP-LCNet_x0_25": {},
    "ESNet_x0_75": {},
    "HRNet_W18_Small_v1": {"padding": "same", "upsample": "bilinear"},
    "DarkNet53": {"out_stages": (0,)},
    "VGG16": {"out_stages": (0,)},
    "Xception41": {"out_stages": (0, 1)},
    "Xception41_deeplab": {"out_stages": (0, 1)},
}
HEAVY = ("Res2Net50_vd_26w_4s", "SENet154_vd", "Xception41")


def test_every_network_is_here():
    registry = get_registry()
    targets = {entry.spec.target for entry in registry.entries("backbones") if entry.plugin == "backbones"}
    assert {registry.find("backbones", name).target for name in CASES} == targets


@pytest.mark.parametrize(
    "record", [pytest.param(name, marks=pytest.mark.sweep if name in HEAVY else ()) for name in CASES]
)
def test_export_equals_eager(record, tmp_path):
    spec = get_registry().find("backbones", record)
    paddle.seed(0)
    net = spec.load()(**{**spec.arguments, **CASES[record]})
    net.eval()
    images = paddle.randn([2, 3, 75, 107])
    with paddle.no_grad():
        eager = net(images)  # before `to_static`, which makes the network itself run as a graph
    traced = paddle.jit.to_static(net, input_spec=[InputSpec([None, 3, None, None], "float32")], full_graph=True)
    paddle.jit.save(traced, str(tmp_path / "trunk"))
    loaded = paddle.jit.load(str(tmp_path / "trunk"))
    with paddle.no_grad():
        exported = loaded(images)
    exported = exported if isinstance(exported, (list, tuple)) else [exported]  # a single level comes back bare
    for mine, theirs in zip(eager, exported, strict=True):
        assert mine.shape == theirs.shape
        scale = float(mine.abs().max())
        np.testing.assert_allclose(theirs.numpy() / scale, mine.numpy() / scale, atol=1e-5)
