"""Turns what the pickle machine left into plain values, and refuses what would trap those who walk through it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from pdx_core.pickle_symbols import ArraySlot, DtypeSlot, LongText, Raw, Refused, Symbol

_MAX_TEXT_BYTES = 1 << 20  # of a text that is not the contents of a tensor
_MAX_DEPTH = 64
_PARTS_TABLE = "UnpackBigParamInfor@@"  # spelled so in Paddle


class Finisher:
    """Walks once through the value of a pickle. `charge` takes bytes from the allowance of a file of `size` bytes."""

    def __init__(self, charge: Callable[[int], None], size: int) -> None:
        self._charge = charge
        self._most_nodes = max(10_000, size)
        self._done: dict[int, tuple[Any, int]] = {}  # id of a container -> (finished, nodes when written out)
        self._kept: list[Any] = []  # keeps ids of the above from being reused

    def finish(self, value: Any) -> Any:
        return self._finish(value, 0)[0]

    def _finish(self, value: Any, depth: int) -> tuple[Any, int]:
        if isinstance(value, ArraySlot):
            if value.array is None:
                raise Refused("an array has no contents")
            return value.array, 1
        if isinstance(value, LongText):
            if max(value.bytes.size, value.latin1.bytes.size if value.latin1 else 0) > _MAX_TEXT_BYTES:
                raise Refused("it holds a text of more than a million characters")
            self._charge(4 * value.bytes.size)
            return value.bytes.tobytes().decode(value.encoding, "replace"), 1
        if isinstance(value, Raw):
            self._charge(value.bytes.size)
            return value.bytes.tobytes(), 1
        if isinstance(value, Symbol | DtypeSlot):
            raise Refused("it holds a Python object instead of a number, a text or an array")
        if not isinstance(value, dict | list | tuple):
            return value, 1
        if depth >= _MAX_DEPTH:
            raise Refused(f"it is nested more than {_MAX_DEPTH} deep")
        if id(value) in self._done:
            return self._done[id(value)]
        self._charge(160 + 24 * len(value))
        made: Any
        if isinstance(value, dict):
            pairs = {key: self._finish(item, depth + 1) for key, item in value.items()}
            nodes = 1 + sum(count for _, count in pairs.values())
            made = {key: item for key, (item, _) in pairs.items()}
        else:
            finished = [self._finish(item, depth + 1) for item in value]
            nodes = 1 + sum(count for _, count in finished)
            made = type(value)(item for item, _ in finished)
        if nodes > self._most_nodes:
            raise Refused("it repeats parts of itself until it would fill the memory")
        self._kept.append(value)
        self._done[id(value)] = (made, nodes)
        return self._done[id(value)]


def join_parts(state: dict[Any, Any]) -> None:
    """Put arrays together that Paddle cut into pieces below 1 GB (protocols 2 and 3)."""
    table = state.pop(_PARTS_TABLE, None)
    if table is None:
        return
    try:
        for name, entry in table.items():
            pieces = [state.pop(piece) for piece in entry["slices"]]  # a piece is used once
            state[name] = np.concatenate(pieces).reshape(entry["OriginShape"])
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise Refused("the table of an array that was saved in pieces is damaged") from error
