"""`pdx train`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from pdx_core.cli import completing
from pdx_core.cli.options import ConfigOptions, config_options, echo_json, json_option
from pdx_core.errors import ConfigError

if TYPE_CHECKING:
    from pdx_core.config import Resolved

_SHORTEST_INTERVAL = 100  # iterations between evaluations where nobody asked for less


@click.command()
@click.argument("name", required=False, shell_complete=completing.models_or_files)
@click.option(
    "--data", metavar="DIR", shell_complete=completing.folders, help="Dataset folder; its format is recognised."
)
@click.option("--epochs", type=int, metavar="N", help="How long to train.")
@click.option(
    "--iters", type=int, metavar="N", help="The same in iterations; saves ten times, evaluates at most so often."
)
@click.option("--batch-size", type=int, metavar="N", help="Images per device.")
@click.option("--lr", type=float, help="Learning rate.")
@click.option(
    "--pretrained",
    metavar="FILE|URL|official|none",
    shell_complete=completing.weight_files,
    help="Weights to start from. Default: what `pdx config NAME` shows, mostly the published ones (downloaded once).",
)
@click.option("--resume", is_flag=True, help="Continue the run in --output; NAME and --data can be left out.")
@click.option("--nproc", type=click.IntRange(min=1), metavar="N", help="Processes, with --device cpu or gpu.")
@config_options
@json_option
def train(
    name: str | None,
    data: str | None,
    epochs: int | None,
    iters: int | None,
    batch_size: int | None,
    lr: float | None,
    pretrained: str | None,
    resume: bool,
    nproc: int | None,
    options: ConfigOptions,
    as_json: bool,
) -> None:
    """Train the model NAME on a dataset; evaluates, keeps the best, and exports it for prediction.

    \b
        pdx train PP-LCNet_x1_0 --data flowers
        pdx train ResNet50 --data flowers --pretrained none        (offline: no download)
        pdx train --resume --output output                         (after Ctrl-C or a crash)

    Everything is written to --output (default: output). A run that is already there is moved to previous_1,
    previous_2 ... in that folder, never overwritten. Ctrl-C and SIGTERM save a checkpoint; the exit code is then 130 or
    143. Several cards: --device gpu:0,1. Several processes on a CPU: --device cpu --nproc 2.
    """
    if epochs is not None and iters is not None:
        raise ConfigError("--epochs and --iters exclude each other; give one")
    flags: dict[str, Any] = {
        "Global.dataset_dir": data,
        "Train.epochs_iters": epochs if iters is None else iters,
        "Train.unit": None if iters is None else "iteration",
        "Train.batch_size": batch_size,
        "Train.learning_rate": lr,
        "Train.pretrain_weight_path": pretrained,
        "Train.resume_path": "last" if resume else None,
    }
    resolved = _resolve(name, options, {key: value for key, value in flags.items() if value is not None})
    from pdx_core.train.run import train as run_train

    result = run_train(resolved, nproc)
    if as_json:
        echo_json(result)
        return
    output = resolved.config.global_.output
    click.echo(f"best {result['metric']}: {result['best_score']:.4f}")
    click.echo(f"  weights         {output}/{result['models']['best']['pdparams']}")
    click.echo(f"  exported model  {output}/best_model/inference")
    click.echo(f"  curves, logs    {output}/curves.png  {output}/log.csv  {output}/train.log")


def _resolve(name: str | None, options: ConfigOptions, flags: dict[str, Any]) -> Resolved:
    """The configuration, with the defaults that only this command has."""
    from pathlib import Path

    if name is None and options.file is None and "Train.resume_path" in flags:
        run = options.output or "output"
        if not (Path(run) / "config.yaml").is_file():
            raise ConfigError(f"nothing to resume: there is no run in {run}; name its folder with --output")
        return options.resolve(run, {**flags, "Global.output": run})
    if name is None and options.file is None:
        raise ConfigError("which model? `pdx train NAME --data DIR`; `pdx models` lists the names")
    resolved = options.resolve(name, flags)
    extra = _intervals(resolved, flags)
    return options.resolve(name, {**flags, **extra}) if extra else resolved


def _intervals(resolved: Resolved, flags: dict[str, Any]) -> dict[str, Any]:
    """Intervals meant for epochs would evaluate after every iteration; a short trial needs only one."""
    if flags.get("Train.unit") != "iteration":
        return {}
    tenth = max(1, flags["Train.epochs_iters"] // 10)
    intervals = {"Train.eval_interval": max(_SHORTEST_INTERVAL, tenth), "Train.save_interval": tenth}
    return {key: interval for key, interval in intervals.items() if not _said_by_user(resolved, key)}


def _said_by_user(resolved: Resolved, key: str) -> bool:
    origin = resolved.origins.get(key, "model")
    return not origin.startswith(("model", "task", "recipe"))
