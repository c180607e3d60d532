"""`pdx plugin new`: what it writes works, names are checked, nothing is overwritten."""

from __future__ import annotations

import ast
import importlib.metadata
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pdx_core.errors import PdxError
from pdx_core.plugins import get_registry
from pdx_core.scaffold import KINDS, new_plugin

HAS_CLS = any(spec.name == "cls" for spec in get_registry().specs("tasks"))
WITHOUT_A_TASK = ["backbone", "runtime", "command"]
KIT = "pdx_core.testing.pytest_plugin"
ALL = list(KINDS) if HAS_CLS else WITHOUT_A_TASK


def install(folder: Path, site: Path) -> None:
    """What `pip install` leaves, without the seconds it takes."""
    package = next(path.parent for path in folder.glob("*/plugin.py"))
    info = site / f"{package.name}-0.1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {folder.name}\nVersion: 0.1.0\n")
    plugin = folder.name.removeprefix("pdx-")
    (info / "entry_points.txt").write_text(f"[pdx.plugins]\n{plugin} = {package.name}.plugin\n")


def run(folder: Path, site: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(folder), str(site), os.environ.get("PYTHONPATH", "")])
    return subprocess.run(
        [sys.executable, *arguments],
        capture_output=True,
        text=True,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1", "PYTHONIOENCODING": "utf-8"},
        timeout=300,
    )


def test_every_mix_is_python_and_names_its_files(tmp_path):
    files = new_plugin("Every-Kind", ALL, tmp_path, get_registry())
    folder = tmp_path / "pdx-every-kind"
    assert {path for path in folder.rglob("*") if path.is_file()} == set(files)
    for path in files:
        text = path.read_text(encoding="utf-8")
        assert "${" not in text, path
        if path.suffix == ".py":
            ast.parse(text, str(path))
    readme = (folder / "README.md").read_text(encoding="utf-8")
    assert all(path.name in readme for path in files if path.suffix == ".py" and path.name != "__init__.py")


def test_a_backbone_is_forty_lines_of_python(tmp_path):
    files = new_plugin("tinynet", ["backbone"], tmp_path, get_registry())
    lines = [line for path in files if path.suffix == ".py" for line in path.read_text().splitlines() if line.strip()]
    assert len(lines) <= 40


@pytest.mark.paddle
def test_what_is_written_passes_its_own_tests(tmp_path):
    new_plugin("everykind", ALL, tmp_path / "work", get_registry())
    folder = tmp_path / "work" / "pdx-everykind"
    install(folder, tmp_path / "site")
    known = {point.value for point in importlib.metadata.entry_points(group="pytest11")}
    load = [] if KIT in known else ["-p", KIT]  # an old editable installation of pdx-core does not name it yet
    result = run(folder, tmp_path / "site", "-m", "pytest", *load)
    assert result.returncode == 0, result.stdout[-3000:] + result.stderr[-2000:]
    listed = run(folder, tmp_path / "site", "-c", "from pdx_core.cli import main; main(['models', 'everykind'])")
    assert ("Everykind" in listed.stdout) == HAS_CLS
    counted = run(folder, tmp_path / "site", "-c", "from pdx_core.cli import main; main(['everykind', '.'])")
    assert counted.stdout.strip() == "0"


@pytest.mark.skipif(
    subprocess.run([sys.executable, "-c", "import setuptools.command.bdist_wheel"], capture_output=True).returncode
    != 0,
    reason="this setuptools cannot build wheels by itself; pdx-core asks for a newer one",
)
def test_it_installs_without_a_network(tmp_path):
    new_plugin("tinynet", ["backbone"], tmp_path, get_registry())
    options = ["--no-index", "--no-build-isolation", "--no-deps", "--target", str(tmp_path / "site")]
    result = run(tmp_path, tmp_path, "-m", "pip", "install", "-q", *options, str(tmp_path / "pdx-tinynet"))
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "site" / "pdx_tinynet" / "plugin.py").exists()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("", "no name for a package"),
        ("../up", "no name for a package"),
        ("tiny net", "no name for a package"),
        ("1net", "no name for a package"),
        ("réseau", "no name for a package"),
        ("net-", "no name for a package"),
        ("x" * 60, "60 letters"),
        ("con", "Windows"),
        ("pdx-LPT1", "Windows"),
        ("core", "a plugin named 'core' is installed"),
    ],
)
def test_names_that_cannot_be_used(tmp_path, name, message):
    with pytest.raises(PdxError, match=message):
        new_plugin(name, ["runtime"], tmp_path, get_registry())
    assert list(tmp_path.iterdir()) == []


def test_names_of_components_that_exist(tmp_path, fake_site):
    fake_site.install(
        "owner",
        """
        from pdx_core import hookimpl
        from pdx_core.specs import BackboneSpec
        PDX_API = 1
        @hookimpl
        def pdx_backbones():
            yield BackboneSpec(name="Tiny-Net", target="a:B", channels=(1,), strides=(1,))
        """,
    )
    registry = fake_site.registry()
    with pytest.raises(PdxError, match="a plugin named 'owner'"):
        new_plugin("owner", ["backbone"], tmp_path / "work", registry)
    new_plugin("tiny", ["backbone"], tmp_path / "work", registry)
    with pytest.raises(PdxError, match="a command 'train' of its own"):
        new_plugin("train", ["command"], tmp_path / "work", registry)
    with pytest.raises(PdxError, match="needs pdx-cls"):
        new_plugin("other", ["head"], tmp_path / "work", registry)


def test_nothing_is_overwritten(tmp_path):
    new_plugin("tinynet", ["runtime"], tmp_path, get_registry())
    before = (tmp_path / "pdx-tinynet" / "README.md").read_text()
    with pytest.raises(PdxError, match="exists; choose another name"):
        new_plugin("TinyNet", ["command"], tmp_path, get_registry())
    assert (tmp_path / "pdx-tinynet" / "README.md").read_text() == before
    (tmp_path / "pdx-empty").mkdir()
    with pytest.raises(PdxError, match="exists"):
        new_plugin("empty", ["command"], tmp_path, get_registry())
    with pytest.raises(PdxError, match="--backbone, --head"):
        new_plugin("nothing", [], tmp_path, get_registry())


def test_a_place_that_cannot_be_written_to(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(PdxError, match="cannot write"):
        new_plugin("tinynet", ["command"], tmp_path / "file", get_registry())
    assert (tmp_path / "file").read_text() == ""
