"""`pdx models`."""

from __future__ import annotations

from typing import Any

import attrs
import click

from pdx_core.cli import completing
from pdx_core.cli.options import echo_json, json_option
from pdx_core.cli.table import echo_table
from pdx_core.errors import UnknownNameError, did_you_mean, fold_name
from pdx_core.plugins import Entry, get_registry
from pdx_core.specs import ModelSpec, Score


@click.command()
@click.argument("query", required=False, shell_complete=completing.models)
@click.option("--task", metavar="TASK", shell_complete=completing.tasks, help="Only models of one task, such as cls.")
@json_option
def models(query: str | None, task: str | None, as_json: bool) -> None:
    """List the models that the installed plugins offer; with QUERY those that have it in name, family or summary."""
    registry = get_registry()
    entries = registry.entries("models")
    if task is not None:
        tasks = {fold_name(entry.spec.task): entry.spec.task for entry in entries}
        if fold_name(task) not in tasks:
            task = registry.find("tasks", task, "--task").name
        entries = [entry for entry in entries if fold_name(entry.spec.task) == fold_name(task)]
    if query is not None:
        known = entries
        entries = [entry for entry in entries if _matches(entry.spec, fold_name(query))]
        if not entries and not as_json:
            hint = did_you_mean(query, [entry.spec.name for entry in known])
            raise UnknownNameError(f"no model has {query!r} in its name.{hint}{registry.problem_note()}")
    if as_json:
        echo_json([describe(entry) for entry in entries])
    else:
        if entries:
            rows = [_row(entry) for entry in entries]
            echo_table(("model", "task", "score", "params", "file", "plugin"), rows, right=("params", "file"))
        click.echo(f"{len(entries)} model{'s' * (len(entries) != 1)}. `pdx info NAME` tells more.", err=True)
        for problem in [*registry.problems, *registry.misfits()]:
            click.echo(f"Warning: {problem}", err=True)


def describe(entry: Entry) -> dict[str, Any]:
    """A record as plain values."""
    return {"plugin": entry.plugin, **attrs.asdict(entry.spec)}


def _matches(spec: ModelSpec, folded: str) -> bool:
    return any(folded in fold_name(text) for text in (spec.name, spec.family, spec.summary, *spec.aliases))


def _row(entry: Entry) -> tuple[str, ...]:
    spec = entry.spec
    return (
        spec.name,
        spec.task,
        show_score(spec.scores[0]) if spec.scores else "",
        f"{spec.params / 1e6:.2f} M" if spec.params else "",
        f"{spec.file_mb:g} MB" if spec.file_mb else "",
        entry.plugin,
    )


def show_score(score: Score) -> str:
    """Such as "top1 76.5 %", with a mark when the number is our own measurement."""
    text = f"{score.metric} {score.value:g} {score.unit}".rstrip()
    return text if score.source == "published" else f"{text} (ours)"
