"""Instance segmentation stands on detection and on nothing else: what its installation brings, and what it imports."""

import importlib.metadata
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.needs_plugins("instseg")

ROOT = Path(__file__).parents[2]
PYPROJECTS = [ROOT / "pyproject.toml", *sorted(ROOT.glob("plugins/*/pyproject.toml"))]

PACKAGES = ("pdx_backbones", "pdx_core", "pdx_det", "pdx_instseg")
# For the program that follows nothing of this kind is there but these packages, as after `pip install pdx-instseg`.
ALONE = f"""
import importlib.abc, importlib.metadata, sys

class Absent(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        package = name.split(".")[0]
        if package.startswith("pdx_") and package not in {PACKAGES}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Absent())
every = importlib.metadata.entry_points
importlib.metadata.entry_points = lambda **chosen: importlib.metadata.EntryPoints(
    entry for entry in every(**chosen) if entry.value.split(".")[0] in {PACKAGES}
)
"""


def _ours(requirements: list[str]) -> set[str]:
    """The distributions of this project among requirements; those of extras are left out."""
    names = {re.match(r"[\w-]+", line).group().lower() for line in requirements if "extra ==" not in line}
    return {name for name in names if name.startswith("pdx-")}


def _everything(distribution: str, needs: dict[str, set[str]]) -> set[str]:
    """What a distribution needs, directly or through others."""
    return needs[distribution].union(*(_everything(name, needs) for name in needs[distribution]))


@pytest.mark.parametrize("source", ["pyprojects", "installed"])
def test_installing_it_brings_detection_and_backbones_only(source):
    if source == "installed":
        names = ("pdx-core", "pdx-backbones", "pdx-det", "pdx-instseg")
        needs = {name: _ours(importlib.metadata.requires(name) or []) for name in names}
    else:
        tomllib = pytest.importorskip("tomllib")
        projects = [tomllib.loads(path.read_text(encoding="utf-8"))["project"] for path in PYPROJECTS]
        needs = {project["name"]: _ours(project["dependencies"]) for project in projects}
    assert _everything("pdx-instseg", needs) == {"pdx-core", "pdx-backbones", "pdx-det"}
    assert _everything("pdx-det", needs) == {"pdx-core", "pdx-backbones"}


def _run(program: str, *arguments: str) -> str:
    """What a program prints that runs without the other plugins."""
    ran = subprocess.run(
        [sys.executable, "-c", ALONE + program, *arguments], capture_output=True, text=True, timeout=300
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.strip()


def test_its_models_are_listed_without_the_other_tasks_and_without_anything_heavy():
    program = """
from pdx_core.plugins import get_registry
registry = get_registry()
specs = [spec for spec in registry.specs("models") if spec.task == "instseg"]
heavy = {"paddle", "numpy", "cv2", "pycocotools", "pdx_cls", "pdx_seg"} & set(sys.modules)
print(len(specs) >= 20, sorted(heavy), sorted(spec.name for spec in registry.specs("tasks")), registry.problems)
"""
    assert _run(program) == "True [] ['det', 'instseg'] []"


@pytest.mark.paddle
def test_it_works_without_the_other_tasks(tmp_path):
    """A dataset is drawn, checked and trained on, the model is evaluated, exported and used."""
    program = """
from pathlib import Path
from pdx_core import create_model
from pdx_core.config import resolve
from pdx_core.data.check import run_check
from pdx_core.train.run import evaluate, train
from pdx_instseg.demo import DEMO, draw_dataset

root = Path(sys.argv[1])
draw_dataset(root / "data", train=4, val=2, size=64)
short = ["Train.epochs_iters=1", "Export.try_runtimes=false", "Export.parity_images=2"]

def resolved(mode):
    flags = {"Global.mode": mode, "Global.dataset_dir": str(root / "data"), "Global.output": str(root / "run")}
    return resolve(DEMO.model, flags={**flags, "Global.device": "cpu"}, overrides=[*DEMO.overrides, *short])

run_check(resolved("check_dataset"))
train(resolved("train"))
evaluate(resolved("evaluate"))
found = list(create_model(model_dir=str(root / "run"), threshold=0.0).predict(str(root / "data" / "val")))
print(len(found), sorted(name for name in sys.modules if name.startswith("pdx_") and "." not in name))
"""
    assert _run(program, str(tmp_path)) == f"2 {list(PACKAGES)}"
