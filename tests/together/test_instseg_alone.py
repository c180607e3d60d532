"""Instance segmentation stands on detection and on nothing else: what its installation brings, and what it imports."""

import importlib.metadata
import os
import re
import subprocess
import sys

import pytest

pytestmark = pytest.mark.needs_plugins("instseg")


def _our_requirements(distribution: str) -> set[str]:
    """The distributions of this project that one needs, directly or through others; extras left out."""
    direct = {
        re.match(r"[\w-]+", line).group().lower()
        for line in importlib.metadata.requires(distribution) or []
        if "extra ==" not in line
    }
    ours = {name for name in direct if name.startswith("pdx-")}
    return ours.union(*(_our_requirements(name) for name in ours))


def test_installing_it_brings_detection_and_backbones_only():
    assert _our_requirements("pdx-instseg") == {"pdx-core", "pdx-backbones", "pdx-det"}
    assert _our_requirements("pdx-det") == {"pdx-core", "pdx-backbones"}


def _run(program: str) -> str:
    ran = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        env={**os.environ, "PDX_DISABLE_PLUGINS": "cls,seg"},
        timeout=120,
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.strip()


def test_its_models_are_listed_without_the_other_tasks_and_without_anything_heavy():
    program = (
        "from pdx_core.plugins import get_registry; import sys\n"
        "specs = [spec for spec in get_registry().specs('models') if spec.task == 'instseg']\n"
        "heavy = {'paddle', 'numpy', 'cv2', 'pycocotools', 'pdx_cls', 'pdx_seg'} & set(sys.modules)\n"
        "print(len(specs) >= 20, sorted(heavy))"
    )
    assert _run(program) == "True []"


@pytest.mark.paddle
def test_its_networks_are_built_without_the_other_tasks():
    program = (
        "from pdx_core import build_network; import sys\n"
        "net = build_network('MaskRCNN-HRNet_W18-FPN', num_classes=2)\n"
        "print(type(net.head).__module__, sorted({'pdx_cls', 'pdx_seg'} & set(sys.modules)))"
    )
    assert _run(program) == "pdx_instseg.mask_rcnn []"
