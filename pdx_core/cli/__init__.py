"""The command `pdx`: finds verbs without importing them, and turns errors into messages and exit codes.

0 done · 1 the work failed · 2 the input was wrong · 130 interrupted.
"""

from __future__ import annotations

import errno
import logging
import os
import sys
from collections.abc import Sequence
from typing import Any

import click

from pdx_core import __version__
from pdx_core.errors import PdxError, PluginError, did_you_mean
from pdx_core.plugins import Problem, get_registry
from pdx_core.specs import import_target

# verb -> (where its click command is, its line in the help), in the order of the work
COMMANDS: dict[str, tuple[str, str]] = {
    "models": ("pdx_core.cli.models:models", "List the models that the installed plugins offer."),
    "info": ("pdx_core.cli.info:info", "Show what is known about one model."),
    "config": ("pdx_core.cli.config:config", "Print the complete configuration of a model."),
    "check": ("pdx_core.cli.check:check", "Check a dataset and say what is wrong with it."),
    "split": ("pdx_core.cli.split:split", "Divide a dataset into training and validation."),
    "convert": ("pdx_core.cli.convert:convert", "Convert a dataset into another format."),
    "train": ("pdx_core.cli.train:train", "Train a model on a dataset."),
    "eval": ("pdx_core.cli.eval:eval_", "Measure a model on the validation part of a dataset."),
    "export": ("pdx_core.cli.export:export", "Write a trained model as a folder for prediction."),
    "predict": ("pdx_core.cli.predict:predict", "Run a model on images, folders or videos."),
    "benchmark": ("pdx_core.cli.benchmark:benchmark", "Time an exported model in every runtime."),
    "run": ("pdx_core.cli.run:run", "Do what Global.mode of a configuration file says (PaddleX style)."),
    "demo": ("pdx_core.cli.demo:demo", "Draw a small dataset, then train, evaluate and predict, offline."),
    "weights": ("pdx_core.cli.weights:weights", "Show what is in a weight file, without running any of it."),
    "plugins": ("pdx_core.cli.plugins:plugins", "List plugins, what they offer and their problems."),
    "plugin": ("pdx_core.cli.plugin:plugin", "Write a plugin of your own, and check one."),
    "completion": ("pdx_core.cli.completion:completion", "Make the shell complete commands, names and keys."),
    "doctor": ("pdx_core.cli.doctor:doctor", "Check this installation and say how to mend it."),
}
INTERRUPTED = 130


class PdxGroup(click.Group):
    """A group whose commands are imported when they are called; plugins add theirs."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        offered = [spec.name for spec in get_registry().specs("commands") if spec.name not in COMMANDS]
        return [*COMMANDS, *dict.fromkeys(offered)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in COMMANDS:
            return import_target(COMMANDS[cmd_name][0])
        if cmd_name in self.list_commands(ctx) or "/" in cmd_name:
            return _plugin_command(cmd_name)
        return None

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        name = args[0] if args else ""
        known = not name or name.startswith("-") or "/" in name or name in COMMANDS  # ours need no plugin to be known
        completing = ctx.resilient_parsing  # the Tab key: nothing is said about what is wrong so far
        if not known and not completing and name not in self.list_commands(ctx):
            hint = did_you_mean(name, self.list_commands(ctx)) or " `pdx --help` lists them."
            raise click.UsageError(f"no command {name!r}.{hint}{get_registry().problem_note()}", ctx)
        return super().resolve_command(ctx, args)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[Any]:
        """The commands, without importing any of them, and the options."""
        from click.shell_completion import CompletionItem

        summaries = {spec.name: spec.summary for spec in get_registry().specs("commands")}
        summaries.update({name: summary for name, (_, summary) in COMMANDS.items()})
        names = [name for name in self.list_commands(ctx) if name.startswith(incomplete)]
        items = [CompletionItem(name, help=summaries[name]) for name in names]
        return [*items, *click.Command.shell_complete(self, ctx, incomplete)]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in COMMANDS.items()])
        extra = [entry for entry in get_registry().entries("commands") if entry.spec.name not in COMMANDS]
        if extra:
            with formatter.section("Commands of plugins"):
                formatter.write_dl(
                    [(entry.spec.name, f"{entry.spec.summary} ({entry.plugin})".strip()) for entry in extra]
                )

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        problems = [*get_registry().problems, *hidden_commands()]
        for title, found in (("Problems with plugins", problems), ("Notices about plugins", get_registry().notices)):
            if found:
                with formatter.section(f"{title} (see `pdx plugins`)"):
                    for problem in found:
                        formatter.write_text(" ".join(str(problem).split()))

    def main(self, args: Sequence[str] | None = None, *rest: Any, **extra: Any) -> Any:  # type: ignore[override]
        """Run one command line and leave the process with its exit code."""
        arguments, debug = _take_debug(list(sys.argv[1:] if args is None else args))
        _set_up_logging(debug)
        extra["standalone_mode"] = False
        if "_PDX_COMPLETE" in os.environ:
            from pdx_core.cli import shells

            shells.register()
        try:
            code = super().main(arguments, *rest, **extra)
            sys.stdout.flush()
        except Exception as error:  # noqa: BLE001 - the last stop: everything becomes a message and an exit code
            if debug and not isinstance(error, (click.ClickException, click.exceptions.Exit, BrokenPipeError)):
                import traceback

                traceback.print_exc()
            code = _explain(error)
        except KeyboardInterrupt:
            click.echo("Interrupted.", err=True)
            code = INTERRUPTED
        sys.exit(code if isinstance(code, int) else 0)


def hidden_commands() -> list[Problem]:
    """Commands of plugins that have the name of one of ours: `pdx plugin/name` reaches them."""
    return [
        Problem(
            entry.plugin, "", "pdx_commands", f"{entry.spec.name!r} is a command of pdx; write pdx {entry.full_name}"
        )
        for entry in get_registry().entries("commands")
        if entry.spec.name in COMMANDS
    ]


def _plugin_command(name: str) -> click.Command:
    spec = get_registry().find("commands", name)
    try:
        command = spec.load()
    except (Exception, SystemExit) as error:
        raise PluginError(f"command {name!r} of a plugin cannot be imported ({spec.target}): {error}") from error
    if not isinstance(command, click.Command):
        raise PluginError(f"command {name!r}: {spec.target} is not a click command")
    return command


def _take_debug(arguments: list[str]) -> tuple[list[str], bool]:
    """Remove --debug, which may stand anywhere before a "--"."""
    end = arguments.index("--") if "--" in arguments else len(arguments)
    kept = [word for word in arguments[:end] if word != "--debug"]
    return kept + arguments[end:], len(kept) < end


def _explain(error: Exception) -> int:
    """Tell the user in one message and return the exit code."""
    if isinstance(error, click.exceptions.Exit):
        return error.exit_code
    if isinstance(error, click.Abort):
        click.echo("Interrupted.", err=True)
        return INTERRUPTED
    if isinstance(error, click.ClickException):
        error.show()
        return error.exit_code
    if isinstance(error, PdxError):
        click.echo(f"Error: {error}", err=True)
        return error.exit_code
    if isinstance(error, BrokenPipeError) or getattr(error, "errno", None) == errno.EPIPE:
        # the reader (head, less) has seen enough; keep Python from complaining when it flushes at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else ""
        click.echo(f"Error: {where}{error.strerror or error}", err=True)
        return 1
    if isinstance(error, MemoryError):
        click.echo("Error: out of memory; use a smaller batch or smaller images", err=True)
        return 1
    click.echo(
        f"Error: {type(error).__name__}: {error}\nThis is a fault of pdx or of a plugin; add --debug to see where.",
        err=True,
    )
    return 1


class _StderrHandler(logging.StreamHandler):
    """Writes to whatever sys.stderr is at that moment."""

    @property
    def stream(self) -> Any:
        return sys.stderr

    @stream.setter
    def stream(self, value: Any) -> None:
        pass

    def format(self, record: logging.LogRecord) -> str:
        text = super().format(record)
        return text if record.levelno < logging.WARNING else f"{record.levelname.capitalize()}: {text}"

    def filter(self, record: logging.LogRecord) -> bool:
        """Everything of pdx and its plugins; of others only warnings."""
        return record.levelno >= logging.WARNING or record.name.startswith("pdx")


def _set_up_logging(debug: bool) -> None:
    root = logging.getLogger()
    if not any(isinstance(handler, _StderrHandler) for handler in root.handlers):
        root.addHandler(_StderrHandler())
    root.setLevel(logging.DEBUG if debug else logging.INFO)


@click.group(cls=PdxGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, "-V", "--version", prog_name="pdx", message="%(prog)s %(version)s")
@click.option("--debug", is_flag=True, help="Show tracebacks and debug messages; may stand anywhere.")
def main(debug: bool) -> None:
    """Train, evaluate, export and run vision models on PaddlePaddle."""
