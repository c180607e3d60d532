"""The command line: exit codes, messages, lists, and where `pdx run` goes."""

from __future__ import annotations

import errno
import json
import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

import pdx_core.cli
from pdx_core.cli import COMMANDS, main
from pdx_core.cli.options import ConfigOptions, config_options, echo_json, json_option, resolve_options
from pdx_core.cli.run import MODES
from pdx_core.cli.table import echo_table
from pdx_core.errors import ConfigError, DataError, WorkFailedError
from pdx_core.specs import import_target
from tests.core.zoo_source import ZOO

MODEL = "CountNet_x1_0"


@pytest.fixture
def zoo(fake_site):
    fake_site.install("zoo", ZOO)
    return fake_site


def call(*arguments):
    return CliRunner().invoke(main, list(arguments))


# -- errors and exit codes -------------------------------------------------------------------------------------------
@pytest.fixture
def failing(monkeypatch):
    """A verb `fail` that raises what it is told to."""

    def install(error):
        @click.command()
        def fail():
            raise error

        monkeypatch.setattr(pdx_core.cli, "import_target", lambda target: fail)
        monkeypatch.setitem(COMMANDS, "fail", ("made.up:fail", "Fails."))

    return install


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (DataError("list.txt:3: no such class"), 2, "Error: list.txt:3: no such class\n"),
        (WorkFailedError("disk full"), 1, "Error: disk full\n"),
        (OSError(errno.ENOSPC, "No space left on device", "/x/a.pdparams"), 1, "Error: /x/a.pdparams: No space left"),
        (MemoryError(), 1, "Error: out of memory"),
        (
            ZeroDivisionError("division by zero"),
            1,
            "Error: ZeroDivisionError: division by zero\nThis is a fault of pdx",
        ),
        (KeyboardInterrupt(), 130, "Interrupted.\n"),
        (click.Abort(), 130, "Interrupted.\n"),
        (SystemExit(3), 3, ""),
    ],
)
def test_every_error_is_a_message_and_an_exit_code(failing, error, code, message):
    failing(error)
    done = call("fail")
    assert done.exit_code == code
    assert done.stderr.lstrip().startswith(message)
    assert "Traceback" not in done.stderr


def test_debug_shows_the_traceback_wherever_it_stands(failing):
    failing(DataError("bad"))
    for arguments in (["--debug", "fail"], ["fail", "--debug"]):
        done = call(*arguments)
        assert done.exit_code == 2
        assert "Traceback" in done.stderr and "Error: bad" in done.stderr


def test_closed_pipe_is_no_error():
    program = "from pdx_core.cli import main; main(['config', '--help'], prog_name='pdx')"
    reader = [sys.executable, "-c", "import sys; sys.stdin.close()"]
    writer = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    subprocess.run(reader, stdin=writer.stdout, check=True, timeout=60)
    writer.stdout.close()
    _, complaint = writer.communicate(timeout=60)
    assert complaint == b""


def test_unknown_command_is_suggested():
    done = call("trian")
    assert done.exit_code == 2
    assert "no command 'trian'. Did you mean 'train'?" in done.stderr


def test_no_command_prints_the_help():
    assert "Usage: main [OPTIONS] COMMAND" in call().output


def test_version():
    assert call("--version").stdout.startswith("pdx 0.")


@pytest.mark.parametrize("name", COMMANDS)
def test_every_verb_exists_and_explains_itself(name):
    command = import_target(COMMANDS[name][0])
    assert command.name == name
    assert command.help
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.help, f"pdx {name} {parameter.opts[0]} has no help"


# -- lists -----------------------------------------------------------------------------------------------------------
def test_models_table_and_query(zoo):
    done = call("models", "count")
    assert done.exit_code == 0
    heading, row = done.stdout.splitlines()
    assert heading.split() == ["model", "task", "score", "params", "file", "plugin"]
    assert row.split() == [MODEL, "count", "error", "3.5", "%", "1.23", "M", "4.9", "MB", "zoo"]
    assert call("models", "CN1").stdout == done.stdout  # an alias
    assert call("models", "--task", "COUNT").stdout == done.stdout


def test_models_json(zoo):
    (record,) = json.loads(call("models", MODEL, "--json").stdout)
    assert (record["name"], record["plugin"], record["params"]) == (MODEL, "zoo", 1234567)
    assert record["weights"][0]["url"] == "https://example.invalid/w.pdparams"
    assert json.loads(call("models", "nothing_like_it", "--json").stdout) == []


def test_models_refusals(zoo):
    done = call("models", "--task", "cuont")
    refusal = "Error: no task named 'cuont' (from --task). Did you mean 'count'?"
    assert (done.exit_code, done.stderr.splitlines()[0]) == (2, refusal)  # below it: plugins that are broken here
    done = call("models", "CoutnNet_x1_0")
    assert done.exit_code == 2 and "Did you mean 'CountNet_x1_0'" in done.stderr


def test_info_says_who_measured(zoo):
    text = call("info", MODEL).stdout
    assert "CountNet_x1_0: counts things" in text
    assert "Numbers, published" in text
    assert "ours, CPU, 2026-01-01" in text
    assert "Apache-2.0, no published checksum" in text
    assert "20 iterations, batch 8, learning rate 0.1" in text
    assert "ResizeShort size=256" in text
    assert json.loads(call("info", MODEL, "--json").stdout)["plugin"] == "zoo"
    assert call("info", "CountNt").exit_code == 2


def test_table_counts_wide_characters(capsys):
    echo_table(("a", "b"), [("图像", "1"), ("x", "20")], right=("b",))
    assert capsys.readouterr().out == "a      b\n图像   1\nx     20\n"


# -- shared options --------------------------------------------------------------------------------------------------
def test_config_options_reach_the_configuration(zoo):
    @click.command()
    @click.argument("name")
    @config_options
    @json_option
    def verb(name, options, as_json):
        resolved = options.resolve(name, {"Train.batch_size": 3})
        config = resolved.config
        echo_json([config.global_.device, config.global_.output, config.train.batch_size, resolved.origins, as_json])

    done = CliRunner().invoke(
        verb, [MODEL, "--device", "cpu", "--out", "there", "-o", "Train.log_interval=4", "--json"]
    )
    device, output, batch_size, origins, as_json = json.loads(done.stdout)
    assert (device, output, batch_size, as_json) == ("cpu", "there", 3, True)
    assert origins["Global.device"] == "--device"
    assert origins["Train.batch_size"] == "--batch-size"
    assert origins["Train.log_interval"] == "-o Train.log_interval=4"


def test_name_may_be_a_file_or_a_run_folder(zoo, tmp_path):
    run = tmp_path / "run"
    run.mkdir()
    (run / "config.yaml").write_text(call("config", MODEL, "-o", "Train.batch_size=5").stdout, encoding="utf-8")
    for name in (str(run), str(run / "config.yaml")):
        assert resolve_options(name, ConfigOptions()).config.train.batch_size == 5
    with pytest.raises(ConfigError, match="are two configurations; give one"):
        resolve_options(str(run), ConfigOptions(file=run / "config.yaml"))


def test_printed_configuration_is_a_file_for_c(zoo, tmp_path):
    first = call("config", MODEL, "-o", "Train.learning_rate=1e-3")
    file = tmp_path / "mine.yaml"
    file.write_text(first.stdout, encoding="utf-8")
    again = call("config", "-c", str(file))
    assert [line.split("  #")[0] for line in again.stdout.splitlines()] == [
        line.split("  #")[0] for line in first.stdout.splitlines()
    ]
    assert "learning_rate: 0.001" in again.stdout


# -- pdx run ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("mode", MODES)
def test_run_goes_where_the_mode_says(zoo, monkeypatch, mode):
    seen = []
    monkeypatch.setitem(MODES, mode, lambda resolved: seen.append(resolved.config))
    done = call(
        "run", "-c", f"paddlex/configs/{MODEL}.yaml", "-o", f"Global.mode={mode}", "-o", "Global.dataset_dir=./dataset"
    )
    assert done.exit_code == 0, done.stderr
    assert seen[0].global_.dataset_dir == "./dataset"
    assert f"using the defaults of the model {MODEL}" in done.stderr


def test_run_refuses_an_unknown_mode(zoo):
    done = call("run", "-c", f"{MODEL}.yaml", "-o", "Global.mode=test")
    assert done.exit_code == 2
    assert "'test' is not one of check_dataset, train, evaluate, export, predict" in done.stderr
