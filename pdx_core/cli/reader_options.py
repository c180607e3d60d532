"""Flags for the options of dataset readers: whatever the installed plugins declare in `ReaderSpec.options`.

@click.command(cls=ReaderCommand)
@click.argument("folder")
def check(folder, reader_options): ...        # {"remap": "{0: 0, 255: 1}"}: what was typed, by name of the option
"""

from __future__ import annotations

from typing import Any

import attrs
import click

from pdx_core.errors import PdxError
from pdx_core.plugins import get_registry

_PREFIX = "reader_option_"  # of the names that click gives these parameters


class ReaderCommand(click.Command):
    """A command whose reader may be given options; its function gets them as `reader_options`."""

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        own = super().get_params(ctx)
        taken = {spelling for parameter in own for spelling in parameter.opts}
        return [*own[:-1], *(flag for flag in _flags() if not taken & set(flag.opts)), own[-1]]  # --help stays last

    def invoke(self, ctx: click.Context) -> Any:
        given = {name: ctx.params.pop(name) for name in list(ctx.params) if name.startswith(_PREFIX)}
        ctx.params["reader_options"] = {
            name.removeprefix(_PREFIX): text for name, text in given.items() if text is not None
        }
        return super().invoke(ctx)


def _flags() -> list[click.Option]:
    """One flag per name of an option; readers that share a name share the flag."""
    helps: dict[str, str] = {}
    readers: dict[str, list[str]] = {}
    for spec in get_registry().specs("dataset_readers"):
        for field in _fields(spec):
            helps.setdefault(field.alias, field.metadata.get("help", ""))
            readers.setdefault(field.alias, []).append(spec.name)
    return [
        click.Option(
            ["--" + name.replace("_", "-"), _PREFIX + name],
            metavar="VALUE",
            help=f"{text} (of {', '.join(readers[name])})".strip(),
        )
        for name, text in sorted(helps.items())
    ]


def _fields(spec: Any) -> tuple[attrs.Attribute, ...]:
    try:
        options = spec.options_class()
    except (PdxError, ImportError):  # `pdx plugins` shows it; a broken plugin must not break this command
        return ()
    return attrs.fields(options) if options is not None else ()
