"""`pdx weights FILE`: what is in a weight file, without running anything from it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from pdx_core.cli import completing
from pdx_core.cli.options import echo_json, json_option


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--model",
    metavar="NAME",
    shell_complete=completing.models,
    help="Say whether the weights fit this model, and under whose names.",
)
@json_option
def weights(file: Path, model: str | None, as_json: bool) -> None:
    """List the tensors of a weight file (.pdparams, .pdema, .safetensors), its size and its SHA-256.

    A file that pdx refuses is shown by the Python objects that it asks for; nothing of it is ever run.
    """
    from pdx_core.errors import WeightsError
    from pdx_core.weight_files import read_weights

    try:
        tensors = read_weights(file)
    except WeightsError:
        asked = _globals(file)
        if asked:
            click.echo(f"{file} asks for these Python objects:")
            for name, count in sorted(asked.items()):
                click.echo(f"  {name if name.isprintable() else repr(name)}  ({count} times)")
        raise
    described = _describe(file, tensors)
    if model is not None:
        described["fit"] = _fit(model, file)
    if as_json:
        echo_json(described)
        return
    width = max(len(name) for name in tensors)
    for tensor in described["tensors"]:
        name = tensor["name"] if tensor["name"].isprintable() else repr(tensor["name"])
        click.echo(f"{name:<{width}}  {tensor['dtype']:<8} {tensor['shape']}")
    click.echo(f"{len(tensors)} tensors, {described['elements']:,} elements, {described['size_bytes']:,} bytes")
    click.echo(f"sha256 {described['sha256']}")
    if model is not None:
        click.echo(described["fit"])


def _describe(file: Path, tensors: dict[str, Any]) -> dict[str, Any]:
    from pdx_core.weight_files import existing_file, file_sha256

    file = existing_file(file)
    with file.open("rb") as stream:
        digest = file_sha256(stream)
    return {
        "file": str(file),
        "size_bytes": file.stat().st_size,
        "sha256": digest,
        "elements": sum(tensor.size for tensor in tensors.values()),
        "tensors": [
            {"name": name, "dtype": str(tensor.dtype), "shape": list(tensor.shape)} for name, tensor in tensors.items()
        ],
    }


def _fit(model: str, file: Path) -> str:
    from pdx_core.train.network import build_network
    from pdx_core.weights import load_weights

    report = load_weights(build_network(model), file)
    return f"They fit {model} completely ({report.dialect} names)."


def _globals(file: Path) -> dict[str, int]:
    from pdx_core.pickle_reader import list_globals

    if not file.is_file():
        return {}
    with file.open("rb") as stream:
        is_pickle = stream.read(1) == b"\x80"
        stream.seek(0)
        return dict(list_globals(stream)) if is_pickle else {}
