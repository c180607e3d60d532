"""`pdx info`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import click

from pdx_core.cli import completing
from pdx_core.cli.models import describe, show_score
from pdx_core.cli.options import echo_json, json_option
from pdx_core.errors import PdxError
from pdx_core.plugins import Entry, get_registry
from pdx_core.specs import ModelSpec


@click.command()
@click.argument("name", shell_complete=completing.models)
@json_option
def info(name: str, as_json: bool) -> None:
    """Show what is known about one model: scores and who measured them, weights, preprocessing, training defaults."""
    entry = get_registry().find_entry("models", name, "pdx info")
    if as_json:
        echo_json(describe(entry))
        return
    for line in _lines(entry):
        click.echo(line)
    for problem in get_registry().misfits():
        if repr(entry.spec.name) in problem.error:
            click.echo(f"Warning: {problem}", err=True)


def _lines(entry: Entry) -> Iterator[str]:
    spec: ModelSpec = entry.spec
    yield f"{spec.name}: {spec.summary}" if spec.summary else spec.name
    if spec.deprecated:
        yield f"  deprecated    {spec.deprecated}"
    parts = " -> ".join(part for part in (spec.backbone, spec.neck, spec.head) if part)
    yield f"  task          {spec.task}"
    yield f"  plugin        {entry.plugin}"
    yield f"  parts         {parts}"
    yield f"  input         {spec.input_size[0]} x {spec.input_size[1]} (height x width)"
    if spec.num_classes:
        yield f"  classes       {spec.num_classes} in the published weights"
    if spec.params:
        yield f"  parameters    {spec.params:,}"
    if spec.aliases:
        yield f"  also called   {', '.join(spec.aliases)}"
    if spec.paper:
        yield f"  paper         {spec.paper}"
    yield from _scores(spec)
    yield from _weights(spec)
    if spec.preprocessing:
        yield "preprocessing"
        for step in spec.preprocessing:
            for transform, parameters in step.items():
                yield f"  {transform}{_parameters(parameters)}"
    yield from _training(spec)
    if spec.recipes:
        yield "recipes (pdx train NAME --recipe ...)"
        for recipe, overrides in spec.recipes.items():
            yield f"  {recipe}{_parameters(overrides)}"
    yield f"The complete configuration: pdx config {spec.name}"


def _scores(spec: ModelSpec) -> Iterator[str]:
    if spec.scores:
        yield "scores"
    for score in spec.scores:
        remarks = ", ".join(part for part in (score.dataset, score.note, f"{score.source}") if part)
        yield f"  {show_score(score).removesuffix(' (ours)'):<22} {remarks}"


def _weights(spec: ModelSpec) -> Iterator[str]:
    if spec.weights:
        yield "weights"
    for weights in spec.weights:
        size = f", {weights.size_bytes / 1e6:.1f} MB" if weights.size_bytes else ""
        checked = "sha256 known" if weights.sha256 else "no published checksum"
        yield f"  {weights.tag}: {weights.url}"
        remarks = ", ".join(part for part in (weights.licence or "licence not stated", weights.source, checked) if part)
        yield f"    {remarks}{size}"


def _training(spec: ModelSpec) -> Iterator[str]:
    """The defaults of `pdx train`, when the components that they belong to are installed."""
    from pdx_core.config import default_config

    try:
        train = default_config(spec.name).train
    except PdxError as error:
        yield f"training       not possible: {str(error).partition(chr(10))[0]}"
        return
    unit = {"epoch": "epochs", "iteration": "iterations"}[train.unit]
    yield "training defaults"
    yield f"  {train.epochs_iters} {unit}, batch {train.batch_size}, learning rate {train.learning_rate:g}"
    yield f"  {train.optimizer.name}, weight decay {train.optimizer.weight_decay:g}, {train.schedule.name} schedule"
    start = {None: "random parameters", "official": "the published weights"}.get(train.pretrain_weight_path)
    yield f"  starts from {start or train.pretrain_weight_path}"


def _parameters(parameters: Mapping[str, Any] | None) -> str:
    return "".join(f" {key}={value}" for key, value in (parameters or {}).items())
