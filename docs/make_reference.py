"""Writes docs/plugins/reference.md from the source of pdx_core: `make docs`.

Hooks and contracts are told by their docstrings, the fields of records by the comment beside or above them.
"""

from __future__ import annotations

import ast
import inspect
import io
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path

import click

from pdx_core import HOOK_API, contracts, hook_api, hookspecs, specs
from pdx_core.cli import COMMANDS
from pdx_core.environment import VARIABLES
from pdx_core.specs import HOOK_RECORDS, import_target

PAGE = Path(__file__).parent / "plugins" / "reference.md"
INTRODUCTION = f"""\
# Reference for plugin authors

Written by `make docs` from the source. The hook API is number {HOOK_API}.

A plugin is one light module, named by an entry point in the group `pdx.plugins`:

```toml
[project.entry-points."pdx.plugins"]
mine = "pdx_mine.plugin"
```

The module says `PDX_API = {HOOK_API}`. Its hooks are marked with `@hookimpl` from `pdx_core`, take no argument, and
return or yield records. It imports nothing heavier than attrs, click, pluggy, yaml and the light modules of
`pdx_core`.
"""
SECTIONS = ("Hooks", "Records", "Contracts", "Versions of the hook API", "Environment", "Commands")


def page() -> str:
    """The whole text of docs/plugins/reference.md."""
    parts = (_hooks(), _records(), _contracts(), _versions(), _environment(), _commands())
    lines = [INTRODUCTION, *(f"* [{title}](#{title.lower().replace(' ', '-')})" for title in SECTIONS)]
    for title, part in zip(SECTIONS, parts, strict=True):
        lines += ["", f"## {title}", "", *part]
    return "\n".join(lines).rstrip() + "\n"


def undocumented() -> list[str]:
    """What the source does not explain; a test wants this to be empty."""
    missing = [name for name in HOOK_RECORDS if "@hookimpl" not in (getattr(hookspecs, name).__doc__ or "")]
    for record in _record_classes():
        missing += [] if record.__doc__ else [record.__name__]
        missing += [f"{record.__name__}.{name}" for name, *_, meaning in _fields(record) if not meaning]
    for contract in _contract_classes():
        missing += [] if contract.__doc__ else [contract.__name__]
        missing += [f"{contract.__name__}.{name}" for name, _, text in _methods(contract) if not text]
    for words, command in _all_commands():
        missing += [] if command.help else [f"pdx {words}"]
        options = (option for option in command.params if isinstance(option, click.Option))
        missing += [f"pdx {words} {option.opts[0]}" for option in options if not option.help]
    return missing


# -- hooks and records ---------------------------------------------------------------------------------------------
def _hooks() -> Iterator[str]:
    yield "| hook | yields | offers |"
    yield "|---|---|---|"
    for name, record in HOOK_RECORDS.items():
        yield f"| [`{name}`](#{name}) | [`{record.__name__}`](#{record.__name__.lower()}) | {_hook_text(name)[0]} |"
    for name in HOOK_RECORDS:
        offers, example = _hook_text(name)
        yield from ("", f"### {name}", "", f"Offers {offers}.", "", "```python", *example.splitlines(), "```")


def _hook_text(name: str) -> tuple[str, str]:
    first, _, rest = inspect.cleandoc(getattr(hookspecs, name).__doc__).partition("\n")
    return first.removeprefix("Offer ").rstrip("."), rest.strip()


def _record_classes() -> list[type]:
    return [specs.Spec, *HOOK_RECORDS.values(), specs.Weights, specs.Score]


def _records() -> Iterator[str]:
    yield "Frozen attrs classes of `pdx_core.specs`; every field is given by its name."
    for record in _record_classes():
        yield from ("", f"### {record.__name__}", "", *_text(record))
        fields = list(_fields(record))
        if record.__mro__[1] is specs.Spec:
            yield from ("", "The fields of [`Spec`](#spec), and:" if fields else "The fields of [`Spec`](#spec).")
        if not fields:
            continue
        yield from ("", "| field | type | default | meaning |", "|---|---|---|---|")
        for name, hint, default, meaning in fields:
            shown = f"`{default}`" if default else "required"
            yield f"| `{name}` | `{_cell(hint)}` | {_cell(shown)} | {_cell(meaning)} |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _fields(record: type) -> Iterator[tuple[str, str, str, str]]:
    """Name, type, default and comment of the fields that the class itself adds."""
    source = inspect.getsource(record)
    comments = {token.start[0]: token.string for token in _tokens(source) if token.type == tokenize.COMMENT}
    lines = source.splitlines()
    for node in ast.parse(source).body[0].body:
        if not isinstance(node, ast.AnnAssign) or "ClassVar" in ast.unparse(node.annotation):
            continue
        beside = [comments[line] for line in range(node.lineno, node.end_lineno + 1) if line in comments]
        above = []
        line = node.lineno - 1
        while not beside and line in comments and lines[line - 1].strip().startswith("#"):
            above.insert(0, comments[line])
            line -= 1
        meaning = " ".join(comment.lstrip("# ") for comment in above or beside)
        yield node.target.id, ast.unparse(node.annotation), _default(node.value), meaning


def _tokens(source: str) -> Iterator[tokenize.TokenInfo]:
    return tokenize.generate_tokens(io.StringIO(source).readline)


def _default(value: ast.expr | None) -> str:
    """The default as it would be written, or nothing where the field is required."""
    if value is None:
        return ""
    if isinstance(value, ast.Call) and ast.unparse(value.func) == "attrs.field":
        given = {keyword.arg: keyword.value for keyword in value.keywords}
        if "factory" in given:
            return "{}" if ast.unparse(given["factory"]) == "dict" else f"{ast.unparse(given['factory'])}()"
        return ast.unparse(given["default"]) if "default" in given else ""
    return ast.unparse(value)


# -- contracts -----------------------------------------------------------------------------------------------------
def _contract_classes() -> list[type]:
    """The protocols of contracts.py, and the records that they exchange."""
    return [
        item for item in vars(contracts).values() if inspect.isclass(item) and item.__module__ == contracts.__name__
    ]


def _contracts() -> Iterator[str]:
    yield "What the `target` of a record has to be. Nothing is inherited: a class with these methods will do."
    yield from ("", *inspect.cleandoc(contracts.__doc__).split("\n\n", 1)[1].splitlines())
    for contract in _contract_classes():
        yield from ("", f"### {contract.__name__}", "", *_text(contract))
        hints = [f"{name}: {hint}  # {text}".removesuffix("  # ") for name, hint, _, text in _fields(contract)]
        methods = list(_methods(contract))
        if hints or methods:
            yield from ("", "```python", *hints)
            for _, signature, text in methods:
                yield from (f"{signature}:", *(f"    {line}".rstrip() for line in f'"""{text}"""'.splitlines()))
            yield "```"


def _methods(contract: type) -> Iterator[tuple[str, str, str]]:
    """Name, first line and docstring of the methods that an author writes."""
    for node in ast.parse(inspect.getsource(contract)).body[0].body:
        if isinstance(node, ast.FunctionDef):
            returns = f" -> {ast.unparse(node.returns)}" if node.returns else ""
            text = ast.get_docstring(node) or ("As the class says above." if node.name == "__init__" else "")
            yield node.name, f"def {node.name}({ast.unparse(node.args)}){returns}", text


def _text(documented: type) -> list[str]:
    return inspect.cleandoc(documented.__doc__ or "").splitlines()


# -- the rest ------------------------------------------------------------------------------------------------------
def _versions() -> Iterator[str]:
    yield from inspect.cleandoc(hook_api.__doc__).split("\n\n", 1)[1].splitlines()
    yield from ("", "| PDX_API | spoken until pdx-core | what to change |", "|---|---|---|")
    for number, old in sorted(hook_api.SUPPORTED_APIS.items(), reverse=True):
        yield f"| {number} | today's |  |" if old is None else f"| {number} | {old.until} | {old.change} |"


def _environment() -> Iterator[str]:
    yield from ("| variable | meaning |", "|---|---|")
    yield from (f"| `{name}` | {_cell(meaning)} |" for name, meaning in VARIABLES.items())


def _commands() -> Iterator[str]:
    yield "With all their options in [cli.md](../cli.md)."
    yield from ("", "| command | does |", "|---|---|")
    for words, command in _all_commands():
        yield f"| `pdx {words}` | {_cell(command.get_short_help_str(200))} |"


def _all_commands() -> Iterator[tuple[str, click.Command]]:
    for name, (target, _) in COMMANDS.items():
        command = import_target(target)
        yield name, command
        yield from ((f"{name} {below}", item) for below, item in getattr(command, "commands", {}).items())


if __name__ == "__main__":
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(page(), encoding="utf-8")
    sys.stderr.write("docs/plugins/reference.md is written\n")
