"""Makes transforms from their configuration."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import attrs

from pdx_core.errors import ConfigError, PdxError
from pdx_core.specs import import_target
from pdx_core.transforms.names import read_entry


def build(entries: Sequence[Any], origin: str = "") -> list[Callable]:
    """The transforms of a list of `{name: parameters}`, each called as `transform(sample, rng) -> sample`."""
    return [_make(entry, batch=False, origin=origin) for entry in entries]


def build_batch(entries: Sequence[Any], num_classes: int | None = None, origin: str = "") -> list[Any]:
    """The batch transforms of a list of `{name: parameters}`.

    num_classes: given to those that need it and were not told
    """
    from pdx_core.transforms.mix import Mixer, MixerChoice

    made, mixers = [], []
    for entry in entries:
        transform = _make(entry, batch=True, origin=origin, num_classes=num_classes)
        (mixers if isinstance(transform, Mixer) else made).append(transform)
    if mixers:
        made.append(MixerChoice(mixers))  # mixers are alternatives: at most one acts on a batch
    return made


def _make(entry: Any, batch: bool, origin: str, num_classes: int | None = None) -> Any:
    target, parameters = read_entry(entry, batch=batch, origin=origin)
    made_by = import_target(target)
    if num_classes is not None and attrs.has(made_by) and "num_classes" in attrs.fields_dict(made_by):
        parameters.setdefault("num_classes", num_classes)
    name = target.rpartition(":")[2]
    lead = f"{origin}: " if origin else ""
    try:
        return made_by(**parameters)
    except PdxError as error:
        raise type(error)(f"{lead}{name}: {error}") from error
    except (TypeError, ValueError) as error:
        reason = str(error).replace(f"{name}.__init__() ", "")
        raise ConfigError(f"{lead}{name}: {reason}; it was given {parameters or 'nothing'}") from error
