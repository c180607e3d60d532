"""`pdx plugin check`."""

from __future__ import annotations

from collections import Counter

import click

from pdx_core.cli.options import echo_json, json_option
from pdx_core.errors import WorkFailedError

_LABELS = {"passed": "ok", "failed": "FAILED", "skipped": "skipped"}


@click.command("check")
@click.argument("name")
@click.option("--all", "every_record", is_flag=True, help="Build every record, not one for each piece of code.")
@click.option("--only", metavar="TEXT", help="Run only checks whose line contains this text, such as a model's name.")
@json_option
def check(name: str, every_record: bool, only: str | None, as_json: bool) -> None:
    """Check that an installed plugin keeps every promise of its kinds of component.

    NAME is that of the plugin, its module or its distribution. Each failure says what to change.
    """
    from pdx_core.testing import plugin_checks, run_checks

    checks = plugin_checks(name, every_record)
    if only:
        checks = [item for item in checks if only.lower() in str(item).lower()]
        if not checks:
            raise click.UsageError(f"no check of {name} contains {only!r}")
    outcomes, before = [], ""
    for outcome in run_checks(checks):
        outcomes.append(outcome)
        if not as_json:
            click.echo(f"{_LABELS[outcome.status]:8}{outcome.check}")
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
