"""Any folder below plugins/ can be deleted: tests use only the plugins that theirs declares, or say what they need.

Read from the syntax trees; `make test-without PLUGIN=det` shows it by running them.
"""

from __future__ import annotations

import ast
import importlib.metadata
from collections.abc import Iterator
from pathlib import Path

import pytest

from pdx_core.plugins import get_registry
from pdx_core.specs import KINDS
from tests.conftest import NO_PLUGINS, TESTS, absent_part
from tests.test_import_rules import PLUGINS, ROOT, declared, imports

PACKAGES = {f"pdx_{folder.name}" for folder in PLUGINS}
FOLDERS = [folder for folder in PLUGINS if (TESTS / folder.name).is_dir()]


def allowed(plugin: Path) -> set[str]:
    """The plugin and those that it declares, directly or through others."""
    needed, _ = declared(plugin / "pyproject.toml")
    below = [ROOT / "plugins" / name.removeprefix("pdx_") for name in needed & PACKAGES]
    return {f"pdx_{plugin.name}"}.union(*(allowed(folder) for folder in below if folder.is_dir()), needed & PACKAGES)


def imported_plugins(path: Path) -> Iterator[tuple[str, int]]:
    for name, line in imports(path):
        package = name.split(".")[0]
        if package in PACKAGES:
            yield package, line


def asked_for(path: Path) -> Iterator[str]:
    """The texts given to the functions that take the name of a model or component."""
    takers = ("build_network", "create_model", "default_config", "find", "find_entry", "resolve")
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in takers:
            yield from (
                item.value for item in node.args if isinstance(item, ast.Constant) and isinstance(item.value, str)
            )


@pytest.mark.parametrize("plugin", FOLDERS, ids=lambda folder: folder.name)
def test_tests_of_a_plugin_import_only_what_it_declares(plugin):
    pytest.importorskip("tomllib")
    found = [
        f"{path.relative_to(ROOT)}:{line}: {package}"
        for path in sorted((TESTS / plugin.name).rglob("*.py"))
        for package, line in imported_plugins(path)
        if package not in allowed(plugin)
    ]
    assert found == []


@pytest.mark.parametrize("plugin", FOLDERS, ids=lambda folder: folder.name)
def test_tests_of_a_plugin_name_only_components_of_what_it_declares(plugin):
    """A model's name that only an undeclared plugin offers would be unknown without that plugin's folder."""
    pytest.importorskip("tomllib")
    offered: dict[str, set[str]] = {}
    for kind in KINDS:
        for entry in get_registry().entries(kind):
            offered.setdefault(entry.spec.name, set()).add(f"pdx_{entry.plugin}")
    found = [
        f"{path.relative_to(ROOT)}: {name!r} is offered by {' and '.join(sorted(offered[name]))}"
        for path in sorted((TESTS / plugin.name).rglob("*.py"))
        for name in sorted(set(asked_for(path)) & set(offered))
        if not offered[name] & {*allowed(plugin), "pdx_core"} and offered[name] & PACKAGES
    ]
    assert found == []


def test_tests_of_the_core_import_no_plugin():
    found = [
        f"{path.relative_to(ROOT)}:{line}: {package}"
        for path in sorted((TESTS / "core").rglob("*.py"))
        for package, line in imported_plugins(path)
    ]
    assert found == []


def test_other_tests_say_which_plugins_they_need():
    """Those beside the folders of plugins import none at their top, and name those that they import further down."""
    found = []
    for path in sorted([*TESTS.glob("*.py"), *(TESTS / "together").rglob("*.py")]):
        text = path.read_text(encoding="utf-8")
        at_top = [name for name, _ in imports(path, everywhere=False) if name.split(".")[0] in PACKAGES]
        found += [f"{path.relative_to(ROOT)}: {name} at its top" for name in at_top]
        for package, line in imported_plugins(path):
            said = f'importorskip("{package}' in text or f'"{package.removeprefix("pdx_")}"' in _needs(text)
            found += [] if said else [f"{path.relative_to(ROOT)}:{line}: {package} without needs_plugins"]
    assert found == []


def _needs(text: str) -> str:
    return " ".join(line for line in text.splitlines() if "needs_plugins(" in line)


def test_every_folder_of_tests_belongs_to_a_plugin_or_to_none():
    names = {path.name for path in TESTS.iterdir() if path.is_dir() and path.name.isidentifier()} - {"__pycache__"}
    strangers = names - set(NO_PLUGINS) - {package.removeprefix("pdx_") for package in PACKAGES}
    assert all(absent_part(name) for name in strangers)  # only those of a plugin whose folder was deleted


def test_modules_beside_tests_have_different_names():
    """They are imported by their bare names, so the second of one name would get the first."""
    places: dict[str, list[str]] = {}
    for path in TESTS.rglob("*.py"):
        if not path.name.startswith("test_") and path.name not in ("conftest.py", "__init__.py"):
            places.setdefault(path.name, []).append(str(path.relative_to(ROOT)))
    assert {name: found for name, found in places.items() if len(found) > 1} == {}


def test_missing_plugin_and_missing_dependency_are_found(monkeypatch):
    assert absent_part("no_such_plugin") == "pdx_no_such_plugin"
    needs = {"pdx-core": [], "pdx-one": ["pdx-core>=0.1", "pdx-two>=0.1", "numpy"], "pdx-two": ["pdx-core>=0.1"]}
    monkeypatch.setattr(importlib.metadata, "requires", needs.__getitem__)
    present = {"pdx_one", "pdx_two"}
    monkeypatch.setattr("importlib.util.find_spec", lambda name: name if name in present else None)
    assert absent_part("one") is None
    present.remove("pdx_two")
    assert absent_part("one") == "pdx_two"
