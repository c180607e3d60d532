"""Options that mean the same in every command.

@click.command()
@click.argument("name", required=False)
@config_options
@json_option
def train(name, options, as_json):
    resolved = options.resolve(name, {"Train.batch_size": batch_size})
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import attrs
import click

from pdx_core.cli import completing

if TYPE_CHECKING:
    from pdx_core.config import Resolved

Command = TypeVar("Command", bound=Callable[..., Any])


@attrs.frozen
class ConfigOptions:
    """What the user said about the configuration on the command line."""

    file: Path | None = None
    overrides: tuple[str, ...] = ()
    device: str | None = None
    output: str | None = None
    recipe: str | None = None

    def resolve(self, model: str | None = None, flags: Mapping[str, Any] | None = None) -> Resolved:
        """The complete configuration; `model` may also be a run folder or a YAML file, `flags` are dotted keys."""
        return resolve_options(model, self, flags)


def resolve_options(model: str | None, options: ConfigOptions, flags: Mapping[str, Any] | None = None) -> Resolved:
    """Like `pdx_core.config.resolve` for a command with `@config_options`."""
    from pdx_core.config import resolve
    from pdx_core.errors import ConfigError

    file = options.file
    if model is not None and _is_file_or_run(model):
        if file is not None:
            raise ConfigError(f"{model} and -c {file} are two configurations; give one")
        model, file = None, Path(model)
    shared = {
        "Global.device": options.device,
        "Global.output": options.output,
        "Global.recipe": options.recipe,
    }
    return resolve(model, file, {**shared, **(flags or {})}, options.overrides)


def _is_file_or_run(text: str) -> bool:
    return text.lower().endswith((".yaml", ".yml")) or (Path(text) / "config.yaml").is_file()


def config_options(command: Command) -> Command:
    """Add -c, -o, --device, --output and --recipe; the command gets them as one `options`."""

    @functools.wraps(command)
    def wrapped(
        *args: Any,
        config_file: Path | None,
        overrides: tuple[str, ...],
        device: str | None,
        output: str | None,
        recipe: str | None,
        **rest: Any,
    ) -> Any:
        return command(*args, options=ConfigOptions(config_file, overrides, device, output, recipe), **rest)

    decorators = (
        click.option("-c", "--config", "config_file", type=click.Path(path_type=Path), metavar="FILE",
                     help="YAML file; the keys of PaddleX are understood."),
        click.option("-o", "overrides", multiple=True, metavar="KEY=VALUE", shell_complete=completing.settings,
                     help="Set one key, such as Train.batch_size=16; may be repeated."),
        click.option("--recipe", metavar="NAME", shell_complete=completing.recipes,
                     help="Named training recipe of the model; see `pdx info`."),
        click.option("--device", metavar="DEVICE", shell_complete=completing.devices,
                     help="auto, cpu, gpu, gpu:0 or gpu:0,1."),
        click.option("--output", "--out", "output", metavar="DIR", shell_complete=completing.folders,
                     help="Folder for everything that is written."),
    )  # fmt: skip
    for decorator in reversed(decorators):
        wrapped = decorator(wrapped)
    return wrapped  # type: ignore[return-value]


def task_option(command: Command) -> Command:
    """Add --task, for commands that look at a dataset."""
    return click.option("--task", metavar="TASK", shell_complete=completing.tasks,
                        help="cls, det, seg, instseg; found out from the files when omitted.")(command)  # fmt: skip


def reader_option(command: Command) -> Command:
    """Add --reader, for commands that look at a dataset."""
    return click.option("--reader", metavar="FORMAT", shell_complete=completing.readers,
                        help="Dataset format; found out from the files when omitted.")(command)  # fmt: skip


def device_option(command: Command) -> Command:
    """Add --device, for commands that run an exported model."""
    return click.option("--device", default="auto", show_default=True, metavar="DEVICE",
                        shell_complete=completing.devices, help="auto, cpu, gpu:0 ...")(command)  # fmt: skip


def json_option(command: Command) -> Command:
    """Add --json; the command gets it as `as_json`."""
    return click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")(command)


def echo_json(value: Any) -> None:
    """Print a result for machines: UTF-8, indented, arrays and paths as plain values."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False, default=_plain))


def _plain(value: Any) -> Any:
    if hasattr(value, "tolist"):  # numpy scalars and arrays, without importing numpy
        return value.tolist()
    if attrs.has(type(value)):
        return attrs.asdict(value)
    return str(value)
