"""The plugins of examples/: they are what a stranger's package would be, and the core knows nothing of them."""

from __future__ import annotations

import importlib.metadata
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pdx_core.testing.light_import import listing_imports_nothing_heavy
from tests.test_import_rules import ROOT, sources

EXAMPLES = sorted(path.parent for path in (ROOT / "examples").glob("*/pyproject.toml"))
KIT = "pdx_core.testing.pytest_plugin"
NEEDS = {"pdx-keypoints": ("backbones",), "pdx-squeezenet": ("cls",)}
each_example = pytest.mark.parametrize(
    "folder",
    [pytest.param(path, marks=pytest.mark.needs_plugins(*NEEDS[path.name]), id=path.name) for path in EXAMPLES],
)


def package_of(folder: Path) -> str:
    return folder.name.replace("-", "_")


@each_example
def test_listing_an_example_imports_nothing_heavy(folder, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(folder))
    listing_imports_nothing_heavy(f"{package_of(folder)}.plugin")


def test_nothing_of_pdx_knows_the_task_of_the_example():
    files = sources(ROOT / "pdx_core") + sources(ROOT / "plugins")
    assert len(files) > 200
    assert [str(path) for path in files if "keypoint" in path.read_text(encoding="utf-8").lower()] == []


@pytest.mark.sweep
@pytest.mark.paddle
@each_example
def test_an_example_passes_its_own_tests(folder, tmp_path):
    """In a process that sees the package as pip would leave it."""
    plugin, package = folder.name.removeprefix("pdx-"), package_of(folder)
    info = tmp_path / f"{package}-0.1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {folder.name}\nVersion: 0.1.0\n")
    (info / "entry_points.txt").write_text(f"[pdx.plugins]\n{plugin} = {package}.plugin\n")
    known = {point.value for point in importlib.metadata.entry_points(group="pytest11")}
    load = [] if KIT in known else ["-p", KIT]  # an old editable installation of pdx-core does not name it yet
    path = os.pathsep.join([str(folder), str(tmp_path), os.environ.get("PYTHONPATH", "")])
    result = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *load],
        capture_output=True,
        text=True,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": path, "PYTHONIOENCODING": "utf-8"},
        timeout=1800,
    )
    assert result.returncode == 0, result.stdout[-3000:] + result.stderr[-2000:]
