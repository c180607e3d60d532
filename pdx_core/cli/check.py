"""`pdx check`."""

from __future__ import annotations

from pathlib import Path

import click

from pdx_core.cli import completing
from pdx_core.cli.options import echo_json, json_option, reader_option, task_option
from pdx_core.cli.reader_options import ReaderCommand


@click.command(cls=ReaderCommand)
@click.argument("folder", metavar="DIR", shell_complete=completing.folders, type=click.Path(path_type=Path))
@click.option(
    "--output", "--out", "output", type=click.Path(path_type=Path), shell_complete=completing.folders,
    default=Path("output"), show_default=True,
    help="Where the report and the pictures go.",
)  # fmt: skip
@task_option
@reader_option
@click.option(
    "--split", "splits", multiple=True, type=click.Choice(["train", "val"]),
    help="Look at this part only (an evaluation set has no train); may be repeated.",
)  # fmt: skip
@click.option(
    "--max-megapixels", type=click.FloatRange(min=0, min_open=True), default=100.0, show_default=True,
    help="Larger images are refused before they are decoded.",
)  # fmt: skip
@json_option
@click.pass_context
def check(
    ctx: click.Context,
    folder: Path,
    output: Path,
    task: str | None,
    reader: str | None,
    splits: tuple[str, ...],
    max_megapixels: float,
    as_json: bool,
    reader_options: dict[str, str],
) -> None:
    """Look at every file of the dataset in DIR and say what is wrong, where, and how to mend it.

    DIR is not written to. Exit code 2 when the dataset cannot be trained on. Options of the dataset's reader are flags
    too: `pdx check --help` lists those of the installed plugins.
    """
    from pdx_core.data.check import CheckSettings, check_dataset
    from pdx_core.settings import Component

    report = check_dataset(
        folder,
        output,
        task=task,
        reader=Component(name=reader) if reader else None,
        settings=CheckSettings(splits or ("train", "val"), max_megapixels),
        options=reader_options,
    )
    if as_json:
        echo_json({**report.result, "findings": report.findings.to_json()["findings"]})
    else:
        click.echo(report.text())
        if report.passed:
            _show(report.result, output)
    if not report.passed:
        ctx.exit(2)


def _show(result: dict, output: Path) -> None:
    attributes = result["attributes"]
    counts = ", ".join(f"{attributes[f'{split}_samples']} {split}" for split in ("train", "val"))
    click.echo(f"{result['dataset_type']}: {attributes['num_classes']} classes, samples: {counts}")
    click.echo(f"histogram  {output / result['analysis']['histogram']}")
    click.echo(f"samples    {output / 'check_dataset' / 'demo_img'}")
