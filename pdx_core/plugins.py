"""Finds plugins, keeps a broken one from breaking the others, and looks components up by name."""

from __future__ import annotations

import contextlib
import functools
import importlib.metadata
import os
import sys
from collections.abc import Iterable
from types import FunctionType, MethodType, ModuleType
from typing import Any

import attrs
import pluggy

from pdx_core import hook_api, hookspecs
from pdx_core.entry_points import distribution_of, installed_plugins
from pdx_core.errors import PluginError, UnknownNameError, did_you_mean, fold_name
from pdx_core.plugin_problems import Problem, remedy_for
from pdx_core.plugin_trace import Trace
from pdx_core.specs import HOOK_RECORDS, Spec

MOST_RECORDS = 10_000  # of one hook; a generator that never ends would hang every command
DISABLE_VARIABLE = "PDX_DISABLE_PLUGINS"
STRICT_VARIABLE = "PDX_STRICT"


@attrs.frozen
class PluginInfo:
    """One plugin that was found, loaded or not."""

    entry_point: importlib.metadata.EntryPoint
    status: str  # "loaded", "disabled", "failed"
    hooks: tuple[str, ...] = ()
    api: int | None = None  # the number it was written for; None where it did not load

    @property
    def name(self) -> str:
        return self.entry_point.name

    @property
    def module(self) -> str:
        return self.entry_point.value

    # Read when asked for: parsing the metadata of fifty distributions would be felt in `pdx --help`.
    @property
    def distribution(self) -> str:
        return distribution_of(self.entry_point)[0]

    @property
    def version(self) -> str:
        return distribution_of(self.entry_point)[1]

    def as_dict(self) -> dict[str, Any]:
        """Plain values."""
        names = ("name", "module", "distribution", "version", "status", "api", "hooks")
        return {name: getattr(self, name) for name in names}


@attrs.frozen
class Entry:
    """A record together with the plugin that offers it."""

    plugin: str
    spec: Any

    @property
    def full_name(self) -> str:
        return f"{self.plugin}/{self.spec.name}"


class _Manager(pluggy.PluginManager):
    """pluggy inspects every name of a module statically, twice; with 200 plugins that was a fifth of `pdx --help`."""

    def parse_hookimpl_opts(self, plugin: Any, name: str) -> Any:
        if isinstance(plugin, ModuleType) and not isinstance(vars(plugin).get(name), (FunctionType, MethodType)):
            return None
        return super().parse_hookimpl_opts(plugin, name)


class Registry:
    """Everything the installed plugins offer. `entry_points` is injected by tests.

    `problems` are faults: what they belong to is left out. `notices` are about plugins that work for now.
    """

    def __init__(self, entry_points: Iterable[importlib.metadata.EntryPoint] | None = None) -> None:
        self.problems: list[Problem] = []
        self.notices: list[Problem] = []
        self._trace = Trace(self.problems)
        self.plugins: list[PluginInfo] = []
        self._entries: dict[str, list[Entry]] = {record.kind: [] for record in HOOK_RECORDS.values()}
        self._names: dict[tuple[str, str | None], dict[str, list[Entry]]] = {}
        self._strict = os.environ.get(STRICT_VARIABLE, "") not in ("", "0")
        self._manager = _Manager("pdx")
        self._manager.add_hookspecs(hookspecs)
        if entry_points is None:
            entry_points, damaged = installed_plugins()
            for distribution, version, error in damaged:
                message = f"entry_points.txt cannot be read: {type(error).__name__}: {error}"
                self.problems.append(Problem(distribution, version, "searching", message, error))
        disabled = {fold_name(name) for name in os.environ.get(DISABLE_VARIABLE, "").split(",") if name.strip()}
        seen: dict[str, str] = {}
        for entry_point in sorted(entry_points, key=lambda point: (point.name, point.value)):
            if seen.get(entry_point.name) == entry_point.value:
                continue  # the same distribution found twice on sys.path
            if entry_point.name in seen:
                self._record(entry_point, "loading", PluginError(f"two plugins are called {entry_point.name!r}"))
                continue
            seen[entry_point.name] = entry_point.value
            if fold_name(entry_point.name) in disabled:
                self._note(entry_point, "disabled")
            else:
                self._load(entry_point)
        for entries in self._entries.values():
            entries.sort(key=lambda entry: (fold_name(entry.spec.name), entry.plugin))

    # -- discovery ---------------------------------------------------------------------------------------------------
    def _load(self, entry_point: importlib.metadata.EntryPoint) -> None:
        with self._trace.step(entry_point.name, "loading"):
            imported = self._import(entry_point)
        if imported is None:
            self._note(entry_point, "failed")
            return
        module, hooks, number, old = imported
        for hook in hooks:
            with self._trace.step(entry_point.name, hook, self._entries[_kind(hook)]):
                self._collect(entry_point, hook, getattr(module, hook), old)
        self._note(entry_point, "loaded", hooks, number)

    def _import(
        self, entry_point: importlib.metadata.EntryPoint
    ) -> tuple[ModuleType, tuple[str, ...], int, hook_api.OldApi | None] | None:
        """The registered module, its hooks and the API it speaks, or None after recording why not."""
        heavy = loaded_heavy_modules()
        try:
            with contextlib.redirect_stdout(sys.stderr):  # what a plugin prints must not mix with results
                module = entry_point.load()
            number, old = hook_api.check_api(module, entry_point.value, hook_api.SUPPORTED_APIS)
            hooks = self._hooks_of(module)
            self._manager.register(module, name=entry_point.name)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # noqa: BLE001 - a plugin may raise anything; kept as a problem
            if self._manager.has_plugin(entry_point.name):
                self._manager.unregister(name=entry_point.name)
            self._record(entry_point, "loading", error)
            return None
        if old is not None:
            self._notice(entry_point, old.notice(number))
        if brought := [name for name in loaded_heavy_modules() if name not in heavy]:
            self._notice(
                entry_point,
                f"imports {' and '.join(brought)} when it is listed, which makes every command of pdx slow; "
                "let the records name what needs it by import path",
            )
        return module, hooks, number, old

    def _hooks_of(self, module: ModuleType) -> tuple[str, ...]:
        """The hooks it implements, sorted. Refuses misspelt ones, and those that pluggy would overlook: not marked."""
        hooks = []
        for attribute in dir(module):
            marked = self._manager.parse_hookimpl_opts(module, attribute) is not None
            if marked and attribute not in HOOK_RECORDS:
                raise PluginError(f"no hook named {attribute!r}.{did_you_mean(attribute, HOOK_RECORDS)}")
            if not marked and attribute in HOOK_RECORDS and isinstance(getattr(module, attribute), FunctionType):
                raise PluginError(f"{attribute} is not marked as a hook; put @hookimpl from pdx_core above it")
            if marked and (required := _required_arguments(getattr(module, attribute))):
                raise PluginError(f"{attribute} must take no argument; it has {', '.join(map(repr, required))}")
            if marked:
                hooks.append(attribute)
        return tuple(hooks)

    def _collect(
        self, entry_point: importlib.metadata.EntryPoint, hook: str, function: Any, old: hook_api.OldApi | None
    ) -> None:
        expected = HOOK_RECORDS[hook]
        known: set[tuple[str, str]] = set()
        twice: list[str] = []
        try:
            with contextlib.redirect_stdout(sys.stderr):
                offered = function()
            if isinstance(offered, Spec) or not isinstance(offered, Iterable):
                raise PluginError(f"must return an iterable of {expected.__name__}, got {type(offered).__name__}")
            for count, record in enumerate(offered):
                if count == MOST_RECORDS:
                    raise PluginError(f"yields more than {MOST_RECORDS} records; does it ever end?")
                if old is not None and old.translate is not None:
                    record = old.translate(hook, record)
                if not isinstance(record, expected):
                    raise PluginError(f"must yield {expected.__name__}, got {record!r}")
                identity = fold_name(record.name), _scope(record)
                if identity in known:
                    twice.append(record.name)
                    continue
                known.add(identity)
                self._entries[expected.kind].append(Entry(entry_point.name, record))
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # noqa: BLE001 - a plugin may raise anything; kept as a problem
            self._record(entry_point, hook, error)
        if twice:
            names = ", ".join(map(repr, sorted(set(twice))[:5]))
            self._record(entry_point, hook, PluginError(f"{names} is offered twice; the first is kept"))

    def _record(self, entry_point: importlib.metadata.EntryPoint, stage: str, error: BaseException) -> None:
        if self._strict:
            raise PluginError(f"{entry_point.name}: {stage}: {error}") from error
        message = str(error) if isinstance(error, PluginError) else f"{type(error).__name__}: {error}"
        distribution, version = distribution_of(entry_point)
        remedy = remedy_for(error, entry_point.module, distribution)
        self.problems.append(Problem(entry_point.name, version, stage, message, error, remedy))

    def _notice(self, entry_point: importlib.metadata.EntryPoint, text: str) -> None:
        self.notices.append(Problem(entry_point.name, distribution_of(entry_point)[1], "loading", text))

    def _note(
        self,
        entry_point: importlib.metadata.EntryPoint,
        status: str,
        hooks: tuple[str, ...] = (),
        api: int | None = None,
    ) -> None:
        self.plugins.append(PluginInfo(entry_point, status, hooks, api))

    # -- lookup ------------------------------------------------------------------------------------------------------
    def entries(self, kind: str) -> list[Entry]:
        """All records of a kind, sorted by name."""
        return list(self._entries[kind])

    def specs(self, kind: str) -> list[Any]:
        """All records of a kind without their plugins, sorted by name."""
        return [entry.spec for entry in self._entries[kind]]

    def find(self, kind: str, name: str, origin: str = "", task: str | None = None) -> Any:
        """The record called `name` (or an alias, or `plugin/name`), whatever its case and `-_.`.

        `origin` says where the name was written and appears in the message of UnknownNameError. `task` matters to the
        kinds whose names are unique per task only: its own records come before those of other tasks.
        """
        return self.find_entry(kind, name, origin, task).spec

    def find_entry(self, kind: str, name: str, origin: str = "", task: str | None = None) -> Entry:
        """Like `find`, with the plugin that offers it."""
        found = self._matching(kind, name, task) or self._matching(kind, name)
        if len(found) == 1:
            return found[0]
        where = f" (from {origin})" if origin else ""
        label = _singular(kind)
        if found:
            raise UnknownNameError(_ambiguous(label, name, where, found))
        message = f"no {label} named {name!r}{where}."
        message += did_you_mean(name, [entry.spec.name for entry in self._entries[kind]])
        raise UnknownNameError(message + self.problem_note())

    def tasks_with(self, kind: str, name: str) -> list[str]:
        """The tasks that have a record called `name` (or an alias, or `plugin/name`), sorted."""
        return sorted({entry.spec.task for entry in self._matching(kind, name)})

    def resolve(self, kind: str, reference: str, origin: str = "", task: str | None = None) -> Any:
        """Like `find`, and "package.module:Class" gives a record made up for that class."""
        if ":" in reference:
            try:
                return Spec(name=reference.rpartition(":")[2].rpartition(".")[2], target=reference)
            except PluginError:
                where = f" (from {origin})" if origin else ""
                raise UnknownNameError(f"{reference!r} is not of the form 'package.module:Class'{where}") from None
        return self.find(kind, reference, origin, task)

    def misfits(self) -> list[Problem]:
        """Models that name a task or component which nobody offers, as problems of the plugins with the models."""
        found = []
        infos = {info.name: info for info in self.plugins}
        for entry in self.entries("models"):
            named = {"tasks": entry.spec.task, "backbones": entry.spec.backbone, "heads": entry.spec.head}
            if entry.spec.neck:
                named["necks"] = entry.spec.neck
            for kind, name in named.items():
                try:
                    self.resolve(kind, name, f"the record of model {entry.spec.name!r}")
                except UnknownNameError as error:
                    reason = str(error).partition("\n")[0]
                    found.append(Problem(entry.plugin, infos[entry.plugin].version, "pdx_models", reason))
        return found

    def problem_note(self) -> str:
        """The lines shown under help and lookup errors, or nothing."""
        if not self.problems:
            return ""
        lines = ["", "Some plugins could not be loaded and may be the ones that provide it:"]
        return "\n".join(lines + [f"  {problem}" for problem in self.problems])

    def _matching(self, kind: str, name: str, task: str | None = None) -> list[Entry]:
        """The records called `name`: those of one task where names are kept per task and a task is given."""
        if not HOOK_RECORDS["pdx_" + kind].per_task:
            task = None
        key = (kind, task)
        if key not in self._names:
            entries = self._entries[kind]
            self._names[key] = _table([entry for entry in entries if task is None or entry.spec.task == task])
        return self._names[key].get(fold_name(name), [])


@functools.cache
def get_registry() -> Registry:
    """The registry of this process, built on first need."""
    return Registry()


def _table(entries: list[Entry]) -> dict[str, list[Entry]]:
    """Folded name -> records; an alias counts only where it is nobody's name (of that task, where it matters)."""
    table: dict[str, list[Entry]] = {}
    canonical = set()
    for entry in entries:
        for name in {fold_name(name) for name in (entry.spec.name, entry.full_name)}:
            table.setdefault(name, []).append(entry)
            canonical.add((name, _scope(entry.spec)))
    for entry in entries:
        for alias in {fold_name(alias) for alias in entry.spec.aliases}:
            if (alias, _scope(entry.spec)) not in canonical:
                table.setdefault(alias, []).append(entry)
    return table


def _scope(spec: Any) -> str:
    """Within what a record's name is unique: its task, or "" for all."""
    return spec.task if spec.per_task else ""


def _ambiguous(label: str, name: str, where: str, found: list[Entry]) -> str:
    """Why a name is not enough, and what to write instead."""
    full_names = sorted({entry.full_name for entry in found})
    choices = " or ".join(map(repr, full_names))
    tasks = sorted({_scope(entry.spec) for entry in found})
    if len(tasks) == 1:
        return f"{len(found)} plugins offer a {label} named {name!r}{where}: write {choices}"
    message = f"{len(tasks)} tasks have a {label} named {name!r}{where}: say with --task which ({' or '.join(tasks)})"
    return message + (f", or write {choices}" if len(full_names) == len(found) else "")


def _required_arguments(function: Any) -> tuple[str, ...]:
    """Names of the positional arguments of a plain function that have no default."""
    if not isinstance(function, FunctionType):
        return ()
    code = function.__code__
    return code.co_varnames[: code.co_argcount - len(function.__defaults__ or ())]


def _kind(hook: str) -> str:
    return HOOK_RECORDS[hook].kind


def _singular(kind: str) -> str:
    return kind.replace("_", " ").removesuffix("s")


def loaded_heavy_modules() -> list[str]:
    """Which of the heavy packages this process has imported; for tests of the light path."""
    return [name for name in ("paddle", "numpy", "cv2") if name in sys.modules]
