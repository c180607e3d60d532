"""Two hundred plugins, twenty of them broken in different ways: the good work, the bad are named with the reason.

What that costs is measured by benchmarks/startup/many_plugins.py, with the same plugins.
"""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "startup" / "many_plugins.py"


@pytest.fixture(scope="module")
def plugins():
    spec = importlib.util.spec_from_file_location("many_plugins", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_good_plugin_works_and_every_bad_one_is_named(fake_site, plugins):
    plugins.install(fake_site.folder)
    registry = fake_site.registry()
    assert len(plugins.BROKEN) == 20 and len(registry.plugins) == 200
    for number in range(180):
        assert registry.find("backbones", f"net{number}").channels == (8, 16)
        assert registry.find("models", f"Net{number}_x1").backbone == f"Net{number}"
    problems = {problem.plugin: problem for problem in registry.problems}
    assert sorted(problems) == sorted(plugins.BROKEN) and len(registry.problems) == 20
    for name, (_, reason) in plugins.BROKEN.items():
        assert reason in " ".join(str(problems[name]).split()), name
        assert problems[name].version == "1.0"
        assert "Error" in problems[name].details or "Traceback" in problems[name].details


def test_commands_answer_beside_them(fake_site, plugins):
    plugins.install(fake_site.folder)
    shown = fake_site.run("--help")
    assert shown.returncode == 0 and shown.stderr == ""
    text = " ".join(shown.stdout.split())
    assert [name for name, (_, reason) in plugins.BROKEN.items() if f"{name} (1.0): " not in text] == []
    assert [reason for _, reason in plugins.BROKEN.values() if reason not in text] == []
    listed = fake_site.run("models", "--json", "Net17_x")
    assert {model["name"] for model in json.loads(listed.stdout)} == {"Net17_x0", "Net17_x1"}
    report = json.loads(fake_site.run("plugins", "--json").stdout)
    loaded = {plugin["name"] for plugin in report["plugins"] if plugin["status"] == "loaded"}
    assert {f"good{number}" for number in range(180)} <= loaded
