"""`pdx config`."""

from __future__ import annotations

import click

from pdx_core.cli import completing
from pdx_core.cli.options import ConfigOptions, config_options


@click.command()
@click.argument("name", required=False, shell_complete=completing.models_or_files)
@config_options
def config(name: str | None, options: ConfigOptions) -> None:
    """Print the complete configuration of a model, with the origin of every value that is not a default.

    NAME is a model, a YAML file or the folder of a run. The output is a file for -c:

        pdx config ResNet50 -o Train.batch_size=16 > mine.yaml
    """
    from pdx_core.config import dump

    click.echo(dump(options.resolve(name)), nl=False)
