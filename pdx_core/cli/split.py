"""`pdx split`."""

from __future__ import annotations

from pathlib import Path

import click

from pdx_core.cli import completing
from pdx_core.cli.options import echo_json, json_option, reader_option, task_option
from pdx_core.cli.reader_options import ReaderCommand


@click.command(cls=ReaderCommand)
@click.argument("folder", metavar="DIR", shell_complete=completing.folders, type=click.Path(path_type=Path))
@click.option("--train", "train_percent", type=click.IntRange(1, 99), metavar="PERCENT", help="Share of train.")
@click.option("--val", "val_percent", type=click.IntRange(1, 99), metavar="PERCENT", help="Share of val.")
@click.option(
    "--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Another seed, another division."
)
@click.option(
    "--output", "--out", "output", type=click.Path(path_type=Path), shell_complete=completing.folders,
    default=Path("output/dataset"), show_default=True,
    help="Where the new lists go; they refer to the images in DIR.",
)  # fmt: skip
@click.option("--in-place", is_flag=True, help="Write into DIR itself; the old lists are renamed to .bak.")
@task_option
@reader_option
@json_option
def split(
    folder: Path,
    train_percent: int | None,
    val_percent: int | None,
    seed: int,
    output: Path,
    in_place: bool,
    task: str | None,
    reader: str | None,
    as_json: bool,
    reader_options: dict[str, str],
) -> None:
    """Pool all samples of the dataset in DIR, shuffle them, and divide them into train and val.

    Options of the dataset's reader are flags too: `pdx split --help` lists those of the installed plugins.
    """
    from pdx_core.data.reading import recognise
    from pdx_core.data.split import split_dataset
    from pdx_core.settings import Component

    found = recognise(folder, Component(name=reader) if reader else None, task, reader_options)
    report = split_dataset(found, None if in_place else output, train_percent, val_percent, seed)
    if as_json:
        echo_json({"folder": str(report.folder), **report.counts})
    else:
        parts = ", ".join(f"{count} {name}" for name, count in report.counts.items())
        click.echo(f"{parts}\nnext: pdx train NAME --data {report.folder}")
