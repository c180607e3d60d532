"""Turns untyped values into the attrs classes of `pdx_core.settings`, reading each scalar as its field's type."""

from __future__ import annotations

import math
import re
import types
import typing
from collections.abc import Iterable, Mapping
from typing import Any, Literal, Union

import attrs

from pdx_core.config_fields import fields_by_key, join
from pdx_core.config_values import Scalar, Value, is_null, plain, read_bool, read_float, read_int
from pdx_core.errors import ConfigError, PdxError, did_you_mean, fold_name
from pdx_core.settings import Component

_WORDS = {int: "a whole number", float: "a number", bool: "true or false", str: "text"}


class Structurer:
    """Builds typed objects and remembers where each value came from in `origins` (dotted key -> origin).

    `task` is the one whose components are meant where several tasks use a name.
    """

    def __init__(self, task: str | None = None) -> None:
        self.task = task
        self.origins: dict[str, str] = {}

    def build(self, wanted: type, value: Value, path: str) -> Any:
        """An instance of the attrs class `wanted` from a mapping; fields that are not given keep their defaults."""
        if is_null(value):
            return wanted()
        if not isinstance(value.raw, dict):
            raise ConfigError(f"{path}: expected keys such as {_some_keys(wanted)}, got {show(value)}{source(value)}")
        fields = fields_by_key(wanted)
        given = {}
        for key, item in value.raw.items():
            if key not in fields:
                raise unknown_key(key, fields, path, item.origin)
            field, hint = fields[key]
            below = join(path, key)
            if attrs.has(hint) and hint is not Component:
                given[field.alias] = self.build(hint, item, below)
                continue
            given[field.alias] = self.field(field, hint, item, below)
        return wanted(**given)

    def field(self, field: attrs.Attribute, hint: Any, value: Value, path: str) -> Any:
        """One leaf, converted and validated."""
        kind = field.metadata.get("kind")
        if kind and not is_null(value):
            return self._component(kind, value, path)
        converted = convert(hint, value, path)
        _validate(field, converted, path, value)
        self.origins[path] = value.origin
        return converted

    def _component(self, kind: str, value: Value, path: str) -> Component:
        """A name, or a mapping of `name` and options; the options are checked against the record's own class."""
        items = dict(value.raw) if isinstance(value.raw, dict) else {"name": value}
        if "name" not in items:
            keys = ", ".join(items)
            raise ConfigError(f"{path}: has options ({keys}) but no `name` to which they belong{source(value)}")
        written = items.pop("name")
        name = convert(str, written, join(path, "name"))
        self.origins[join(path, "name")] = written.origin
        from pdx_core.plugins import get_registry

        spec = get_registry().resolve(kind, name, written.origin, self.task)
        options = self.options(spec, items, path)
        return Component(name=name if ":" in name else _canonical(name, spec), options=options)

    def options(self, spec: Any, items: Mapping[str, Value], path: str) -> dict[str, Any]:
        """The options of a component, checked against the options class of its record where it has one."""
        wanted = _options_class(spec)
        if wanted is None:
            for key, item in items.items():
                self.origins[join(path, key)] = item.origin
            return {key: plain(item) for key, item in items.items()}
        fields = fields_by_key(wanted)
        options = {}
        for key, item in items.items():
            if key not in fields:
                raise unknown_key(key, ["name", *fields], path, item.origin, of=spec.name)
            options[key] = self.field(*fields[key], item, join(path, key))
        try:
            wanted(**{**{key: item for key, item in spec.arguments.items() if key in fields}, **options})
        except (TypeError, ValueError) as error:
            origins = ", ".join(sorted({item.origin for item in items.values()})) or spec.name
            raise ConfigError(f"{path}: {_reason(error)} (from {origins})") from None
        return options


def _canonical(name: str, spec: Any) -> str:
    return name if "/" in name else spec.name


def _options_class(spec: Any) -> type | None:
    try:
        return spec.options_class()
    except PdxError:
        raise
    except Exception as error:
        raise ConfigError(f"the options of {spec.name!r} ({spec.options}) cannot be imported: {error}") from error


def convert(hint: Any, value: Value, path: str) -> Any:
    """The value as the type that `hint` names. Raises ConfigError with the origin."""
    if hint is Any:
        return plain(value)
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (Union, types.UnionType):
        return _convert_union(arguments, value, path)
    if origin is Literal:
        return _convert_choice(arguments, value, path)
    if origin in (tuple, list):
        return _convert_sequence(origin, arguments, value, path)
    if origin in (dict, Mapping) or hint in (dict, Mapping):
        if origin is Mapping and isinstance(value.raw, (Scalar, str)) and not is_null(value):
            return {_convert_text(value, path): {}}  # a transform without parameters
        if not isinstance(value.raw, dict):
            raise _expected("a mapping such as {key: value}", value, path)
        item = arguments[1] if arguments else Any
        return {key: convert(item, below, join(path, key)) for key, below in value.raw.items()}
    if hint in _WORDS:
        return _convert_scalar(hint, value, path)
    return plain(value)


def _convert_union(arguments: tuple[Any, ...], value: Value, path: str) -> Any:
    if type(None) in arguments and is_null(value):
        return None
    candidates = [argument for argument in arguments if argument is not type(None)]
    for candidate in candidates[:-1]:
        try:
            return convert(candidate, value, path)
        except ConfigError:
            continue
    return convert(candidates[-1], value, path)


def _convert_choice(choices: tuple[Any, ...], value: Value, path: str) -> Any:
    text = value.raw.text if isinstance(value.raw, Scalar) else value.raw
    for choice in choices:
        if fold_name(str(choice)) == fold_name(str(text)) and not isinstance(text, bool):
            return choice
    hint = did_you_mean(str(text), map(str, choices)) if isinstance(value.raw, (Scalar, str)) else ""
    listed = ", ".join(map(str, choices))
    raise ConfigError(f"{path}: {show(value)} is not one of {listed}{source(value)}.{hint}")


def _convert_sequence(origin: type, arguments: tuple[Any, ...], value: Value, path: str) -> Any:
    if not isinstance(value.raw, list):
        raise _expected("a list such as [a, b]", value, path)
    if origin is list or (len(arguments) == 2 and arguments[1] is Ellipsis):
        wanted = [arguments[0] if arguments else Any] * len(value.raw)
    else:
        wanted = list(arguments)
        if len(wanted) != len(value.raw):
            raise ConfigError(
                f"{path}: expected {len(wanted)} items, got {len(value.raw)}: {show(value)}{source(value)}"
            )
    items = [
        convert(hint, item, f"{path}.{index}") for index, (hint, item) in enumerate(zip(wanted, value.raw, strict=True))
    ]
    return items if origin is list else tuple(items)


def _convert_scalar(hint: type, value: Value, path: str) -> Any:
    raw = value.raw
    if hint is str:
        return _convert_text(value, path)
    if isinstance(raw, Scalar):
        raw = raw.text
    elif not isinstance(raw, (str, bool, int, float)):
        raise _expected(_WORDS[hint], value, path)
    found: Any = None
    if isinstance(raw, str):
        found = {bool: read_bool, int: read_int, float: read_float}[hint](raw.strip())
    elif isinstance(raw, bool) or hint is bool:
        found = raw if hint is bool and isinstance(raw, bool) else None
    elif hint is float or isinstance(raw, int):
        found = hint(raw)
    if found is None or (hint is float and not math.isfinite(found)):
        raise _expected(_WORDS[hint], value, path)
    return found


def _convert_text(value: Value, path: str) -> str:
    raw = value.raw
    if isinstance(raw, (list, dict)) and value.text is not None:
        return value.text  # typed after -o, where "[1].jpg" may well be a file name
    if isinstance(raw, Scalar):
        if not raw.quoted and (is_null(value) or raw.text.lower() in ("true", "false")):
            raise ConfigError(
                f'{path}: expected text, got {show(value)}{source(value)}; write "{raw.text}" in quotes if it is a name'
            )
        return raw.text
    if not isinstance(raw, str):
        raise _expected(_WORDS[str], value, path)
    return raw


def _validate(field: attrs.Attribute, converted: Any, path: str, value: Value) -> None:
    if field.validator is None:
        return
    try:
        field.validator(None, field, converted)
    except (ValueError, TypeError) as error:
        raise ConfigError(f"{path}: {_reason(error)}{source(value)}") from None


def _reason(error: Exception) -> str:
    """The message of an attrs validator without the name, which the path before it says better."""
    text = str(error.args[0]) if error.args else str(error)
    match = re.fullmatch(r"'\w+' (must be .*): (\S+)", text)
    return f"{match[1]}, got {match[2]}" if match else text


def _expected(what: str, value: Value, path: str) -> ConfigError:
    return ConfigError(f"{path}: expected {what}, got {show(value)}{source(value)}")


def unknown_key(key: str, known: Iterable[str], path: str, origin: str, of: str = "") -> ConfigError:
    """The refusal of a key that nobody knows, with the nearest valid one and all valid ones."""
    where = f" in {path!r}" if path else ""
    owner = f" of {of}" if of else ""
    hint = did_you_mean(key, known)
    valid = ", ".join(known) or "none"
    return ConfigError(f"unknown key {key!r}{where} (from {origin}).{hint} Valid keys{owner}: {valid}")


def show(value: Value) -> str:
    """The value as it may appear in a message."""
    raw = value.raw
    if isinstance(raw, Scalar):
        text = repr(raw.text) if raw.text or raw.quoted else "nothing"
    else:
        text = repr(plain(value))
    return text if len(text) <= 80 else text[:77] + "..."


def source(value: Value) -> str:
    return f" (from {value.origin})" if value.origin else ""


def _some_keys(wanted: type) -> str:
    return ", ".join(list(fields_by_key(wanted))[:3])
