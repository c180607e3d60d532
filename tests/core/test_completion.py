"""The Tab key: commands, options, names of the registry, and the keys and values of `-o`."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys

import click
import pytest

from pdx_core.cli import COMMANDS, main
from pdx_core.cli.shells import SHELLS, script
from pdx_core.specs import import_target
from tests.core.test_light_import import PROGRAM
from tests.core.zoo_source import ZOO


@pytest.fixture
def complete(fake_site, monkeypatch):
    """`complete("pdx tr")` is what bash is answered: (type, value) of each offer."""
    fake_site.install("zoo", ZOO)

    def run(line: str) -> list[tuple[str, str]]:
        monkeypatch.setenv("COMP_LINE", line)
        monkeypatch.setenv("COMP_POINT", str(len(line.encode())))
        answer = SHELLS["bash"](main, {}, "pdx", "_PDX_COMPLETE").complete()
        return [tuple(offer.split(",", 1)) for offer in answer.splitlines()]

    return run


def values(offers: list[tuple[str, str]]) -> list[str]:
    return [value for _, value in offers]


def test_commands_and_options(complete):
    assert values(complete("pdx ")) == [*COMMANDS]
    assert values(complete("CUDA_VISIBLE_DEVICES=0 pdx tr")) == ["train"]
    assert {"--data", "--epochs", "--recipe"} <= set(values(complete("pdx train --")))
    complete("pdx nonsense --")  # a mistake further left: the command itself will say so
    assert values(complete("pdx completion ")) == ["bash", "zsh", "fish"]


def test_names_of_the_registry(complete):
    assert ("plain", "CountNet_x1_0") in complete("pdx info countnet-x")
    assert "CountNet_x1_0" in values(complete("pdx train Cou"))
    assert values(complete("pdx plugins zo")) == values(complete("pdx plugin check zo")) == ["zoo"]
    assert values(complete("pdx plugin check zoo countn")) == ["CountNet", "CountNet_x1_0"]
    assert complete("pdx plugin check nothing c") == []
    assert "paddle_onednn" in values(complete("pdx predict X --runtime paddle-o"))
    assert values(complete("pdx models --task cou")) == ["count"]


def test_paths_are_left_to_the_shell(complete):
    assert complete("pdx train --data fl") == [("dir", "fl")]
    assert complete("pdx train -c x.y") == [("file", "x.y")]
    assert complete("pdx predict CountNet_x1_0 pict") == [("file", "pict")]
    assert complete("pdx train --pretrained of") == [("file", "of"), ("plain", "official")]


def test_keys_one_level_at_a_time(complete):
    assert complete("pdx train CountNet_x1_0 -o Tr") == [("stem", "Train.")]
    assert complete("pdx train CountNet_x1_0 -o Train.opt") == [("stem", "Train.optimizer.")]
    leaves = complete("pdx train CountNet_x1_0 -o Train.")
    assert ("stem", "Train.batch_size=") in leaves and ("stem", "Train.optimizer.") in leaves
    assert complete("pdx train CountNet_x1_0 -o Nothing.") == []
    assert complete("pdx train CountNet_x1_0 -o Train.batch_size.") == []
    assert set(complete("pdx train -o Model.b")) == {("stem", "Model.backbone="), ("stem", "Model.backbone.")}


def test_options_of_the_component_that_is_meant(complete):
    own = values(complete("pdx train CountNet_x1_0 -o Model.backbone."))
    assert own == [f"Model.backbone.{option}=" for option in ("name", "width", "freeze_stages", "norm", "size")]
    other = values(complete("pdx train CountNet_x1_0 -o Model.backbone=Unheard -o Model.backbone."))
    assert other == ["Model.backbone.name="]
    assert values(complete("pdx train -o Model.backbone.name=CountNet -o Model.backbone.w")) == [
        "Model.backbone.width="
    ]


def test_values(complete, tmp_path, monkeypatch):
    assert values(complete("pdx train X -o Train.unit=")) == ["epoch", "iteration"]  # bash replaces what follows the =
    assert values(complete("pdx train X -o Train.ema.enable=t")) == ["true"]
    assert values(complete("pdx train X -o Train.amp.level=O")) == ["off", "O1", "O2"]
    assert "CountNet" in values(complete("pdx train X -o Model.backbone.name="))
    assert values(complete("pdx run -o Global.model=CountNet_x")) == ["CountNet_x1_0"]
    (tmp_path / "flowers").mkdir()
    (tmp_path / "flat.txt").touch()
    (tmp_path / ".hidden").touch()
    monkeypatch.chdir(tmp_path)
    assert complete("pdx train X -o Global.dataset_dir=fl") == [("plain", "flat.txt"), ("stem", "flowers/")]
    assert ("stem", "site/") in complete("pdx train X -o Global.dataset_dir=")
    assert ("plain", ".hidden") not in complete("pdx train X -o Global.dataset_dir=")
    assert complete("pdx train X -o Global.dataset_dir=absent/") == []


def test_zsh_and_fish_get_whole_words(fake_site, monkeypatch):
    fake_site.install("zoo", ZOO)
    monkeypatch.setenv("COMP_WORDS", "pdx train X -o Train.unit=e")
    monkeypatch.setenv("COMP_CWORD", "4")
    assert SHELLS["zsh"](main, {}, "pdx", "_PDX_COMPLETE").complete() == "plain\nTrain.unit=epoch\n_"
    monkeypatch.setenv("COMP_CWORD", "Train.unit=e")
    assert SHELLS["fish"](main, {}, "pdx", "_PDX_COMPLETE").complete() == "plain,Train.unit=epoch"


def test_every_name_and_path_can_be_completed():
    """A new option of the command line should say what the Tab key offers."""
    missing = []
    for verb, (target, _) in COMMANDS.items():
        for parameter in import_target(target).params:
            words = {"DIR", "FILE", "NAME", "TASK", "FORMAT", "DEVICE", "MODEL", "INPUT...", "KEY=VALUE", "NAME..."}
            shown = parameter.metavar or (parameter.name or "").upper()
            own_type = isinstance(parameter.type, (click.Path, click.Choice))
            if shown in words and parameter._custom_shell_complete is None and not own_type:
                missing.append(f"pdx {verb}: {parameter.opts[0]}")
    assert missing == []


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash here")
def test_bash_runs_its_script(fake_site):
    fake_site.install("zoo", ZOO)
    (fake_site.folder / "pdx").write_text(
        f"#!{sys.executable}\nfrom pdx_core.cli import main\nmain(prog_name='pdx')\n", encoding="utf-8"
    )
    (fake_site.folder / "pdx").chmod(0o755)
    line = "pdx train CountNet_x1_0 -o Train.schedule.name=po"
    program = f"""{script("bash", main)}
    COMP_LINE='{line}' COMP_POINT={len(line)}
    _pdx_completion pdx
    echo "${{COMPREPLY[*]}}"
    complete -p pdx"""
    path = os.pathsep.join([str(fake_site.folder), os.environ["PATH"]])
    environment = {**os.environ, "PATH": path, "PYTHONPATH": str(fake_site.folder)}
    done = subprocess.run(["bash", "-c", program], capture_output=True, text=True, env=environment, timeout=120)
    offered, registered = done.stdout.splitlines()
    assert offered == "poly" and "_pdx_completion pdx" in registered, done.stderr


def test_script_is_printed_and_nothing_heavy_is_imported(fake_site):
    fake_site.install("zoo", ZOO)
    printed = fake_site.run("completion", "bash")
    assert printed.stdout == script("bash", main)
    line = "pdx train CountNet_x1_0 -o Model.backbone."
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, json.dumps([])],
        capture_output=True,
        text=True,
        env={
            **os.environ,
            "PYTHONPATH": str(fake_site.folder),
            "_PDX_COMPLETE": "bash_complete",
            "COMP_LINE": line,
            "COMP_POINT": str(len(line)),
        },
        timeout=120,
    )
    assert "stem,Model.backbone.width=" in done.stdout
    assert json.loads(done.stderr.rpartition("RESULT ")[2]) == [0, []], done.stderr
