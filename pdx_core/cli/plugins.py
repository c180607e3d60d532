"""`pdx plugins`."""

from __future__ import annotations

import importlib.util
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import click

import pdx_core
from pdx_core.cli import completing, hidden_commands
from pdx_core.cli.options import echo_json, json_option
from pdx_core.cli.table import echo_table, line_width
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
    components = _components(registry)
    if as_json:
        echo_json(
            {
                "pdx_core": pdx_core.__version__,
                "hook_api": pdx_core.HOOK_API,
                "supported_apis": sorted(pdx_core.SUPPORTED_APIS),
                "plugins": [_as_dict(info, components[info.name]) for info in infos],
                "problems": [problem.as_dict() for problem in problems],
                "notices": [notice.as_dict() for notice in notices],
            }
        )
    elif names:
        for info in infos:
            _show(info, components[info.name])
        _tell("problems", problems, full=True)
        _tell("notices", notices)
    else:
        _show_table(infos, components, problems)
        _tell("problems", problems)
        _tell("notices", notices)
        faulty = len({problem.plugin for problem in problems})
        click.echo(f"\n{len(infos)} plugins, {faulty} with problems.", err=True)
        if problems:
            click.echo(
                "`pdx plugins NAME` tells the full story of one. If it is not yours: upgrade it with pip, tell its "
                "author, or leave it out with PDX_DISABLE_PLUGINS=NAME.",
                err=True,
            )


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


def _show_table(
    infos: Sequence[PluginInfo], components: Mapping[str, Mapping[str, list[str]]], problems: Sequence[Problem]
) -> None:
    """A line per plugin. Its distribution is left to `pdx plugins NAME`: most have the same name behind "pdx-"."""
    rows = []
    for info in infos:
        offers = ", ".join(_count(kind, len(names)) for kind, names in components[info.name].items())
        faults = sum(problem.plugin == info.name for problem in problems)
        status = f"{info.status}, {faults} problem{'s' * (faults > 1)}" if faults else info.status
        rows.append((info.name, info.version, status, offers))
    echo_table(("plugin", "version", "status", "offers"), rows, fold=True)


def _count(kind: str, count: int) -> str:
    words = kind.replace("_", " ")
    return f"{count} {words if count != 1 else words.removesuffix('s')}"


def _show(info: PluginInfo, components: Mapping[str, list[str]]) -> None:
    """Everything about one plugin."""
    click.echo(f"{info.name}: {info.status}")
    click.echo(f"  distribution  {info.distribution} {info.version}")
    click.echo(f"  module        {info.module} ({_file(info) or 'not found'})")
    if info.api is not None:
        click.echo(f"  hook API      {info.api}")
    if info.hooks:
        click.echo(f"  hooks         {', '.join(info.hooks)}")
    for kind, names in components.items():
        _echo_folded(f"{kind.replace('_', ' ')}: {', '.join(names)}", "  ", "    ")


def _tell(title: str, found: Sequence[Problem], full: bool = False) -> None:
    if found:
        click.echo(f"\n{title}")
    for problem in found:
        _echo_folded(" ".join(str(problem).split()), "  ", "      ")
        if problem.remedy:
            _echo_folded(f"-> {problem.remedy}", "      ", "         ")
        for line in problem.details.splitlines() if full else ():
            click.echo(f"      {line}")


def _echo_folded(text: str, indent: str, further: str) -> None:
    """One paragraph; on a terminal its lines end where words do."""
    width = line_width()
    click.echo(textwrap.fill(text, width, initial_indent=indent, subsequent_indent=further) if width else indent + text)


def _as_dict(info: PluginInfo, components: Mapping[str, list[str]]) -> dict[str, Any]:
    offers = {kind: len(names) for kind, names in components.items()}
    return {**info.as_dict(), "file": _file(info), "offers": offers, "components": dict(components)}


def _components(registry: Registry) -> dict[str, dict[str, list[str]]]:
    """Names by plugin and kind, of the kinds that a plugin offers."""
    found: dict[str, dict[str, list[str]]] = {info.name: {} for info in registry.plugins}
    for kind in KINDS:
        for entry in registry.entries(kind):
            found[entry.plugin].setdefault(kind, []).append(entry.spec.name)
    return found


def _file(info: PluginInfo) -> str | None:
    """Where the plugin's module is, loaded or not."""
    try:
        found = importlib.util.find_spec(info.entry_point.module)
    except (ImportError, AttributeError, ValueError):
        return None
    return found.origin if found is not None else None
