"""`pdx demo`."""

from __future__ import annotations

import json
from pathlib import Path

import click

from pdx_core.cli import completing
from pdx_core.errors import PdxError, WorkFailedError
from pdx_core.plugins import get_registry


@click.command()
@click.argument("task", required=False, shell_complete=completing.tasks)
@click.option(
    "--output", "-d", "output", type=click.Path(path_type=Path), shell_complete=completing.folders,
    default=Path("demo_output"), show_default=True,
    help="Folder for the dataset, the run and the pictures.",
)  # fmt: skip
@click.option("--device", default="auto", shell_complete=completing.devices, show_default=True, help="cpu, gpu:0 ...")
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
def demo(task: str | None, output: Path, device: str, as_json: bool) -> None:
    """Draw a small dataset, then check, train, evaluate, export and predict; offline, a few minutes.

    Without TASK every installed task that has a demo is shown.
    """
    from pdx_core.demo import run_demo

    registry = get_registry()
    if task:
        tasks = [registry.find("tasks", task)]
    else:
        tasks = [spec for spec in registry.specs("tasks") if spec.demo]
    if not tasks:
        raise PdxError(
            "no installed task has a demo; install one, for example: pip install pdx-cls" + registry.problem_note()
        )
    reports = {}
    for spec in tasks:
        click.echo(f"\n{spec.title or spec.name}", err=True)
        report = run_demo(spec, output / spec.name, device, say=lambda line: click.echo(line, err=True))
        reports[spec.name] = report
        if not as_json:
            _show(spec.name, report)
    if as_json:
        click.echo(json.dumps(reports, indent=2, default=str))
    failed = [name for name, report in reports.items() if not report["passed"]]
    if failed:
        raise WorkFailedError(f"the demo of {', '.join(failed)} stayed below its goal; the figures are above")


def _show(name: str, report: dict) -> None:
    figures = ", ".join(f"{key} {value:.4f}" for key, value in report["metrics"].items())
    (goal, wanted), *_ = report["goal"].items()
    click.echo(f"{name}: {figures} (goal: {goal} above {wanted}) in {report['seconds']} s")
    click.echo(f"  pictures        {report['overview']}  and  {report['pictures']}")
    click.echo(f"  curves, logs    {report['run']}")
    click.echo(f"  exported model  {report['run'] / 'best_model' / 'inference'}")
