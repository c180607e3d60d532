"""`pdx plugin check`."""

from __future__ import annotations

from collections import Counter

import click

from pdx_core.cli import completing
from pdx_core.cli.options import echo_json, json_option
from pdx_core.errors import WorkFailedError

_LABELS = {"passed": "ok", "failed": "FAILED", "skipped": "skipped"}
_SLOW = 2.0  # seconds from which on a check's time is told


@click.command("check")
@click.argument("name", shell_complete=completing.plugins)
@click.argument("components", nargs=-1, metavar="COMPONENT...", shell_complete=completing.components)
@click.option("--all", "every_record", is_flag=True, help="Build every record, not one for each piece of code.")
@click.option("--no-networks", is_flag=True, help="Build no trunk, neck, head or model, which is what takes long.")
@click.option("--only", metavar="TEXT", help='Run only checks whose line contains this text, such as "gradients".')
@json_option
def check(
    name: str, components: tuple[str, ...], every_record: bool, no_networks: bool, only: str | None, as_json: bool
) -> None:
    """Check that an installed plugin keeps every promise of its kinds of component.

    NAME is that of the plugin, its module or its distribution; COMPONENT that of a record, such as a model, to which
    the checks are confined. Each failure says what to change.
    """
    from pdx_core.testing import plugin_checks, run_checks

    checks = plugin_checks(name, *components, every_record=every_record, networks=not no_networks)
    if only:
        checks = [item for item in checks if only.lower() in str(item).lower()]
        if not checks:
            raise click.UsageError(f"no check of {name} contains {only!r}")
    outcomes, before = [], ""
    for outcome in run_checks(checks):
        outcomes.append(outcome)
        if not as_json:
            time = f" ({outcome.seconds:.0f} s)" if outcome.seconds >= _SLOW else ""
            click.echo(f"{_LABELS[outcome.status]:8}{outcome.check}{time}")
            if outcome.message and outcome.message != before:
                click.echo(f"        {outcome.message}")
            before = outcome.message
    counts = Counter(outcome.status for outcome in outcomes)
    if as_json:
        echo_json({"passed": not counts["failed"], "checks": [outcome.as_dict() for outcome in outcomes]})
    summary = f"{counts['passed']} passed, {counts['failed']} failed, {counts['skipped']} skipped"
    if counts["failed"]:
        raise WorkFailedError(f"{name} does not pass: {summary}")
    click.echo(summary, err=True)
