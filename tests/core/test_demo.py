"""`pdx demo` without training: what is drawn, and whose folder is never replaced."""

from __future__ import annotations

import json
import sys
import types

import pytest

from pdx_core.cli import main
from pdx_core.demo import Demo
from pdx_core.specs import TaskSpec


@pytest.fixture
def drawing(monkeypatch):
    """A task whose demo writes one file."""
    module = types.ModuleType("drawing_demo")

    def draw(folder):
        folder.mkdir()
        (folder / "drawn.txt").write_text("a drawing")

    module.draw, module.DEMO = draw, Demo(model="Net", draw="drawing_demo:draw", goal=("score", 0.5))
    monkeypatch.setitem(sys.modules, "drawing_demo", module)
    spec = TaskSpec(name="draw", target="drawing_demo:Task", metric="m", predictor="p", demo="drawing_demo:DEMO")

    class Registry:
        def find(self, kind, name):
            assert (kind, name) == ("tasks", "draw")
            return spec

    monkeypatch.setattr("pdx_core.cli.demo.get_registry", Registry)
    return spec


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as left:
        main(["demo", "draw", *arguments])
    return int(left.value.code or 0)


def test_draw_only_says_where_the_dataset_is(drawing, tmp_path, capsys):
    assert run("--draw-only", "--output", str(tmp_path / "shown")) == 0
    folder = tmp_path / "shown" / "draw" / "dataset"
    assert capsys.readouterr().out.strip() == str(folder)
    assert (folder / "drawn.txt").read_text() == "a drawing"
    assert run("--draw-only", "--json", "--output", str(tmp_path / "shown")) == 0  # its own folder is drawn anew
    assert json.loads(capsys.readouterr().out) == {"draw": str(folder)}


def test_a_folder_of_the_user_is_left_alone(drawing, tmp_path, capsys):
    (tmp_path / "draw").mkdir()
    (tmp_path / "draw" / "mine.txt").write_text("mine")
    assert run("--draw-only", "--output", str(tmp_path)) == 2
    assert "was not made by `pdx demo`" in capsys.readouterr().err
    assert (tmp_path / "draw" / "mine.txt").read_text() == "mine"
