"""Writes docs/cli.md from the commands themselves: `make docs`."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from pdx_core.cli import COMMANDS
from pdx_core.specs import import_target

INTRODUCTION = """\
# Commands

Written by `make docs` from the commands themselves; `pdx COMMAND --help` says the same.

Results go to stdout, progress and messages to stderr; `--json` is for programs. `--debug` may stand anywhere and shows
tracebacks. No command ever asks a question.

Exit codes: 0 done, 1 the work failed (disk full, loss not a number, some images unreadable), 2 the input was wrong,
130 interrupted with Ctrl-C.

Environment: `PDX_HOME` (cache folder), `PDX_OFFLINE=1` (never download), `PDX_MIRROR` (download from elsewhere),
`PDX_DISABLE_PLUGINS=name,name`, `PDX_STRICT=1` (stop at the first problem of a plugin).
"""


def page() -> str:
    """The whole text of docs/cli.md."""
    return INTRODUCTION + "".join("\n" + "\n".join(section) + "\n" for section in _sections())


def _sections() -> Iterator[Iterator[str]]:
    """One for each command, and one for each of its subcommands."""
    for name, (target, _) in COMMANDS.items():
        command = import_target(target)
        yield _section(name, command)
        for below, subcommand in getattr(command, "commands", {}).items():
            yield _section(f"{name} {below}", subcommand)


def _section(name: str, command: click.Command) -> Iterator[str]:
    arguments = [_placeholder(parameter) for parameter in command.params if isinstance(parameter, click.Argument)]
    yield f"## pdx {' '.join([name, *arguments])}"
    yield ""
    yield inspect.cleandoc(command.help or "").replace("\b\n", "").strip()
    options = [parameter for parameter in command.params if isinstance(parameter, click.Option)]
    if options:
        yield ""
        yield "| option | meaning |"
        yield "|---|---|"
    for option in options:
        yield f"| {_spelling(option)} | {_meaning(option)} |"


def _placeholder(argument: click.Argument) -> str:
    name = (argument.metavar or str(argument.name).upper()).removesuffix("...")
    name = name if argument.required else f"[{name}]"
    return f"{name}..." if argument.nargs == -1 else name


def _spelling(option: click.Option) -> str:
    names = ", ".join(f"`{name}`" for name in option.opts)
    if option.is_flag:
        return names
    metavar = option.metavar or ("|".join(option.type.choices) if isinstance(option.type, click.Choice) else "")
    return f"{names} {metavar or option.type.name.upper()}".replace("|", "\\|")


def _meaning(option: click.Option) -> str:
    text = (option.help or "").replace("|", "\\|")
    if option.show_default and option.default not in (None, (), False):
        default = option.default
        text += f" Default: {', '.join(map(str, default)) if isinstance(default, (tuple, list)) else default}."
    return text


if __name__ == "__main__":
    Path(__file__).with_name("cli.md").write_text(page(), encoding="utf-8")
    sys.stderr.write("docs/cli.md is written\n")
