"""`pdx plugin new` and `pdx plugin check`: for authors of plugins."""

from __future__ import annotations

import click

from pdx_core.cli.plugin_check import check
from pdx_core.cli.plugin_new import new


@click.group()
def plugin() -> None:
    """Write a plugin of your own, and check that it keeps what pdx expects of it.

    `pdx plugins` lists those that are installed.
    """


plugin.add_command(new)
plugin.add_command(check)
