"""What can be said about a record without building its component."""

from __future__ import annotations

import inspect
from typing import Any

import attrs

from pdx_core.errors import MissingDependencyError, PluginError
from pdx_core.paddle_support import require_paddle
from pdx_core.plugins import get_registry
from pdx_core.specs import import_target
from pdx_core.testing.checks import NotCheckable, fail

# fields that hold "package.module:object"
_PATHS = ("target", "options", "detect", "checker", "converter", "example", "demo", "result", "labels")


def record_is_well_formed(spec: Any) -> None:
    """It says in a sentence what it is, and every import path in it leads somewhere."""
    if not spec.summary and spec.kind not in ("models", "tasks"):
        fail("the record has no summary", 'add summary="..." with one line that says what it is')
    _require_libraries()
    for field in _PATHS:
        path = getattr(spec, field, None)
        if not path:
            continue
        try:
            import_target(path)
        except (PluginError, ImportError) as error:
            fail(f"{field}={path!r} cannot be imported: {error}", f"correct {field} in the record, or the module")
    task = getattr(spec, "task", None)
    known = get_registry().specs("tasks")
    if task and task not in [known_task.name for known_task in known]:
        fail(
            f"task={task!r} is offered by no installed plugin",
            "install the plugin that offers it and name it in `dependencies` of pyproject.toml",
        )


def options_are_those_of_the_component(spec: Any) -> None:
    """A config that spells a default out builds the same component as one that does not."""
    options = spec.options_class()
    if options is None:
        return
    if not attrs.has(options):
        fail(f"options={spec.options!r} is no attrs class", "write @attrs.frozen(kw_only=True) above it")
    _require_libraries()
    accepted = parameters_of(spec.load())
    takes_any = any(parameter.kind is parameter.VAR_KEYWORD for parameter in accepted.values())
    for field in attrs.fields(options):
        if field.name not in accepted:
            if takes_any:
                continue  # handed on; whoever takes it is not known here
            fail(
                f"the options have {field.name!r}, which {spec.target} does not take",
                f"add the parameter {field.name} to it, or remove the field",
            )
        default = accepted[field.name].default
        declared = field.default.factory() if isinstance(field.default, attrs.Factory) else field.default
        if default is not inspect.Parameter.empty and field.name not in spec.arguments and default != declared:
            fail(
                f"{field.name} is {declared!r} by default in the options and {default!r} in {spec.target}",
                "write the same default in both places",
            )


def arguments_are_accepted(spec: Any) -> None:
    """What the record passes on is taken by its target."""
    if not spec.arguments:
        return
    _require_libraries()
    accepted = parameters_of(spec.load())
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in accepted.values()):
        return
    unknown = [name for name in spec.arguments if name not in accepted]
    if unknown:
        fail(f"{spec.target} takes no {', '.join(map(repr, unknown))}", "correct `arguments` of the record")


def _require_libraries() -> None:
    """Components import paddle; without it their records can be listed, which other checks try, and no more."""
    try:
        require_paddle()
    except MissingDependencyError as error:
        raise NotCheckable(str(error)) from error


def parameters_of(target: Any) -> dict[str, inspect.Parameter]:
    """What calling a class or function takes."""
    return dict(inspect.signature(target.__init__ if inspect.isclass(target) else target).parameters)


CHECKS = (record_is_well_formed, options_are_those_of_the_component, arguments_are_accepted)
