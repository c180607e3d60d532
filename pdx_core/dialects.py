"""Translates between our parameter names and those of the official releases.

A component layer may have `dialects`: name of a release -> rules that turn its own parameter names into the full
official key (`contracts.DialectRules`). The names of a network are put together from its components; a name without a
rule keeps its spelling, without the `backbone.`, `neck.` or `head.` in front of it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

from pdx_core.contracts import DialectRules
from pdx_core.errors import PluginError, WeightsError, did_you_mean

OWN = "pdx"  # the names of `state_dict`
OWN_BACKBONE = "pdx backbone"  # a backbone alone, out of a whole network that pdx saved
PLAIN = "plain"  # our names without the component in front: what plugins without rules share with their origin
_COMPONENTS = ("backbone", "neck", "head")


def name_tables(net: Any) -> dict[str, dict[str, str]]:
    """For each dialect that `net` knows: name in `net.state_dict()` -> key in files of that dialect.

    net: a `Network`, or any `paddle.nn.Layer` such as its backbone alone.
    """
    names = list(net.state_dict())
    parts = _parts(net)
    tables = {OWN: {name: name for name in names}}
    dialects = sorted({dialect for part in parts.values() for dialect in getattr(part, "dialects", None) or {}})
    for dialect in dialects:
        tables[dialect] = {}
    tables[PLAIN] = {}
    for name in names:
        prefix = _prefix_of(name, parts)
        local = name.removeprefix(prefix)
        tables[PLAIN][name] = local
        for dialect in dialects:
            rules = (getattr(parts.get(prefix), "dialects", None) or {}).get(dialect, ())
            tables[dialect][name] = translate(local, rules)
    if not any(name.startswith("backbone.") for name in names):
        tables[OWN_BACKBONE] = {name: f"backbone.{name}" for name in names}
    return tables


def translate(name: str, rules: DialectRules) -> str:
    """`name` under the first rule whose expression matches all of it, or as it is."""
    for expression, replacement in rules:
        found = re.fullmatch(expression, name)
        if found:
            return replacement(found) if callable(replacement) else found.expand(replacement)
    return name


def choose(tables: Mapping[str, Mapping[str, str]], keys: Collection[str], wanted: str | None = None) -> str:
    """The dialect in which most names of the network are among `keys`; of equals the first. `wanted` settles it.

    Raises WeightsError for a `wanted` that the network does not know.
    """
    if wanted is not None:
        if wanted not in tables:
            raise WeightsError(
                f"the network knows no weights of dialect {wanted!r}, only {', '.join(map(repr, tables))}."
                + did_you_mean(wanted, tables)
            )
        return wanted
    return max(tables, key=lambda dialect: sum(key in keys for key in tables[dialect].values()))


def check_table(dialect: str, table: Mapping[str, str]) -> None:
    """Two parameters under one key are an error in the rules; raises PluginError naming them."""
    owners: dict[str, str] = {}
    for name, key in table.items():
        if key in owners:
            raise PluginError(
                f"dialect {dialect!r}: both {owners[key]!r} and {name!r} are called {key!r}; mend its rules"
            )
        owners[key] = name


def _parts(net: Any) -> dict[str, Any]:
    """The layers that bring rules of their own, by prefix of their parameters ("" for `net` itself)."""
    if getattr(net, "dialects", None):
        return {"": net}
    found = {}
    for name in _COMPONENTS:
        part = getattr(net, name, None)
        if part is not None and hasattr(part, "state_dict"):
            found[f"{name}."] = part
    return found


def _prefix_of(name: str, parts: Mapping[str, Any]) -> str:
    return next((prefix for prefix in parts if name.startswith(prefix)), "")
