"""Lays one layer of configuration over another, and turns foreign keys away."""

from __future__ import annotations

import logging

import attrs

from pdx_core.config_fields import aliases_of, fields_by_key, join
from pdx_core.config_foreign import IGNORED_KEYS
from pdx_core.config_types import unknown_key
from pdx_core.config_values import Scalar, Value, is_null, plain
from pdx_core.errors import ConfigError, did_you_mean, fold_name, nearest
from pdx_core.settings import Component, RunConfig

logger = logging.getLogger(__name__)


def tidy(layer: Value, wanted: type = RunConfig, path: str = "") -> Value:
    """The layer with every key in our spelling; keys of PaddleX that pdx ignores are dropped with a notice.

    Raises ConfigError for keys that nobody knows, the first of a file first.
    """
    if not isinstance(layer.raw, dict):
        return layer
    fields, aliases = fields_by_key(wanted), aliases_of(wanted)
    kept: dict[str, Value] = {}
    for key, item in layer.raw.items():
        spelled = aliases.get(key, key)
        below = join(path, spelled)
        if below in IGNORED_KEYS:
            if not is_null(item):
                logger.warning("%s is ignored (from %s): %s", below, item.origin, IGNORED_KEYS[below])
            continue
        if spelled not in fields:
            raise _elsewhere(key, path, item.origin) or unknown_key(key, fields, path, item.origin)
        if spelled in kept:
            raise ConfigError(f"{below} is given twice, once as {key!r} (from {item.origin}); keep one")
        hint = fields[spelled][1]
        section = isinstance(hint, type) and attrs.has(hint) and hint is not Component
        kept[spelled] = tidy(item, hint, below) if section else item
    return attrs.evolve(layer, raw=kept)


def _elsewhere(key: str, path: str, origin: str) -> ConfigError | None:
    """A key that is right but in the wrong section."""
    homes = [full for full in all_keys() if fold_name(full.rpartition(".")[2]) == fold_name(key)]
    own_section = path.split(".")[0]
    if not homes or nearest(key, [home.rpartition(".")[2] for home in homes if home.startswith(own_section + ".")]):
        return None
    where = f"in {path!r}" if path else "at the top level"
    return ConfigError(
        f"unknown key {key!r} {where} (from {origin}). Did you mean {' or '.join(map(repr, homes[:3]))}?"
    )


def all_keys(wanted: type = RunConfig, path: str = "") -> list[str]:
    """Every dotted key of the tree, leaves and sections, in the order of the classes."""
    found = []
    for key, (_, hint) in fields_by_key(wanted).items():
        below = join(path, key)
        found.append(below)
        if isinstance(hint, type) and attrs.has(hint) and hint is not Component:
            found += all_keys(hint, below)
    return found


def merge(base: Value, over: Value, wanted: type | None = RunConfig) -> Value:
    """`over` laid on `base`: sections key by key, components by name, anything else replaced."""
    if not isinstance(over.raw, dict):
        return base if wanted is not None and is_null(over) else over
    if not isinstance(base.raw, dict):
        base = Value({}, over.origin, over.by_user)
    merged = dict(base.raw)
    fields = fields_by_key(wanted) if wanted else {}
    for key, item in over.raw.items():
        field, hint = fields.get(key, (None, None))
        before = merged.get(key)
        if field is not None and field.metadata.get("kind"):
            merged[key] = _merge_component(before, item)
        elif isinstance(hint, type) and attrs.has(hint):
            merged[key] = merge(before or Value({}, item.origin), item, hint)
        else:
            merged[key] = _merge_leaf(before, item, key)
    return Value(merged, over.origin, over.by_user)


def _merge_leaf(before: Value | None, over: Value, path: str) -> Value:
    """Replaced, unless `over` only leads to one key of a mapping or one item of a list."""
    if not over.partial or before is None:
        return over
    if isinstance(before.raw, list):
        items = list(before.raw)
        for key, item in over.raw.items():
            index = _position(items, key, path, item.origin)
            named = not key.isdigit()
            change = Value({key: item}, item.origin, partial=True) if named else item
            items[index] = _merge_leaf(items[index], change, f"{path}.{key}")
        return attrs.evolve(before, raw=items, origin=over.origin, by_user=over.by_user)
    known = dict(before.raw) if isinstance(before.raw, dict) else {}
    for key, item in over.raw.items():
        known[key] = _merge_leaf(known.get(key), item, f"{path}.{key}")
    # two options that each lead to one key are merged with each other before the value they lead into is known
    return attrs.evolve(over, raw=known, partial=before.partial)


def _position(items: list[Value], key: str, path: str, origin: str) -> int:
    """Which item a key means: its number from 0, or the name of a transform such as CenterCrop."""
    names = [next(iter(item.raw), "") if isinstance(item.raw, dict) else str(plain(item)) for item in items]
    if key.isdigit() and int(key) < len(items):
        return int(key)
    found = [index for index, name in enumerate(names) if name == key]
    if len(found) != 1:
        problem = f"{len(found)} items are called" if found else "there is no item"
        raise ConfigError(
            f"{path}: {problem} {key!r} (from {origin}).{did_you_mean(key, names)} "
            f"It holds: {', '.join(names) or 'nothing'}; items can be numbered from 0"
        )
    return found[0]


def _merge_component(before: Value | None, over: Value) -> Value:
    """Options stay while the name stays. Another name drops the options that a record gave, never what a user wrote."""
    if is_null(over):
        return over
    new = over.raw if isinstance(over.raw, dict) else {"name": attrs.evolve(over, partial=False)}
    old = {} if before is None or is_null(before) else before.raw if isinstance(before.raw, dict) else {"name": before}
    kept = dict(old)
    if "name" in new and "name" in old and not _same_name(new["name"], old["name"]):
        kept = {key: item for key, item in old.items() if item.by_user and key != "name"}
    merged = {**kept}
    for key, item in new.items():
        merged[key] = _merge_leaf(merged.get(key), item, key)
    if "name" in merged:
        merged = {"name": merged.pop("name"), **merged}
    return Value(merged, over.origin, over.by_user)


def _same_name(one: Value, other: Value) -> bool:
    texts = [value.raw.text if isinstance(value.raw, Scalar) else str(value.raw) for value in (one, other)]
    return fold_name(texts[0].rpartition("/")[2]) == fold_name(texts[1].rpartition("/")[2])
