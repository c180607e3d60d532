"""`pdx run`: the door for people who come from PaddleX."""

from __future__ import annotations

from typing import Any

import click

from pdx_core.cli.options import ConfigOptions, config_options


@click.command()
@config_options
def run(options: ConfigOptions) -> None:
    """Do what Global.mode of a configuration says: check_dataset, train, evaluate, export or predict.

    A PaddleX 3 file is read as it is. When FILE does not exist but is named after a model, its defaults are used:

        pdx run -c PP-LCNet_x1_0.yaml -o Global.mode=train -o Global.dataset_dir=./dataset
    """
    resolved = options.resolve()
    MODES[resolved.config.global_.mode](resolved)


def _check_dataset(resolved: Any) -> None:
    from pdx_core.data.check import run_check

    run_check(resolved)


def _train(resolved: Any) -> None:
    from pdx_core.train.run import train

    train(resolved)


def _evaluate(resolved: Any) -> None:
    from pdx_core.train.run import evaluate

    for key, value in evaluate(resolved)["metrics"].items():
        click.echo(f"{key:<24} {value:.4f}")


def _export(resolved: Any) -> None:
    from pdx_core.train.export import export

    export(resolved)


def _predict(resolved: Any) -> None:
    from pdx_core.predict import run_predict

    run_predict(resolved)


MODES = {
    "check_dataset": _check_dataset,
    "train": _train,
    "evaluate": _evaluate,
    "export": _export,
    "predict": _predict,
}
