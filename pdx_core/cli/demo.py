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
@click.option("--draw-only", is_flag=True, help="Stop after drawing; the dataset serves to try other models on.")
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
def demo(task: str | None, output: Path, device: str, draw_only: bool, as_json: bool) -> None:
    """Draw a small dataset, then check, train, evaluate, export and predict; offline, a few minutes.

    Without TASK every installed task that has a demo is shown.
    """
    from pdx_core.demo import draw_demo, run_demo

    registry = get_registry()
    if task:
        tasks = [registry.find("tasks", task)]
    else:
        tasks = [spec for spec in registry.specs("tasks") if spec.demo]
    if not tasks:
        raise PdxError(
            "no installed task has a demo; install one, for example: pip install pdx-cls" + registry.problem_note()
        )
    if draw_only:
        folders = {spec.name: draw_demo(spec, output / spec.name, _say) for spec in tasks}
        if as_json:
            click.echo(json.dumps(folders, indent=2, default=str))
        else:
            for folder in folders.values():
                click.echo(folder)
        return
    reports = {}
    for spec in tasks:
        _say(f"\n{spec.title or spec.name}")
        report = run_demo(spec, output / spec.name, device, _say)
        reports[spec.name] = report
        if not as_json:
            _show(spec.name, report)
    if as_json:
        click.echo(json.dumps(reports, indent=2, default=str))
    failed = [name for name, report in reports.items() if not report["passed"]]
    if failed:
        raise WorkFailedError(f"the demo of {', '.join(failed)} stayed below its goal; the figures are above")


def _say(line: str) -> None:
    click.echo(line, err=True)


def _show(name: str, report: dict) -> None:
    figures = ", ".join(f"{key} {value:.4f}" for key, value in report["metrics"].items())
    (goal, wanted), *_ = report["goal"].items()
    click.echo(f"{name}: {figures} (goal: {goal} above {wanted}) in {report['seconds']} s")
    click.echo(f"  pictures        {report['overview']}  and  {report['pictures']}")
    click.echo(f"  curves, logs    {report['run']}")
    click.echo(f"  exported model  {report['run'] / 'best_model' / 'inference'}")
