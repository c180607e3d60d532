"""Every classifier loads the published keys completely and computes the published function."""

import functools

import golden
import paddle
import pytest

from pdx_core import build_network, load_weights
from pdx_core.plugins import get_registry

FOLDER = golden.GOLDEN / "cls"
MODELS = [
    entry.spec
    for entry in get_registry().entries("models")
    if entry.plugin == "cls" and (FOLDER / f"manifest/{entry.spec.name.removesuffix('_ssld')}.json.gz").exists()
]  # distilled rows share network and keys with the plain ones
WITH_OUTPUTS = [spec for spec in MODELS if (FOLDER / f"{spec.name}.npz").exists()]
LARGE = 30_000_000  # parameters; such networks are compared in the sweep


@functools.lru_cache(maxsize=1)
def _network(name):
    return build_network(name)


def _manifest(spec):
    return golden.load_manifest(FOLDER / f"manifest/{spec.name.removesuffix('_ssld')}.json.gz")


def test_the_models_of_the_first_families_are_here():
    assert len({spec.backbone for spec in MODELS}) >= 43


@pytest.mark.parametrize("spec", [pytest.param(spec, id=spec.name) for spec in MODELS])
def test_keys_and_parameter_count(spec):
    manifest, net = _manifest(spec), _network(spec.name)
    golden.assert_keys(manifest, net, "PaddleClas")
    trained = sum(parameter.size for parameter in net.parameters() if not parameter.stop_gradient)
    assert trained == manifest["total_params"] == spec.params


@pytest.mark.parametrize(
    "spec",
    [pytest.param(spec, id=spec.name, marks=pytest.mark.sweep if spec.params > LARGE else ()) for spec in WITH_OUTPUTS],
)
def test_outputs(spec):
    manifest, net = _manifest(spec), _network(spec.name)
    report = load_weights(net, golden.fill_state(manifest))
    assert report.dialect == "PaddleClas"
    assert (report.missing, report.unexpected, report.mismatched) == ([], [], [])
    with paddle.no_grad():
        logits = net(*map(paddle.to_tensor, golden.make_inputs(manifest).values())).numpy()
    golden.assert_outputs(FOLDER / f"{spec.name}.npz", logits)
