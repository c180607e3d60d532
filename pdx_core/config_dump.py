"""Writes a configuration as one complete YAML file that reads back to the same values."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import attrs
import yaml

import pdx_core
from pdx_core.config_fields import fields_by_key, join
from pdx_core.settings import Component, RunConfig

# Text that no reader takes for a number, a truth value, null or syntax; anything else is quoted.
_PLAIN_TEXT = re.compile(r"[A-Za-z_./][A-Za-z0-9_./+-]*(:[A-Za-z0-9_./+-]+)*")
_SPECIAL_WORDS = frozenset({"null", "none", "true", "false", "yes", "no", "on", "off", "y", "n", "~", ".nan", ".inf"})


def dump_config(config: RunConfig, origins: Mapping[str, str]) -> str:
    """YAML text; values whose origin is known carry it as a comment."""
    lines = [f"# pdx {pdx_core.__version__}. Values without a comment are the defaults of pdx."]
    for key, (field, _) in fields_by_key(RunConfig).items():
        lines += ["", f"{key}:", *_section(getattr(config, field.name), origins, key, 1)]
    return "\n".join(lines) + "\n"


def _section(values: Any, origins: Mapping[str, str], path: str, depth: int) -> list[str]:
    lines = []
    indent = "  " * depth
    for key, (field, _) in fields_by_key(type(values)).items():
        value, below = getattr(values, field.name), join(path, key)
        if attrs.has(type(value)) and not isinstance(value, Component):
            lines += [f"{indent}{key}:", *_section(value, origins, below, depth + 1)]
        elif isinstance(value, Component):
            lines.append(f"{indent}{key}:")
            parts = {"name": value.name, **value.options}
            lines += [
                _line(f"{indent}  {_text(name)}", _flow(item), origins.get(join(below, name), ""))
                for name, item in parts.items()
            ]
        elif isinstance(value, (tuple, list)) and value and isinstance(value[0], Mapping):
            lines.append(_line(f"{indent}{key}", "", origins.get(below, "")))
            lines += [f"{indent}  - {_item(item)}" for item in value]
        else:
            lines.append(_line(f"{indent}{key}", _flow(value), origins.get(below, "")))
    return lines


def _line(key: str, value: str, origin: str) -> str:
    text = f"{key}: {value}".rstrip()
    return f"{text}  # {' '.join(origin.split())}" if origin else text


def _item(item: Any) -> str:
    """One transform: `Name: {parameters}`."""
    if isinstance(item, Mapping) and len(item) == 1:
        ((name, parameters),) = item.items()
        return f"{_text(str(name))}: {_flow({} if parameters is None else parameters)}"
    return _flow(item)


def _flow(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_text(str(key))}: {_flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, (tuple, list)):
        return "[" + ", ".join(_flow(item) for item in value) + "]"
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return repr(value)
    return _text(str(value))


def _text(text: str) -> str:
    if _PLAIN_TEXT.fullmatch(text) and text.lower() not in _SPECIAL_WORDS:
        return text
    quoted = yaml.safe_dump(text, default_style='"', allow_unicode=True, width=2**31)
    return quoted.strip()
