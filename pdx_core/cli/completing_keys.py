"""Completes `-o KEY=VALUE` from the classes of the configuration and the options of components, a level at a time.

Tr              -> Train.
Train.opt       -> Train.optimizer.
Train.unit=     -> Train.unit=epoch  Train.unit=iteration
Model.backbone. -> Model.backbone.name=  and the options of the model's backbone
"""

from __future__ import annotations

import os
import types
import typing
from pathlib import Path
from typing import Any

import attrs
import click
from click.shell_completion import CompletionItem

from pdx_core.cli import completing
from pdx_core.config_fields import fields_by_key, join
from pdx_core.errors import PdxError
from pdx_core.plugins import get_registry
from pdx_core.settings import Component, RunConfig

# keys whose values are names of something, or words
_NAMED = {
    "Global.model": completing.models,
    "Global.recipe": completing.recipes,
    "Global.device": completing.devices,
    "Predict.kernel_option.run_mode": completing.runtimes,
}
_PATH_ENDINGS = ("_dir", "_path", ".output", ".input")
# where the records say which component is meant when the user does not
_OWNERS = {"Model.backbone": "backbone", "Model.neck": "neck", "Model.head": "head"}


def keys_and_values(ctx: click.Context, incomplete: str) -> list[CompletionItem]:
    """What may follow; nothing where the beginning is wrong."""
    key, equals, value = incomplete.partition("=")
    if not equals:
        return _keys(ctx, key)
    found = [(f"{key}={item.value}", item.type) for item in _values(ctx, key, value)]
    return [CompletionItem(text, type=kind) for text, kind in found]


def _keys(ctx: click.Context, key: str) -> list[CompletionItem]:
    parent, _, start = key.rpartition(".")
    fields = _fields(ctx, parent)
    found = []
    for name, (field, hint) in fields.items():
        if not name.lower().startswith(start.lower()):
            continue
        path = join(parent, name)
        section = isinstance(hint, type) and attrs.has(hint) and hint is not Component
        if not section:
            found.append(path + "=")
        if section or field.metadata.get("kind"):
            found.append(path + ".")
    return [CompletionItem(path, type="stem") for path in found]


def _fields(ctx: click.Context, path: str) -> dict[str, tuple[Any, Any]]:
    """Field and type of each key below a section or component; {} where the path leads nowhere."""
    wanted: type = RunConfig
    parts = path.split(".") if path else []
    for position, part in enumerate(parts):
        field, hint = fields_by_key(wanted).get(part, (None, None))
        if field is None:
            return {}
        if kind := field.metadata.get("kind"):
            return _options(ctx, kind, path) if position == len(parts) - 1 else {}
        if not (isinstance(hint, type) and attrs.has(hint)):
            return {}
        wanted = hint
    return fields_by_key(wanted)


def _options(ctx: click.Context, kind: str, path: str) -> dict[str, tuple[Any, Any]]:
    """`name` and the options of the component that is meant."""
    name_field = {"name": fields_by_key(Component)["name"]}
    name = _component_name(ctx, path)
    if name is None:
        return name_field
    model = completing.model_of(ctx)
    try:
        options = get_registry().resolve(kind, name, task=model.task if model else None).options_class()
    except (PdxError, ImportError):  # the command itself says what is wrong
        return name_field
    return {**name_field, **(fields_by_key(options) if options is not None else {})}


def _component_name(ctx: click.Context, path: str) -> str | None:
    """What `-o` says so far, else the record of the model."""
    for override in reversed(ctx.params.get("overrides") or ()):
        key, _, value = override.partition("=")
        if key in (path, f"{path}.name"):
            return value
    model = completing.model_of(ctx)
    if model is None:
        return None
    if path == "Evaluate.metric":
        return get_registry().find("tasks", model.task).metric
    return getattr(model, _OWNERS[path]) if path in _OWNERS else None


def _values(ctx: click.Context, key: str, start: str) -> list[CompletionItem]:
    if key in _NAMED:
        return _NAMED[key](ctx, None, start)
    parent, _, last = key.rpartition(".")
    field, hint = _fields(ctx, parent).get(last, (None, None))
    if field is None:
        return []
    kind = field.metadata.get("kind")
    if kind is None and last == "name":
        section, _, name = parent.rpartition(".")
        kind = _fields(ctx, section)[name][0].metadata.get("kind")
    if kind:
        model = completing.model_of(ctx)
        tasked = model is not None and kind in ("heads", "metrics", "dataset_readers")
        return completing.matching(completing.names_of(kind, model.task if tasked else None), start)
    if key.endswith(_PATH_ENDINGS):
        return _paths(start)
    return completing.matching(_choices(hint), start)


def _choices(hint: Any) -> list[str]:
    """The words that a type allows, as they are written in YAML."""
    if hint is bool:
        return ["true", "false"]
    if typing.get_origin(hint) is typing.Literal:
        return [str(choice) for choice in typing.get_args(hint)]
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        return [choice for part in typing.get_args(hint) for choice in _choices(part)]
    return []


def _paths(start: str) -> list[CompletionItem]:
    """Files and folders; the shell cannot do it, for it does not look behind the `=`."""
    folder, separator, name = start.rpartition("/")
    try:
        entries = sorted(
            os.scandir(Path(folder or "/" if separator else ".").expanduser()), key=lambda entry: entry.name
        )
    except OSError:
        return []
    found = []
    for entry in entries:
        if entry.name.startswith(name) and (name.startswith(".") or not entry.name.startswith(".")):
            is_folder = entry.is_dir()
            path = folder + separator + entry.name + "/" * is_folder
            found.append(CompletionItem(path, type="stem" if is_folder else "plain"))
    return found
