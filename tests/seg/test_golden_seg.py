"""Every segmenter loads the published keys completely and computes the published function."""

import golden
import paddle
import pytest

from pdx_core import build_network, load_weights
from pdx_core.plugins import get_registry
from pdx_seg.resize import resize_like

FOLDER = golden.GOLDEN / "seg"
MODELS = [entry.spec for entry in get_registry().entries("models") if entry.plugin == "seg"]
WITH_OUTPUTS = [spec for spec in MODELS if (FOLDER / f"{spec.name}.npz").exists()]
# One of each head; the others take seconds each.
QUICK = (
    "DeepLabv3-MobileNetV3_large_x1_0_ssld",
    "DeepLabv3p-MobileNetV2_x1.0",
    "FastSCNN",
    "HRNet_W18_Small_v1",
    "LRASPP-MobileNetV3_large_x1_0",
    "UNet",
)


def _some(specs):
    return [pytest.param(spec, id=spec.name, marks=() if spec.name in QUICK else pytest.mark.sweep) for spec in specs]


def _manifest(spec):
    return golden.load_manifest(FOLDER / f"manifest/{spec.name}.json.gz")


def test_every_manifest_has_its_model():
    assert {path.name.removesuffix(".json.gz") for path in (FOLDER / "manifest").iterdir()} == {
        spec.name for spec in MODELS
    }
    assert len(WITH_OUTPUTS) == 9


@pytest.mark.parametrize("spec", _some(MODELS))
def test_keys_and_parameter_count(spec):
    manifest, net = _manifest(spec), build_network(spec.name)
    golden.assert_keys(manifest, net, "PaddleSeg")
    trained = sum(parameter.size for parameter in net.parameters() if not parameter.stop_gradient)
    assert trained == manifest["total_params"] == spec.params


@pytest.mark.parametrize("spec", _some(WITH_OUTPUTS))
def test_outputs(spec):
    manifest, net = _manifest(spec), build_network(spec.name)
    report = load_weights(net, golden.fill_state(manifest))
    assert report.complete and report.dialect == "PaddleSeg"
    (image,) = map(paddle.to_tensor, golden.make_inputs(manifest).values())
    wanted = golden.load_golden(FOLDER / f"{spec.name}.npz")
    with paddle.no_grad():
        outputs = [net(image)]
        if len(wanted.outputs) == 2:  # the reference gives the auxiliary logits in evaluation too
            outputs.append(resize_like(net.head.aux(net.features(image)[0]), image))
    for comparison in golden.compare_outputs(wanted, outputs, golden.RTOL, golden.ATOL):
        assert comparison, str(comparison)
