"""What the tests of every area share: fake plugins, and leaving out what needs a Paddle or a plugin that is not there.

`tests/<plugin>` is left out where that plugin or one that it declares as a dependency is missing; a test that stands
elsewhere and needs plugins says so: `@pytest.mark.needs_plugins("det", "cls")`.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import itertools
import os
import re
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

_NUMBERS = itertools.count()
HAS_PADDLE = importlib.util.find_spec("paddle") is not None
TESTS = Path(__file__).parent
NO_PLUGINS = ("core", "golden", "together")  # folders of tests that are not called after a plugin
_LEFT_OUT: dict[str, str] = {}  # folder -> why


def absent_part(plugin: str) -> str | None:
    """The package that is missing to use the plugin `det`: its own, or that of a plugin it declares; or None."""
    package = f"pdx_{plugin}"
    if importlib.util.find_spec(package) is None:  # not installed, or its folder was deleted
        return package
    try:
        needed = importlib.metadata.requires(f"pdx-{plugin}") or []
    except importlib.metadata.PackageNotFoundError:
        return package
    for line in needed:
        found = re.match(r"pdx-(?!core\b)(\w+)", line)
        if found and "extra ==" not in line and (absent := absent_part(found[1])):
            return absent
    return None


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """Leave out the folder of a plugin that cannot be used here."""
    if collection_path.parent == TESTS and collection_path.is_dir() and collection_path.name.isidentifier():
        area = collection_path.name
        if area not in NO_PLUGINS and not area.startswith("__") and (absent := absent_part(area)):
            _LEFT_OUT[area] = absent
            return True
    return None


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for area, absent in sorted(_LEFT_OUT.items()):
        terminalreporter.write_line(f"tests/{area} is left out: {absent} is not here")


def pytest_collection_modifyitems(items: list[pytest.Item], config: pytest.Config) -> None:
    if not HAS_PADDLE:
        missing = pytest.mark.skip(reason="paddle is not installed")
        for item in items:
            if item.get_closest_marker("paddle"):
                item.add_marker(missing)
    for item in items:
        for marker in item.iter_markers("needs_plugins"):
            for absent in filter(None, map(absent_part, marker.args)):
                item.add_marker(pytest.mark.skip(reason=f"{absent} is not here"))
    if not config.getoption("markexpr"):
        left_out = [item for item in items if item.get_closest_marker("sweep")]
        if left_out:
            config.hook.pytest_deselected(items=left_out)
            items[:] = [item for item in items if item not in left_out]


@pytest.fixture(autouse=True)
def _no_settings_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a user or a CI job has set for pdx must not change what the tests see."""
    for name in ("PDX_OFFLINE", "PDX_MIRROR", "PDX_STRICT", "PDX_DISABLE_PLUGINS"):
        monkeypatch.delenv(name, raising=False)


class FakeSite:
    """A folder of installed distributions, as pip would leave it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def install(self, name: str, source: str, *, version: str = "1.0", distribution: str | None = None) -> None:
        """Install the plugin `name`, a single module with this source."""
        distribution = distribution or f"pdx-{name}"
        # a name of its own each time: Python keeps imported modules for the whole session
        module = f"fake_{name}_{next(_NUMBERS)}".replace("-", "_")
        (self.folder / f"{module}.py").write_text(textwrap.dedent(source), encoding="utf-8")
        info = self.folder / f"{distribution.replace('-', '_')}-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n")
        (info / "entry_points.txt").write_text(f"[pdx.plugins]\n{name} = {module}\n")

    def entry_points(self) -> list[importlib.metadata.EntryPoint]:
        found = importlib.metadata.distributions(path=[str(self.folder)])
        return [point for dist in found for point in dist.entry_points if point.group == "pdx.plugins"]

    def registry(self):
        """A registry of the fake plugins alone."""
        from pdx_core.plugins import Registry

        return Registry(self.entry_points())

    def run(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run `pdx` in a process that sees the fake plugins beside the installed ones."""
        path = os.pathsep.join(filter(None, [str(self.folder), os.environ.get("PYTHONPATH")]))
        return subprocess.run(
            [sys.executable, "-c", "from pdx_core.cli import main; main(prog_name='pdx')", *arguments],
            capture_output=True,
            text=True,
            encoding="utf-8",
            env={**os.environ, "PYTHONPATH": path, "PYTHONIOENCODING": "utf-8", "COLUMNS": "200", **environment},
            timeout=120,
        )


@pytest.fixture
def fake_site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeSite]:
    """An empty folder of distributions that is on sys.path, for `get_registry()` as well."""
    from pdx_core.plugins import get_registry

    site = FakeSite(tmp_path / "site")
    monkeypatch.syspath_prepend(str(site.folder))
    get_registry.cache_clear()
    yield site
    get_registry.cache_clear()
