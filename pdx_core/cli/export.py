"""`pdx export`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from pdx_core.cli import completing
from pdx_core.cli.options import ConfigOptions, config_options, echo_json, json_option


@click.command()
@click.argument("model", shell_complete=completing.models_or_folders)
@click.option(
    "--weights",
    metavar="FILE",
    shell_complete=completing.files,
    help="Weight file; default: the run's best, or the published ones.",
)
@click.option(
    "--data",
    metavar="DIR",
    shell_complete=completing.folders,
    help="Dataset whose validation photos the check uses; default: the run's.",
)
@config_options
@json_option
def export(model: str, weights: str | None, data: str | None, options: ConfigOptions, as_json: bool) -> None:
    """Write MODEL as a folder for prediction, and prove that it gives the same numbers.

    MODEL is a run folder or a name such as PP-LCNet_x1_0. The folder is --output; default: best_model/inference in the
    run folder, or NAME_infer here. Every installed runtime is tried on photos; the fastest right one is noted in the
    folder.
    """
    from pdx_core.train.export import export as export_run

    flags: dict[str, Any] = {"Export.weight_path": weights, "Global.dataset_dir": data}
    run = Path(model)
    if (run / "config.yaml").is_file():
        flags["Global.output"] = str(run)
        flags["Export.output"] = options.output or str(run / "best_model" / "inference")
    else:
        flags["Export.weight_path"] = weights or "official"
        flags["Export.output"] = options.output or f"{model}_infer"
    flags = {key: value for key, value in flags.items() if value is not None}
    report = export_run(options.resolve(model, flags))
    if as_json:
        echo_json(report)
        return
    click.echo(f"exported to {report['folder']}")
    pictures = "drawn pictures" if report["drawn"] else "photos"
    click.echo(f"compared with the network on {report['images']} {pictures}:")
    for trial in report["trials"]:
        if trial["passed"]:
            chosen = "  <- auto" if trial["runtime"] == report["chosen"] else ""
            click.echo(
                f"  {trial['runtime']:<16} {trial['median_ms']:8.2f} ms per image, "
                f"largest difference {trial['max_error']:.1e}{chosen}"
            )
        else:
            click.echo(f"  {trial['runtime']:<16} not used: {trial['reason']}")
