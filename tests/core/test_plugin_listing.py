"""`pdx plugins` tells the whole story, `PDX_TRACE` how long each hook took, and old hook APIs are phased out aloud."""

from __future__ import annotations

import json
import re

import pytest

from pdx_core import HOOK_API, hook_api
from pdx_core.hook_api import OldApi
from tests.core.test_plugins import GOOD

HEAD = "from pdx_core import hookimpl\nfrom pdx_core.specs import HeadSpec\nPDX_API = 1\n"
HALF = HEAD + "@hookimpl\ndef pdx_heads():\n    yield HeadSpec(name='First', task='t', target='m:o')\n    1 / 0\n"
OLD = """
    from pdx_core import hookimpl
    PDX_API = 0

    @hookimpl
    def pdx_heads():
        yield {"title": "OldHead", "of": "count"}
"""


def names_of(report: dict, *wanted: str) -> list[str]:
    return [plugin["name"] for plugin in report["plugins"] if plugin["name"] in wanted]


def test_list_for_machines_holds_everything(fake_site):
    fake_site.install("good", GOOD, version="2.1")
    fake_site.install("half", HALF)
    fake_site.install("bad", "import no_such_package")
    done = fake_site.run("plugins", "--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    plugins = {plugin["name"]: plugin for plugin in report["plugins"]}
    good = plugins["good"]
    assert (good["distribution"], good["version"], good["status"], good["api"]) == ("pdx-good", "2.1", "loaded", 1)
    assert good["hooks"] == ["pdx_backbones"] and good["components"] == {"backbones": ["GoodNet_x1_0"]}
    assert good["offers"] == {"backbones": 1} and good["file"].endswith(".py")
    assert plugins["bad"]["status"] == "failed" and plugins["bad"]["api"] is None
    assert plugins["half"]["components"] == {"heads": ["First"]}
    details = {problem["plugin"]: problem["details"] for problem in report["problems"]}
    assert "ModuleNotFoundError" in details["bad"] and "ZeroDivisionError" in details["half"]


def test_table_counts_problems_and_one_plugin_tells_its_story(fake_site):
    fake_site.install("half", HALF)
    table = fake_site.run("plugins").stdout
    assert re.search(r"^half +1.0 +loaded, 1 problem +1 head$", table, re.MULTILINE)
    assert "half (1.0): pdx_heads: ZeroDivisionError: division by zero" in table and "Traceback" not in table
    story = fake_site.run("plugins", "HALF").stdout
    assert "heads: First" in story and "Traceback" in story and "1 / 0" in story and "core" not in story.split()
    wrong = fake_site.run("plugins", "halv")
    assert wrong.returncode == 2 and "Did you mean 'half'" in wrong.stderr


def test_table_fits_the_terminal_and_stays_one_line_per_plugin_elsewhere(fake_site):
    kinds = ("backbones", "necks", "heads", "metrics", "predictors", "runtimes")
    records = {
        "backbones": "BackboneSpec(name='a', target='m:o', channels=(8,), strides=(4,))",
        "necks": "NeckSpec(name='a', target='m:o')",
        "heads": "HeadSpec(name='a', target='m:o', task='t')",
        "metrics": "MetricSpec(name='a', target='m:o', task='t', key='k')",
        "predictors": "PredictorSpec(name='a', target='m:o', task='t')",
        "runtimes": "RuntimeSpec(name='a', target='m:o')",
    }
    hooks = "".join(f"@hookimpl\ndef pdx_{kind}():\n    yield {records[kind]}\n" for kind in kinds)
    fake_site.install("many", "from pdx_core import hookimpl\nfrom pdx_core.specs import *\nPDX_API = 1\n" + hooks)
    fake_site.install("bad", "raise ValueError('first line\\nsecond line, ' + 'long ' * 20)")
    for columns in (80, 120):
        lines = fake_site.run("plugins", COLUMNS=str(columns)).stdout.splitlines()
        assert max(map(len, lines)) <= columns
        assert any(line.startswith("many ") and "1 backbone" in line for line in lines)
    piped = fake_site.run("plugins", COLUMNS="").stdout.splitlines()
    (row,) = (line for line in piped if line.startswith("many "))
    assert "1 backbone, 1 neck, 1 head, 1 metric, 1 predictor, 1 runtime" in row
    (problem,) = (line for line in piped if "ValueError" in line)
    assert "first line second line" in problem


def test_user_is_told_what_mends_a_missing_module(fake_site):
    fake_site.install("needy", "import no_such_package.part", distribution="acme-needy")
    fake_site.install("gone", "")
    next(fake_site.folder.glob("fake_gone_*.py")).unlink()
    fake_site.install("faulty", "1 / 0")
    remedies = {problem.plugin: problem.remedy for problem in fake_site.registry().problems}
    assert remedies["needy"] == (
        "install what it needs: pip install acme-needy; if it does not declare 'no_such_package', tell its author"
    )
    assert remedies["gone"].startswith("its files are gone: pip install --force-reinstall pdx-gone")
    assert remedies["faulty"] == ""
    story = fake_site.run("plugins", "faulty").stdout
    assert "1 / 0" in story and "importlib" not in story  # the way to the plugin is not its story
    assert "-> install what it needs" in fake_site.run("plugins").stdout


def test_trace_has_a_line_for_each_call(fake_site):
    fake_site.install("good", GOOD)
    fake_site.install("half", HALF)
    fake_site.install("bad", "import no_such_package")
    traced = fake_site.run("models", "--json", PDX_TRACE="1")
    lines = [line.split() for line in traced.stderr.splitlines() if line.startswith("trace")]
    calls = {(line[1], line[2]): " ".join(line[3:]) for line in lines}
    assert re.fullmatch(r"1 records \d+\.\d+ ms", calls["good", "pdx_backbones"])
    assert re.fullmatch(r"\d+\.\d+ ms", calls["good", "loading"])
    assert re.fullmatch(r"1 records .* ms problem: ZeroDivisionError: division by zero", calls["half", "pdx_heads"])
    assert "problem: ModuleNotFoundError: No module named 'no_such_package'" in calls["bad", "loading"]
    json.loads(traced.stdout)  # the trace is not in the results
    for off in ("", "0"):
        assert "trace" not in fake_site.run("models", "--json", PDX_TRACE=off).stderr


@pytest.fixture
def old_api(monkeypatch):
    """A pdx-core that came from API 0 and still speaks it."""
    from pdx_core.specs import HeadSpec

    def translate(hook, record):
        assert hook == "pdx_heads"
        return HeadSpec(name=record["title"], task=record["of"], target="nowhere:Head")

    old = OldApi(until="0.4", change="yield a HeadSpec where a dict was", translate=translate)
    monkeypatch.setitem(hook_api.SUPPORTED_APIS, 0, old)


def test_plugin_for_an_older_api_works_and_says_until_when(fake_site, old_api):
    fake_site.install("old", OLD, version="0.9")
    fake_site.install("good", GOOD)
    registry = fake_site.registry()
    assert registry.problems == []
    assert registry.find("heads", "OldHead").task == "count"
    (notice,) = registry.notices
    assert str(notice) == (
        "old (0.9): loading: written for hook API 0, which works until pdx-core 0.4; "
        f"to move to PDX_API = {HOOK_API}: yield a HeadSpec where a dict was"
    )
    assert {info.name: info.api for info in registry.plugins} == {"good": 1, "old": 0}


def test_commands_and_doctor_pass_the_notice_on(fake_site, old_api, capsys):
    import click
    from click.testing import CliRunner

    from pdx_core.cli import main
    from pdx_core.doctor import _plugins

    fake_site.install("old", OLD, version="0.9")
    text = main.get_help(click.Context(main, info_name="pdx"))
    assert "Notices about plugins" in text and "until pdx-core 0.4" in " ".join(text.split())
    listed = CliRunner().invoke(main.get_command(click.Context(main), "plugins"), [])
    assert "notices\n  old (0.9): loading: written for hook API 0, which works until" in listed.output
    assert any(finding.name == "plugin old" and "until pdx-core 0.4" in finding.text for finding in _plugins())


def test_strict_mode_accepts_an_older_api(fake_site, old_api, monkeypatch):
    """It stops at problems; a plugin that works until the next release is none."""
    fake_site.install("old", OLD)
    monkeypatch.setenv("PDX_STRICT", "1")
    assert fake_site.registry().find("heads", "OldHead").name == "OldHead"


def test_api_that_is_no_longer_spoken_is_refused(fake_site):
    fake_site.install("old", OLD)
    (problem,) = fake_site.registry().problems
    assert problem.error == "written for hook API 0, this pdx-core speaks 1; upgrade the plugin"


def test_plugin_that_imports_something_heavy_is_named(fake_site):
    fake_site.install("heavy", "import numpy\n" + "\n".join(line[4:] for line in GOOD.splitlines()))
    report = json.loads(fake_site.run("plugins", "heavy", "--json").stdout)
    assert names_of(report, "heavy") == ["heavy"]
    assert report["problems"] == []
    assert "imports numpy when it is listed" in report["notices"][0]["error"]


@pytest.mark.parametrize("content", [b"[pdx.plugins]\nno equals sign\n", b"\xff\xfe\x00"], ids=["no value", "binary"])
def test_damaged_list_of_one_package_does_not_hide_the_others(fake_site, content):
    """Python's own search fails for every package then."""
    fake_site.install("good", GOOD)
    fake_site.install("bad", GOOD, version="0.7")
    (fake_site.folder / "pdx_bad-0.7.dist-info" / "entry_points.txt").write_bytes(content)
    report = json.loads(fake_site.run("plugins", "--json").stdout)
    assert names_of(report, "good", "bad") == ["good"]
    (problem,) = (problem for problem in report["problems"] if problem["plugin"] == "pdx-bad")
    assert (problem["version"], problem["stage"]) == ("0.7", "searching")
    assert "entry_points.txt cannot be read" in problem["error"]
