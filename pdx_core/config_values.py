"""Values of a configuration before they have types: each keeps its text and where it was written."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs
import yaml

from pdx_core.errors import ConfigError

MAX_NODES = 100_000  # an alias of an alias of an alias can blow a small file up
_NULLS = frozenset({"", "~", "null", "none"})
_TRUE = frozenset({"true", "yes", "on"})
_FALSE = frozenset({"false", "no", "off"})
_INT = re.compile(r"[+-]?[0-9]+(_[0-9]+)*")
_FLOAT = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
_PLAIN_TAGS = frozenset("tag:yaml.org,2002:" + name for name in ("str", "null", "bool", "int", "float", "timestamp"))


@attrs.frozen
class Scalar:
    """The text of one scalar. `quoted` text is never a number, a truth value or null for a field of any type."""

    text: str
    quoted: bool = False


@attrs.frozen
class Value:
    """A Scalar, a Python value, a list of Values or a dict of Values, with its origin.

    by_user: written in a file or on the command line, not by a record
    partial: only the way to a deeper key (from a dotted key), so it is merged instead of replacing what is there
    text:    what was typed, for values of -o that look like YAML but were meant as text
    """

    raw: Any
    origin: str
    by_user: bool = True
    partial: bool = False
    text: str | None = None


def is_null(value: Value) -> bool:
    """Whether this stands for "nothing": null, ~, None or an empty value."""
    if isinstance(value.raw, Scalar):
        return not value.raw.quoted and value.raw.text.lower() in _NULLS
    return value.raw is None


def read_bool(text: str) -> bool | None:
    """The truth value that the text spells, or None."""
    folded = text.lower()
    return True if folded in _TRUE else False if folded in _FALSE else None


def read_int(text: str) -> int | None:
    """The decimal integer that the text spells, or None; "012" is twelve."""
    return int(text) if _INT.fullmatch(text) and len(text) < 4000 else None


def read_float(text: str) -> float | None:
    """The number that the text spells, or None."""
    return float(text.replace("_", "")) if _FLOAT.fullmatch(text) or _INT.fullmatch(text) else None


def plain(value: Value) -> Any:
    """The value as ordinary Python for places without a type: numbers, true and false, null, else text."""
    raw = value.raw
    if isinstance(raw, list):
        return [plain(item) for item in raw]
    if isinstance(raw, dict):
        return {key: plain(item) for key, item in raw.items()}
    if not isinstance(raw, Scalar) or raw.quoted:
        return raw.text if isinstance(raw, Scalar) else raw
    if is_null(value):
        return None
    if raw.text.lower() in ("true", "false"):
        return raw.text.lower() == "true"
    for reader in (read_int, read_float):
        number = reader(raw.text)
        if number is not None:
            return number
    return raw.text


def wrap(raw: Any, origin: str, by_user: bool = True) -> Value:
    """A Python value (from a record or a flag) as a Value."""
    if isinstance(raw, Mapping):
        return Value({str(key): wrap(item, origin, by_user) for key, item in raw.items()}, origin, by_user)
    if isinstance(raw, Sequence) and not isinstance(raw, (str, bytes)):
        return Value([wrap(item, origin, by_user) for item in raw], origin, by_user)
    if isinstance(raw, Path):
        raw = str(raw)
    return Value(raw, origin, by_user)


def at_path(path: Sequence[str], value: Value) -> Value:
    """`value` below the keys of `path`, the way to it marked as partial."""
    for key in reversed(path):
        value = Value({key: value}, value.origin, value.by_user, partial=True)
    return value


def read_override(text: str) -> tuple[str, Value]:
    """Split one "-o KEY=VALUE" at the first "=" into the dotted key and its value. Raises ConfigError."""
    key, separator, typed = text.partition("=")
    key, origin = key.strip(), f"-o {text}"
    if not separator or not key:
        raise ConfigError(f"-o {text}: write it as KEY=VALUE, for example -o Train.batch_size=16")
    return key, read_typed(typed, origin)


def read_typed(typed: str, origin: str) -> Value:
    """A value as it was typed on the command line."""
    value = Value(Scalar(typed.strip()), origin)
    if typed.lstrip()[:1] in ("[", "{", '"', "'"):
        # anything else is taken as it is: "photo #1.jpg" must not lose what YAML calls a comment
        # and "[1].jpg", which is no YAML, stays text: the field's type decides whether that is right
        with contextlib.suppress(ConfigError):
            value = _parse(typed, lambda line: origin)
        value = attrs.evolve(value, text=typed)
    return value


def read_file(path: Path) -> Value:
    """Read a YAML file; every value's origin is "file:line". Raises ConfigError."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: is not UTF-8 text; save it as UTF-8") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ConfigError(f"{path}: cannot be read: {reason}") from None
    found = _parse(text, lambda line: f"{path}:{line}", str(path))
    if is_null(found):
        return Value({}, str(path))
    if not isinstance(found.raw, dict):
        raise ConfigError(f"{path}: must hold sections such as `Global:` and `Train:`, not {_kind(found)}")
    return found


def _kind(value: Value) -> str:
    return "a list" if isinstance(value.raw, list) else "a mapping" if isinstance(value.raw, dict) else "plain text"


def _parse(text: str, origin_of: Any, name: str = "") -> Value:
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = origin_of(mark.line + 1) if mark else name
        raise ConfigError(f"{where}: not valid YAML: {error.problem or error.context}") from None
    except yaml.YAMLError as error:
        raise ConfigError(f"{name or origin_of(1)}: not valid YAML: {' '.join(str(error).split())}") from None
    except RecursionError:
        raise ConfigError(f"{name or origin_of(1)}: nested too deeply") from None
    if node is None:
        return Value(None, origin_of(1))
    return _Converter(origin_of).convert(node, 0)


class _Converter:
    def __init__(self, origin_of: Any) -> None:
        self.origin_of = origin_of
        self.count = 0

    def convert(self, node: yaml.Node, depth: int) -> Value:
        origin = self.origin_of(node.start_mark.line + 1)
        self.count += 1
        if self.count > MAX_NODES or depth > 50:
            raise ConfigError(f"{origin}: nested too deeply, or aliases that repeat without end")
        if isinstance(node, yaml.ScalarNode):
            if node.tag not in _PLAIN_TAGS and node.tag != "tag:yaml.org,2002:merge":
                raise ConfigError(f"{origin}: tags such as {node.tag!r} are not allowed; write plain values")
            return Value(Scalar(node.value, quoted=node.style in ("'", '"', "|", ">")), origin)
        if isinstance(node, yaml.SequenceNode):
            if node.tag != "tag:yaml.org,2002:seq":
                raise ConfigError(f"{origin}: tags such as {node.tag!r} are not allowed; write plain values")
            return Value([self.convert(item, depth + 1) for item in node.value], origin)
        if node.tag != "tag:yaml.org,2002:map":
            raise ConfigError(f"{origin}: tags such as {node.tag!r} are not allowed; write plain values")
        items: dict[str, Value] = {}
        for key_node, value_node in node.value:
            where = self.origin_of(key_node.start_mark.line + 1)
            if not isinstance(key_node, yaml.ScalarNode):
                raise ConfigError(f"{where}: a key must be a plain word")
            if key_node.value in items:
                raise ConfigError(f"{where}: key {key_node.value!r} is given twice; remove one")
            items[key_node.value] = self.convert(value_node, depth + 1)
        return Value(items, origin)
