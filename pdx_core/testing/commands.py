"""What a command owes its users: help at once, also where paddle is missing."""

from __future__ import annotations

import json
import subprocess
import sys

import click

from pdx_core.specs import CommandSpec
from pdx_core.testing.checks import fail
from pdx_core.testing.light_import import HEAVY

_SECONDS = 120
_PROGRAM = """
import json, sys

name, heavy = json.loads(sys.argv[1])

class Refuse:
    def find_spec(self, module, path=None, target=None):
        if module.partition(".")[0] in heavy:
            raise ImportError(module + " must not be imported for --help")

sys.meta_path.insert(0, Refuse())
from pdx_core.cli import main

main([name, "--help"], prog_name="pdx")
"""


def is_a_command_of_its_own(spec: CommandSpec) -> None:
    """The target is a click command whose name is none of pdx's, and every option says what it does."""
    from pdx_core.cli import COMMANDS

    command = spec.load()
    if not isinstance(command, click.Command):
        fail(f"{spec.target} is a {type(command).__name__}", "write @click.command() above the function")
    if spec.name in COMMANDS:
        fail(f"pdx has a command {spec.name!r} of its own", "choose another name")
    for parameter in command.params:
        if isinstance(parameter, click.Option) and not parameter.help:
            fail(f"{parameter.opts[0]} has no help", 'add help="..." to the option')
    if not command.help:
        fail("the command has no help", "write a docstring: its first line is the summary")


def help_needs_nothing_heavy(spec: CommandSpec) -> None:
    """`pdx NAME --help` works where paddle, numpy and cv2 are missing."""
    result = subprocess.run(
        [sys.executable, "-c", _PROGRAM, json.dumps([spec.name, HEAVY])],
        capture_output=True,
        text=True,
        encoding="utf-8",
        errors="replace",
        timeout=_SECONDS,
    )
    if result.returncode:
        lines = result.stderr.strip().splitlines() or ["it said nothing"]
        fail(
            f"`pdx {spec.name} --help` ends with code {result.returncode}: {lines[-1]}",
            "import paddle, numpy and cv2 inside the function",
        )


CHECKS = (is_a_command_of_its_own, help_needs_nothing_heavy)
