"""`pdx doctor`."""

from __future__ import annotations

import attrs
import click

from pdx_core.cli.options import echo_json, json_option


@click.command()
@json_option
@click.pass_context
def doctor(ctx: click.Context, as_json: bool) -> None:
    """Check Python, Paddle and its devices, OpenCV, memory, cache folder and plugins, and say how to mend them.

    Leaves with exit code 1 when something that pdx needs is broken.
    """
    from pdx_core.doctor import examine

    findings = examine()
    broken = [finding for finding in findings if finding.state == "broken"]
    if as_json:
        echo_json({"ok": not broken, "findings": [attrs.asdict(finding) for finding in findings]})
    else:
        for finding in findings:
            click.echo(f"{finding.state:<7} {finding.name:<18} {finding.text}")
            if finding.remedy:
                click.echo(f"{'':<26} -> {finding.remedy}")
        click.echo("Everything that pdx needs works." if not broken else f"{len(broken)} broken; see the arrows above.")
    if broken:
        ctx.exit(1)
