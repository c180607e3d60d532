"""The losses a head may be told to use, and their parameters; light, so that a wrong one is refused early.

    Model.head.losses: [cross_entropy, {name: dice, weight: 0.5}]

A name with a colon is an import path: a class of anybody's, built as `target(num_classes, **parameters)`, whose
`forward(logits float32 [N, K, H, W], labels int64 [N, H, W])` gives a scalar.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs
from attrs import validators as v

from pdx_core.errors import did_you_mean


def _numbers(values: Any) -> tuple[float, ...]:
    if isinstance(values, (str, Mapping)) or not isinstance(values, Sequence):
        raise ValueError(f"class_weights must be a list of one number per class, got {values!r}")
    return tuple(float(value) for value in values)


def _usable_weights(loss: Any, attribute: attrs.Attribute, values: tuple[float, ...]) -> None:
    if values and (min(values) < 0 or max(values) <= 0):
        raise ValueError(f"class_weights must not be negative, and not all 0; got {list(values)}")


_CLASS_WEIGHTS = {"default": (), "converter": _numbers, "validator": _usable_weights}


@attrs.frozen(kw_only=True)
class LossTerm:
    """weight: factor of this term in the sum"""

    weight: float = attrs.field(default=1.0, converter=float, validator=v.gt(0))


@attrs.frozen(kw_only=True)
class CrossEntropyTerm(LossTerm):
    class_weights: tuple[float, ...] = attrs.field(**_CLASS_WEIGHTS)  # one per class; (): all alike
    label_smoothing: float = attrs.field(default=0.0, converter=float, validator=v.and_(v.ge(0), v.lt(1)))


@attrs.frozen(kw_only=True)
class OhemTerm(LossTerm):
    class_weights: tuple[float, ...] = attrs.field(**_CLASS_WEIGHTS)
    threshold: float = attrs.field(default=0.7, converter=float, validator=v.and_(v.gt(0), v.le(1)))
    min_kept: int = attrs.field(default=10000, validator=[v.instance_of(int), v.gt(0)])


@attrs.frozen(kw_only=True)
class DiceTerm(LossTerm):
    smooth: float = attrs.field(default=1.0, converter=float, validator=v.gt(0))


@attrs.frozen(kw_only=True)
class LovaszTerm(LossTerm):
    pass


# name -> (key in logs and results, where the class is, its parameters)
TERMS: dict[str, tuple[str, str, type[LossTerm]]] = {
    "cross_entropy": ("loss_ce", "pdx_seg.losses.cross_entropy:CrossEntropy", CrossEntropyTerm),
    "ohem": ("loss_ohem", "pdx_seg.losses.cross_entropy:OhemCrossEntropy", OhemTerm),
    "dice": ("loss_dice", "pdx_seg.losses.overlap:Dice", DiceTerm),
    "lovasz": ("loss_lovasz", "pdx_seg.losses.overlap:Lovasz", LovaszTerm),
}
DEFAULT: tuple[Mapping[str, Any], ...] = ({"name": "cross_entropy"},)


@attrs.frozen
class Term:
    """One entry of a head's option `losses`, read and checked."""

    key: str  # "loss_ce"
    target: str  # import path of the class
    weight: float
    parameters: Mapping[str, Any]


def read_terms(entries: Sequence[Any]) -> tuple[Term, ...]:
    """The terms of `losses`, each a name, or a mapping with `name` and parameters. Raises ValueError for a bad one."""
    terms = tuple(_read(entry) for entry in entries)
    if not terms:
        raise ValueError(f"must name at least one loss: {', '.join(TERMS)}")
    keys = [term.key for term in terms]
    for key in keys:
        if keys.count(key) > 1:
            raise ValueError(f"names one loss twice ({key}); write it once, with the sum of the weights")
    return terms


def check_terms(options: Any, attribute: attrs.Attribute, entries: Sequence[Any]) -> None:
    """Validator of the option."""
    read_terms(entries)


def _read(entry: Any) -> Term:
    if isinstance(entry, Mapping) and list(entry.values()) == [{}]:
        (entry,) = entry  # what the config makes of a bare name in a list
    if isinstance(entry, str):
        entry = {"name": entry}
    if not isinstance(entry, Mapping) or not isinstance(entry.get("name"), str):
        raise ValueError(f"a loss is a name, or a mapping such as {{name: dice, weight: 0.5}}; got {entry!r}")
    name = entry["name"]
    parameters = {key: value for key, value in entry.items() if key != "name"}
    if ":" in name:
        weight = LossTerm(weight=parameters.pop("weight", 1.0)).weight
        return Term(f"loss_{name.rpartition(':')[2].rpartition('.')[2].lower()}", name, weight, parameters)
    if name not in TERMS:
        raise ValueError(f"no loss is called {name!r}.{did_you_mean(name, TERMS)} There are: {', '.join(TERMS)}")
    key, target, wanted = TERMS[name]
    known = [field.name for field in attrs.fields(wanted)]
    for parameter in parameters:
        if parameter not in known:
            hint = did_you_mean(parameter, known)
            raise ValueError(f"{name} has no parameter {parameter!r}.{hint} It takes: {', '.join(known)}")
    try:
        read = attrs.asdict(wanted(**parameters))
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name}: {error.args[0] if error.args else error}") from None
    return Term(key, target, read.pop("weight"), read)
