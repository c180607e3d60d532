"""`pdx plugins`."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from typing import Any

import click

import pdx_core
from pdx_core.cli import completing, hidden_commands
from pdx_core.cli.options import echo_json, json_option
from pdx_core.cli.table import echo_table
from pdx_core.errors import UnknownNameError, did_you_mean, fold_name
from pdx_core.plugins import PluginInfo, Problem, Registry, get_registry
from pdx_core.specs import KINDS


@click.command()
@click.argument("names", nargs=-1, metavar="NAME...", shell_complete=completing.plugins)
@json_option
def plugins(names: tuple[str, ...], as_json: bool) -> None:
    """List the installed plugins, what each offers, and what is wrong with them.

    With NAME of a plugin: all that it offers, where its files are, and its problems with their tracebacks.

    PDX_DISABLE_PLUGINS=name,name leaves plugins out; PDX_STRICT=1 stops at the first problem; PDX_TRACE=1 tells on
    stderr how long loading and each hook took.
    """
    registry = get_registry()
    problems = [*registry.problems, *registry.misfits(), *hidden_commands()]
    wanted = _wanted(names, registry, problems)
    infos = [info for info in registry.plugins if info.name in wanted]
    problems = [problem for problem in problems if problem.plugin in wanted]
    notices = [notice for notice in registry.notices if notice.plugin in wanted]
    if as_json:
        echo_json(
            {
                "pdx_core": pdx_core.__version__,
                "hook_api": pdx_core.HOOK_API,
                "supported_apis": sorted(pdx_core.SUPPORTED_APIS),
                "plugins": [_as_dict(info, registry) for info in infos],
                "problems": [problem.as_dict() for problem in problems],
                "notices": [notice.as_dict() for notice in notices],
            }
        )
    elif names:
        for info in infos:
            _show(info, registry)
        _tell("problems", problems, full=True)
        _tell("notices", notices)
    else:
        _show_table(infos, registry, problems)
        _tell("problems", problems)
        _tell("notices", notices)
        if problems:
            click.echo("`pdx plugins NAME` tells the full story of one plugin.", err=True)


def _wanted(names: Sequence[str], registry: Registry, problems: Sequence[Problem]) -> set[str]:
    """The plugins that are meant; a distribution with a problem may have no plugin that was found."""
    known = {info.name for info in registry.plugins} | {problem.plugin for problem in problems}
    if not names:
        return known
    spelled = {fold_name(name): name for name in sorted(known)}
    for name in names:
        if fold_name(name) not in spelled:
            raise UnknownNameError(f"no plugin named {name!r}.{did_you_mean(name, known)} `pdx plugins` lists them.")
    return {spelled[fold_name(name)] for name in names}


def _show_table(infos: Sequence[PluginInfo], registry: Registry, problems: Sequence[Problem]) -> None:
    rows = []
    for info in infos:
        components = _components(registry, info.name)
        offers = ", ".join(f"{len(names)} {kind.replace('_', ' ')}" for kind, names in components.items())
        faults = sum(problem.plugin == info.name for problem in problems)
        status = f"{info.status}, {faults} problem{'s' * (faults > 1)}" if faults else info.status
        rows.append((info.name, status, f"{info.distribution} {info.version}", offers))
    echo_table(("plugin", "status", "distribution", "offers"), rows)


def _show(info: PluginInfo, registry: Registry) -> None:
    """Everything about one plugin."""
    click.echo(f"{info.name}: {info.status}")
    click.echo(f"  distribution  {info.distribution} {info.version}")
    click.echo(f"  module        {info.module} ({_file(info) or 'not found'})")
    if info.api is not None:
        click.echo(f"  hook API      {info.api}")
    if info.hooks:
        click.echo(f"  hooks         {', '.join(info.hooks)}")
    for kind, names in _components(registry, info.name).items():
        click.echo(f"  {kind.replace('_', ' ')}: {', '.join(names)}")


def _tell(title: str, found: Sequence[Problem], full: bool = False) -> None:
    if found:
        click.echo(f"\n{title}")
    for problem in found:
        click.echo(f"  {problem}")
        for line in problem.details.splitlines() if full else ():
            click.echo(f"    {line}")


def _as_dict(info: PluginInfo, registry: Registry) -> dict[str, Any]:
    components = _components(registry, info.name)
    offers = {kind: len(names) for kind, names in components.items()}
    return {**info.as_dict(), "file": _file(info), "offers": offers, "components": components}


def _components(registry: Registry, plugin: str) -> dict[str, list[str]]:
    """Names by kind, of the kinds that the plugin offers."""
    names = {kind: [entry.spec.name for entry in registry.entries(kind) if entry.plugin == plugin] for kind in KINDS}
    return {kind: found for kind, found in names.items() if found}


def _file(info: PluginInfo) -> str | None:
    """Where the plugin's module is, loaded or not."""
    try:
        found = importlib.util.find_spec(info.entry_point.module)
    except (ImportError, AttributeError, ValueError):
        return None
    return found.origin if found is not None else None
