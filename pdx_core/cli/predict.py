"""`pdx predict`."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import click

from pdx_core.cli import completing
from pdx_core.cli.options import device_option, json_option
from pdx_core.errors import PdxError, WorkFailedError


@click.command()
@click.argument("model", shell_complete=completing.models_or_folders)
@click.argument("inputs", nargs=-1, metavar="INPUT...", shell_complete=completing.files)
@click.option(
    "--weights",
    metavar="FILE",
    shell_complete=completing.files,
    help="Weight file for MODEL, run without exporting it.",
)
@click.option(
    "--output",
    "--out",
    "--save",
    "output",
    metavar="DIR",
    shell_complete=completing.folders,
    help="Save a picture and a JSON file per image here.",
)
@click.option("--topk", type=int, metavar="N", help="Number of classes per image.")
@click.option("--threshold", type=float, metavar="SCORE", help="Leave out what scores lower (where the task has it).")
@click.option("--tile", type=int, metavar="PIXELS", help="Cut larger images into tiles of this side; 0: never.")
@click.option("--overlap", type=float, metavar="SHARE", help="Share of a tile that its neighbour has too.")
@click.option(
    "--batch-size", type=int, default=1, show_default=True, metavar="N", help="Images per run of the network."
)
@click.option(
    "--runtime",
    default="auto",
    shell_complete=completing.runtimes,
    show_default=True,
    help="auto, paddle, paddle_onednn ...: see `pdx plugins`.",
)
@click.option("--threads", type=int, metavar="N", help="Threads of the CPU math library.")
@click.option("--workers", type=int, default=2, show_default=True, help="Threads that read and prepare images.")
@click.option("--hpip", is_flag=True, help="Try all runtimes on this machine once and take the fastest right one.")
@device_option
@json_option
def predict(
    model: str,
    inputs: tuple[str, ...],
    weights: str | None,
    output: str | None,
    batch_size: int,
    runtime: str,
    threads: int | None,
    hpip: bool,
    device: str,
    as_json: bool,
    **options: Any,
) -> None:
    """Run MODEL on images.

    MODEL is the folder of an exported model, a run folder, or a name such as PP-LCNet_x1_0 (with --weights, or the
    published ones, downloaded once). INPUT is an image, a folder, a pattern in quotes, a video or a URL.

    One line per image goes to stdout; with --json one JSON object per line. Images that cannot be read are reported and
    left out, and the exit code is then 1.
    """
    if not inputs:
        raise PdxError(f"nothing to predict on; write: pdx predict {model} INPUT... (MODEL comes first)")
    from pdx_core.predict import create_model

    given = {name: value for name, value in options.items() if value is not None}
    loaded = create_model(
        **_model(model, weights), device=device, runtime=runtime, threads=threads, use_hpip=hpip, **given
    )
    started, count = time.perf_counter(), 0
    for result in loaded.predict(list(inputs), batch_size=batch_size, broken_images="skip"):
        count += 1
        if output is not None:
            result.save_all(output)
        if as_json:
            click.echo(json.dumps(result.json, ensure_ascii=False))
        else:
            frame = "" if result.frame_index is None else f" frame {result.frame_index}"
            click.echo(f"{result.input_path}{frame}: {result.summary}")
    seconds = time.perf_counter() - started
    click.echo(f"{count} images in {seconds:.2f} s", err=True)
    if output is not None and count:
        click.echo(f"pictures and JSON files: {output}", err=True)
    if loaded.failures:
        raise WorkFailedError(f"{len(loaded.failures)} of {count + len(loaded.failures)} images could not be read")


def _model(model: str, weights: str | None) -> dict[str, Any]:
    """What `create_model` is told: a folder when there is one of that name, else the name of the zoo."""
    path = Path(model)
    if weights is not None:
        return {"model_name": model, "weights": weights}
    if path.is_dir():
        return {"model_dir": model}
    if path.is_file():
        raise PdxError(
            f"{model} is a file; write: pdx predict MODEL {model} (MODEL is a folder or a name, and comes first)"
        )
    if "/" in model or "\\" in model:
        raise PdxError(f"no folder {model}; MODEL is the folder of an exported model, a run folder, or a model's name")
    return {"model_name": model}
