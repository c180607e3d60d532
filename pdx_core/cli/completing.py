"""What the shell offers when a word is completed: names of the registry, files, and keys and values of `-o`.

@click.argument("name", required=False, shell_complete=completing.models_or_files)

Every function takes the context as far as it was typed, the parameter and the unfinished word, as click asks for.
A `stem` is a word to which more belongs (`Train.`, `Train.unit=`): no blank is put behind it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import click
from click.shell_completion import CompletionItem

from pdx_core.errors import PdxError, fold_name
from pdx_core.plugins import get_registry

Items = list[CompletionItem]


def matching(names: Iterable[str], incomplete: str, kind: str = "plain") -> Items:
    """The names that start like the word; case and `-_.` do not count."""
    start = fold_name(incomplete)
    return [CompletionItem(name, type=kind) for name in dict.fromkeys(names) if fold_name(name).startswith(start)]


def files(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> Items:
    """Paths, completed by the shell itself."""
    return [CompletionItem(incomplete, type="file")]


def folders(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> Items:
    """Folders, completed by the shell itself."""
    return [CompletionItem(incomplete, type="dir")]


def models(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> Items:
    """Names of models, those of `--task` only where it was given."""
    return matching(names_of("models", ctx.params.get("task")), incomplete)


def models_or_files(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> Items:
    """A model, a YAML file or the folder of a run."""
    return [*files(ctx, parameter, incomplete), *models(ctx, parameter, incomplete)]


def models_or_folders(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> Items:
    """A model, or the folder of an exported one or of a run."""
    return [*folders(ctx, parameter, incomplete), *models(ctx, parameter, incomplete)]


def weight_files(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> Items:
    """A file, or the words that stand for one."""
    words = ["official", "none"] if parameter.name == "pretrained" else ["official"]
    return [*files(ctx, parameter, incomplete), *matching(words, incomplete)]


def tasks(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> Items:
    return matching(names_of("tasks"), incomplete)


def readers(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> Items:
    """Dataset formats, those of `--task` only where it was given."""
    return matching(names_of("dataset_readers", ctx.params.get("task")), incomplete)


def runtimes(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> Items:
    return matching(["auto", *names_of("runtimes")], incomplete)


def devices(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> Items:
    return matching(["auto", "cpu", "gpu", "gpu:0"], incomplete)


def recipes(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> Items:
    """The recipes of the model that was named."""
    spec = model_of(ctx)
    return matching(spec.recipes if spec is not None else (), incomplete)


def plugins(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> Items:
    """Names of plugins, those that did not load included."""
    return matching([info.name for info in get_registry().plugins], incomplete)


def components(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> Items:
    """Names of what the plugin that was named offers."""
    from pdx_core.testing.plugin import find_plugin, records_of

    registry = get_registry()
    try:
        info = find_plugin(registry, ctx.params.get("name") or "")
    except PdxError:
        return []
    return matching([spec.name for spec in records_of(registry, info)], incomplete)


def settings(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> Items:
    """KEY=VALUE of `-o`."""
    from pdx_core.cli.completing_keys import keys_and_values

    return keys_and_values(ctx, incomplete)


def names_of(kind: str, task: str | None = None) -> list[str]:
    """The names of all records of a kind, or of those for one task."""
    wanted = fold_name(task) if task else None
    specs = get_registry().specs(kind)
    return [spec.name for spec in specs if wanted is None or fold_name(spec.task) == wanted]


def model_of(ctx: click.Context) -> Any:
    """The record of the model that the command line names so far, or None."""
    name = ctx.params.get("name") or ctx.params.get("model")
    if name is None and ctx.args and any(parameter.name in ("name", "model") for parameter in ctx.command.params):
        name = ctx.args[0]  # click leaves the arguments there when the last option still lacks its value
    for override in ctx.params.get("overrides") or ():
        key, _, value = override.partition("=")
        name = value if key == "Global.model" else name
    try:
        return get_registry().find("models", name) if name else None
    except PdxError:
        return None
