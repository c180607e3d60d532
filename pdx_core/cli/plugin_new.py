"""`pdx plugin new`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from pdx_core.cli.options import echo_json, json_option
from pdx_core.plugins import get_registry
from pdx_core.scaffold import KINDS, new_plugin

_HELP = {
    "backbone": "A trunk for any task, and a model for classification with it.",
    "head": "A classification head.",
    "model": "A row of the model zoo.",
    "reader": "A dataset format.",
    "metric": "A metric.",
    "predictor": "Post-processing of predictions.",
    "runtime": "A way to run exported models.",
    "command": "A subcommand of pdx.",
}


def _kind_options(command: Any) -> Any:
    for kind in reversed(KINDS):
        command = click.option(f"--{kind}", is_flag=True, help=_HELP[kind])(command)
    return command


@click.command("new")
@click.argument("name")
@_kind_options
@click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(),
    help="Folder to write the package into (default: the current one).",
)
@json_option
def new(name: str, output: Path, as_json: bool, **chosen: bool) -> None:
    """Write a plugin package NAME that installs, passes its tests and works at once.

    Say what it offers; any mix of kinds will do. Nothing is overwritten.
    """
    files = new_plugin(name, [kind for kind, wanted in chosen.items() if wanted], output, get_registry())
    folder = files[0].parent
    if as_json:
        echo_json({"folder": folder, "files": files})
        return
    for path in files:
        click.echo(str(path))
    plugin = folder.name.removeprefix("pdx-")
    click.echo(
        f"\nNext:\n    pip install -e {folder}    (without a network: add --no-build-isolation)\n"
        f"    pdx plugin check {plugin}\nThen change {files[3]} and what stands beside it.",
        err=True,
    )
