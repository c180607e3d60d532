"""The pages for plugin authors show code that exists or that is run here."""

from __future__ import annotations

import importlib
import re
import sys
from pathlib import Path

import pytest

from tests.test_docs import ROOT, text_of


def blocks(page: str) -> list[str]:
    return re.findall(r"```python\n(.*?)```", text_of(f"docs/plugins/{page}"), re.DOTALL)


def test_code_of_the_new_task_is_that_of_the_example():
    sources = [path.read_text(encoding="utf-8") for path in (ROOT / "examples" / "pdx-keypoints").rglob("*.py")]
    shown = blocks("new-task.md")
    assert len(shown) > 8
    assert [block for block in shown if not any(block in source for source in sources)] == []


@pytest.mark.needs_plugins("cls")
@pytest.mark.paddle
def test_reader_of_the_page_passes_the_kit(tmp_path, monkeypatch):
    """What the scaffold writes, with the checker of the page: it passes, and it names what is wrong."""
    from pdx_core.data.check import CheckSettings
    from pdx_core.data.findings import Findings
    from pdx_core.plugins import get_registry
    from pdx_core.scaffold import new_plugin
    from pdx_core.testing import component_checks, run_checks

    files = new_plugin("weather", ["reader"], tmp_path, get_registry())
    written = [path.read_text(encoding="utf-8") for path in files if path.suffix == ".py"]
    (checker,) = [block for block in blocks("reader.md") if "class WeatherChecker" in block]
    assert [block for block in blocks("reader.md") if block != checker and not any(block in t for t in written)] == []

    package = tmp_path / "pdx-weather" / "pdx_weather"
    (package / "checker.py").write_text(checker, encoding="utf-8")
    record = re.search(r'`(checker="pdx_weather[^`]*")`', text_of("docs/plugins/reader.md"))[1]
    plugin = (package / "plugin.py").read_text(encoding="utf-8")
    (package / "plugin.py").write_text(plugin.replace("detect=", f"{record},\n        detect="), encoding="utf-8")
    monkeypatch.syspath_prepend(str(package.parent))
    (spec,) = importlib.import_module("pdx_weather.plugin").pdx_dataset_readers()
    outcomes = list(run_checks(component_checks(spec)))
    assert [(outcome.check.title, outcome.message) for outcome in outcomes if outcome.status != "passed"] == []

    folder = tmp_path / "data"
    folder.mkdir()
    sys.modules["pdx_weather.format"].write_example(folder)
    made = sys.modules["pdx_weather.checker"].WeatherChecker(folder, CheckSettings())
    made.check(Findings())
    found = made.attributes(tmp_path / "out")
    assert found["num_classes"] == 2 and found["train_samples"] == found["val_samples"] == 4
    (folder / "train_0.png").write_bytes(b"no image")
    (folder / "val.csv").write_text("val_0.png\n", encoding="utf-8")
    findings = Findings()
    sys.modules["pdx_weather.checker"].WeatherChecker(folder, CheckSettings()).check(findings)
    assert sorted(finding.file for finding in findings) == ["train.csv", "val.csv"], findings.table()


def test_pages_for_authors_are_linked():
    folder = Path(ROOT / "docs" / "plugins")
    for page in ("README.md", "tutorial.md"):
        for other in ("new-task.md", "reader.md"):
            assert f"({other})" in (folder / page).read_text(encoding="utf-8")
