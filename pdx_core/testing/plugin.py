"""All checks of one plugin: its module, each of its records, and the components behind them."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pdx_core.errors import UnknownNameError, did_you_mean, fold_name
from pdx_core.plugins import PluginInfo, Registry, get_registry
from pdx_core.specs import KINDS
from pdx_core.testing import light_import, records
from pdx_core.testing.checks import Check, checks_from, fail

# kind -> the module of the kit that checks its components, in the order in which they are checked
_MODULES = {
    "tasks": "tasks",
    "backbones": "backbones",
    "necks": "necks",
    "heads": "heads",
    "models": "models",
    "dataset_readers": "readers",
    "metrics": "metrics",
    "predictors": "predictors",
    "runtimes": "runtimes",
    "commands": "commands",
}


def plugin_checks(name: str, *components: str, every_record: bool = False, networks: bool = True) -> list[Check]:
    """The checks of an installed plugin.

    name:         of the plugin ("tinynet"), its module ("pdx_tinynet.plugin") or its distribution ("pdx-tinynet")
    components:   names of records; then only these are checked. "backbone TinyNet" where several kinds share a name
    every_record: build every record; otherwise of the records that share a network only the smallest is built, and the
                  others are only looked at. What `components` names is built in any case
    networks:     False leaves out what takes long: building, training and exporting trunks, necks, heads and models

    Raises UnknownNameError when no such plugin is installed, or it does not offer such a component.
    """
    registry = get_registry()
    info = find_plugin(registry, name)
    checks = checks_from(f"plugin {info.name}", (loads_without_problems,), registry, info)
    if info.status != "loaded":
        return checks
    checks += checks_from(f"plugin {info.name}", light_import.CHECKS, info.module)
    specs = records_of(registry, info)
    if components:
        chosen = [spec for component in components for spec in called(component, specs, info.name)]
        specs = [spec for spec in specs if spec in chosen]
    for kind in _MODULES:
        own = [spec for spec in specs if spec.kind == kind]
        for spec in own:
            checks += record_checks(spec)
        for spec in own if every_record or components else representatives(kind, own):
            checks += component_checks(spec, networks)
    return checks


def records_of(registry: Registry, info: PluginInfo) -> list[Any]:
    """What a plugin offers, in the order in which it is checked."""
    return [entry.spec for kind in _MODULES for entry in registry.entries(kind) if entry.plugin == info.name]


def called(name: str, specs: Sequence[Any], plugin: str) -> list[Any]:
    """The records of this name, which is unique within a kind only. Raises UnknownNameError when there is none."""
    found = [spec for spec in specs if fold_name(name) in map(fold_name, (spec.name, *spec.aliases, subject_of(spec)))]
    if not found:
        raise UnknownNameError(
            f"the plugin {plugin} offers no {name!r}.{did_you_mean(name, [spec.name for spec in specs])} "
            f"`pdx plugins {plugin}` lists what it offers"
        )
    return found


def record_checks(spec: Any) -> list[Check]:
    """What is looked at without building anything."""
    return checks_from(subject_of(spec), records.CHECKS, spec)


def component_checks(spec: Any, networks: bool = True) -> list[Check]:
    """What is tried on the component itself; `spec` is a record of any kind, registered or not."""
    module = importlib.import_module(f"pdx_core.testing.{_MODULES[spec.kind]}")
    functions = module.CHECKS if networks else getattr(module, "LIGHT_CHECKS", module.CHECKS)
    return checks_from(subject_of(spec), functions, spec)


def subject_of(spec: Any) -> str:
    """ "backbone TinyNet"; with its task where names are unique per task only."""
    label = spec.kind.replace("_", " ").removesuffix("s")
    return f"{label} {spec.task}/{spec.name}" if spec.per_task else f"{label} {spec.name}"


def representatives(kind: str, specs: Sequence[Any]) -> list[Any]:
    """One record for each piece of code, the smallest: the others differ from it in numbers only."""
    keys: dict[str, Callable[[Any], Any]] = {
        "models": lambda spec: (spec.task, _target("backbones", spec.backbone), spec.neck, spec.head)
    }
    size: dict[str, Callable[[Any], Any]] = {
        "models": lambda spec: spec.params or 0,
        "backbones": lambda spec: (sum(spec.channels), sum(_numbers(spec.arguments))),
    }
    chosen: dict[Any, Any] = {}
    key = keys.get(kind, lambda spec: (spec.target, getattr(spec, "task", "")))
    if kind not in ("models", "backbones", "necks", "heads"):
        return list(specs)
    for spec in sorted(specs, key=size.get(kind, lambda spec: 0)):
        chosen.setdefault(key(spec), spec)
    return list(chosen.values())


def _numbers(arguments: Mapping[str, Any]) -> list[float]:
    """Depths and widths: of trunks with equal channels they tell which one is smaller."""
    return [value for value in arguments.values() if isinstance(value, (int, float)) and not isinstance(value, bool)]


def find_plugin(registry: Registry, name: str) -> PluginInfo:
    """The plugin that `name` means. Raises UnknownNameError."""
    infos = registry.plugins
    for read in (lambda info: info.name, lambda info: info.module, lambda info: info.distribution):
        for info in infos:
            if fold_name(read(info)) == fold_name(name):
                return info
    for info in infos:  # the package instead of its module
        if info.module.partition(".")[0] == name:
            return info
    known = [word for info in infos for word in (info.name, info.module)]
    raise UnknownNameError(
        f"no plugin {name!r} is installed.{did_you_mean(name, known)} `pdx plugins` lists them; one that you are "
        "writing is installed with `pip install -e FOLDER`"
    )


def loads_without_problems(registry: Registry, info: PluginInfo) -> None:
    """The plugin is found, imported, and every record is accepted; no name of it is somebody else's."""
    if info.status == "disabled":
        fail(f"the plugin {info.name} is switched off", f"take {info.name} out of PDX_DISABLE_PLUGINS")
    mine = [problem for problem in [*registry.problems, *registry.misfits()] if problem.plugin == info.name]
    if mine:
        seen = "\n    ".join(f"{problem.stage}: {problem.error}" for problem in mine)
        fail(seen, f"see {info.module}; `pdx plugins --json` has the tracebacks")
    for kind in KINDS:
        others = {
            (fold_name(entry.spec.name), entry.spec.task if entry.spec.per_task else ""): entry.full_name
            for entry in registry.entries(kind)
            if entry.plugin != info.name
        }
        for entry in registry.entries(kind):
            key = fold_name(entry.spec.name), entry.spec.task if entry.spec.per_task else ""
            if entry.plugin == info.name and key in others:
                fail(
                    f"{subject_of(entry.spec)} has the name of {others[key]}, so neither can be called by it alone",
                    "give the record another name",
                )


def _target(kind: str, name: str) -> str:
    try:
        return get_registry().resolve(kind, name).target
    except UnknownNameError:
        return name
