"""`pdx convert`."""

from __future__ import annotations

from pathlib import Path

import click

from pdx_core.cli import completing
from pdx_core.cli.options import echo_json, json_option
from pdx_core.cli.reader_options import ReaderCommand


@click.command(cls=ReaderCommand)
@click.argument("source", metavar="SRC", shell_complete=completing.folders, type=click.Path(path_type=Path))
@click.argument("destination", metavar="DST", shell_complete=completing.folders, type=click.Path(path_type=Path))
@click.option(
    "--to",
    "target",
    required=True,
    metavar="FORMAT",
    shell_complete=completing.readers,
    help="Name of a dataset format, such as ClsDataset.",
)
@click.option(
    "--from",
    "reader",
    metavar="FORMAT",
    shell_complete=completing.readers,
    help="Format of SRC; found out from the files when omitted.",
)
@click.option(
    "--task",
    metavar="TASK",
    shell_complete=completing.tasks,
    help="cls, det, seg, instseg; found out from FORMAT when omitted.",
)
@json_option
def convert(
    source: Path,
    destination: Path,
    target: str,
    reader: str | None,
    task: str | None,
    as_json: bool,
    reader_options: dict[str, str],
) -> None:
    """Write the dataset in SRC to the new folder DST in another format, images included.

    Options of the reader of SRC are flags too: `pdx convert --help` lists those of the installed plugins.
    """
    from pdx_core.data.convert import convert_dataset, source_and_target
    from pdx_core.plugins import get_registry
    from pdx_core.settings import Component

    task = get_registry().find("tasks", task, "--task").name if task else None
    found, wanted = source_and_target(source, target, Component(name=reader) if reader else None, task, reader_options)
    counts = convert_dataset(found, wanted, destination)
    if as_json:
        echo_json({"folder": str(destination), **counts})
    else:
        click.echo(f"{destination}: " + ", ".join(f"{count} {name}" for name, count in counts.items()))
