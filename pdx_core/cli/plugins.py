"""`pdx plugins`."""

from __future__ import annotations

from collections import Counter

import attrs
import click

import pdx_core
from pdx_core.cli import hidden_commands
from pdx_core.cli.options import echo_json, json_option
from pdx_core.cli.table import echo_table
from pdx_core.plugins import Registry, get_registry
from pdx_core.specs import KINDS


@click.command()
@json_option
def plugins(as_json: bool) -> None:
    """List the installed plugins, what each offers, and what is wrong with them.

    PDX_DISABLE_PLUGINS=name,name leaves plugins out; PDX_STRICT=1 stops at the first problem.
    """
    registry = get_registry()
    problems = [*registry.problems, *registry.misfits(), *hidden_commands()]
    if as_json:
        echo_json(
            {
                "pdx_core": pdx_core.__version__,
                "hook_api": pdx_core.HOOK_API,
                "plugins": [{**info.as_dict(), "offers": _offers(registry, info.name)} for info in registry.plugins],
                "problems": [attrs.asdict(problem) for problem in problems],
            }
        )
        return
    rows = []
    for info in registry.plugins:
        offers = ", ".join(f"{count} {kind.replace('_', ' ')}" for kind, count in _offers(registry, info.name).items())
        rows.append((info.name, info.status, f"{info.distribution} {info.version}", offers))
    echo_table(("plugin", "status", "distribution", "offers"), rows)
    if problems:
        click.echo("\nproblems")
        for problem in problems:
            click.echo(f"  {problem}")
        click.echo("`pdx plugins --json` has the tracebacks.", err=True)


def _offers(registry: Registry, plugin: str) -> dict[str, int]:
    counts = Counter(kind for kind in KINDS for entry in registry.entries(kind) if entry.plugin == plugin)
    return dict(counts)
