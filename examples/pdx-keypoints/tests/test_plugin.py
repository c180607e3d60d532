"""What pdx expects of every plugin, and what this one is there to prove."""

from pathlib import Path

import numpy as np
import pytest

import pdx_core
from pdx_core.plugins import get_registry

ROOT = Path(__file__).parents[1]


@pytest.mark.pdx_plugin("pdx_keypoints.plugin")  # as `pdx plugin check keypoints` tries it
def test_conformance(pdx_check):
    pdx_check()


def test_the_core_does_not_know_the_task():
    sources = list(Path(pdx_core.__file__).parent.rglob("*.py"))
    assert len(sources) > 100
    assert [path for path in sources if "keypoint" in path.read_text(encoding="utf-8").lower()] == []


def test_the_readme_says_how_long_each_file_is():
    table = (ROOT / "README.md").read_text(encoding="utf-8")
    for path in sorted((ROOT / "pdx_keypoints").glob("[!_]*.py")):
        lines = len(path.read_text(encoding="utf-8").splitlines())
        assert f"| `{path.name}` | {lines} |" in table


def test_the_trunk_takes_its_published_weights():
    """Those of ResNet18 by their official names; the head starts anew, and the classifier of the file is left over."""
    pytest.importorskip("paddle")
    from pdx_core import build_network, load_weights

    for model, head in (("Points-ResNet18", "fc"), ("Points-PP-LCNet_x1_0", "last_conv")):
        network = build_network(model, num_classes=3)
        official = _official_names(network)
        trunk = {key: np.full(tensor.shape, 0.25, "float32") for key, tensor in official.items()}
        extra = {f"{head}.weight": np.zeros((2, 2), "float32"), "fc.bias": np.zeros(2, "float32")}
        allowed = get_registry().find("models", model).overrides["Train.partial_weights"]
        report = load_weights(network, {**trunk, **extra}, partial=allowed)
        assert report.dialect == "PaddleClas" and len(report.loaded) == len(trunk)
        assert all(name.startswith("head.") for name in report.missing)


def _official_names(network):
    """What PaddleClas calls the parameters of the trunk."""
    from pdx_core.dialects import name_tables

    table = name_tables(network)["PaddleClas"]
    return {table[name]: tensor for name, tensor in network.state_dict().items() if name.startswith("backbone.")}
