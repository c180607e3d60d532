"""`pdx eval`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from pdx_core.cli import completing
from pdx_core.cli.options import ConfigOptions, config_options, echo_json, json_option
from pdx_core.errors import ConfigError


@click.command(name="eval")
@click.argument("name", required=False, shell_complete=completing.models_or_files)
@click.option(
    "--data",
    metavar="DIR",
    shell_complete=completing.folders,
    help="Dataset folder; its val split is used. Default: that of the run.",
)
@click.option(
    "--weights",
    metavar="FILE|official",
    shell_complete=completing.weight_files,
    help="Weight file. Default: the run's best, or the published ones.",
)
@click.option("--batch-size", type=int, metavar="N", help="Images at a time.")
@config_options
@json_option
def eval_(
    name: str | None,
    data: str | None,
    weights: str | None,
    batch_size: int | None,
    options: ConfigOptions,
    as_json: bool,
) -> None:
    """Measure a model on the val split of a dataset. NAME is a model or the folder of a run.

    \b
        pdx eval output
        pdx eval ResNet50 --data flowers --weights output/best_model/best_model.pdparams

    Writes evaluate_result.json to --output (default: the run's folder, else output).
    """
    if name is None and options.file is None:
        raise ConfigError("what to evaluate? `pdx eval RUN_FOLDER`, or `pdx eval NAME --data DIR --weights FILE`")
    is_run = name is not None and (Path(name) / "config.yaml").is_file()
    flags: dict[str, Any] = {
        "Global.dataset_dir": data,
        "Evaluate.weight_path": weights,
        "Evaluate.batch_size": batch_size,
    }
    if is_run:
        flags["Global.output"] = options.output or name
        if weights is None and options.output is not None:
            flags["Evaluate.weight_path"] = str(_best_of(Path(str(name))))
    elif name is not None and weights is None and options.output is None:
        flags["Evaluate.weight_path"] = "official"  # not those of whatever run happens to be in ./output
    resolved = options.resolve(name, {key: value for key, value in flags.items() if value is not None})
    from pdx_core.train.run import evaluate

    result = evaluate(resolved)
    if as_json:
        echo_json(result)
        return
    for key, value in result["metrics"].items():
        click.echo(f"{key:<24} {value:.4f}")
    click.echo(f"{result['samples']} samples, weights {result['weights']}")
    for picture in result["pictures"]:
        click.echo(f"  {picture}")


def _best_of(run: Path) -> Path:
    from pdx_core.train.run_folder import best_weights

    path = best_weights(run, use_ema=True)
    if path is None:
        raise ConfigError(f"{run} holds no best model; train it first, or give --weights FILE")
    return path
