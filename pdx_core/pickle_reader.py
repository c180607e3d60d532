"""Reads the pickles that `paddle.save` writes, with a machine that cannot run code.

`.pdparams`, `.pdopt`, `.pdema` and `.pdstates` are pickles, and unpickling runs whatever the file asks for; so does
`paddle.load`. This is a machine of its own for the part of the pickle language that tensors, numbers, text, lists and
dictionaries need (protocols 2 to 5; numpy 1 and 2; Python 2 files). It never imports, looks up or calls anything that a
file names (see `pickle_symbols`), takes no step outside its table, and holds at most about twice the size of the file.
"""

from __future__ import annotations

import pickletools
import struct
from collections import Counter
from typing import IO, Any

from pdx_core.pickle_machine import Machine
from pdx_core.pickle_values import join_parts

_NAME_TABLE = "StructuredToParameterName@@"
_LONGEST_NAME = 4096


def read_pickle(stream: IO[bytes], size: int) -> Any:
    """What the pickle in `stream` holds: numbers, text, bytes, None, lists, tuples, dicts and numpy arrays.

    size: bytes from the present position to the end of the pickle.

    Tensors that Paddle wrote as tuples (name, array) come as arrays; Paddle's table of parameter names is dropped, and
    arrays that it cut into pieces are joined. bfloat16 comes as uint16, which is how Paddle spells it. Raises
    `pickle_symbols.Refused`, whose message reads on after "the file cannot be read: ".
    """
    value = Machine(stream, size).run()
    if isinstance(value, dict):
        value.pop(_NAME_TABLE, None)
        join_parts(value)
    return value


def list_globals(stream: IO[bytes]) -> Counter[str]:
    """The "module.name" of every Python object that a pickle names, and how often; for a look at a refused file.

    Follows the text only, so a file that hides its names shows as "?.?". Nothing is imported.
    """
    found: Counter[str] = Counter()
    texts: list[str] = []  # the latest texts on the stack
    memo: dict[int, str] = {}
    last: Any = None
    try:
        for opcode, argument, _ in pickletools.genops(_Bounded(stream)):
            if opcode.name in ("GLOBAL", "INST"):
                found[str(argument).replace(" ", ".", 1)] += 1
            elif opcode.name == "STACK_GLOBAL":
                found[".".join(texts[-2:] if len(texts) > 1 else ["?", "?"])] += 1
            elif opcode.name in ("EXT1", "EXT2", "EXT4", "PERSID", "BINPERSID"):
                found[f"(by number: {opcode.name})"] += 1
            elif opcode.name == "MEMOIZE":
                memo[len(memo)] = last
                continue
            elif opcode.name.endswith("PUT"):
                memo[int(argument)] = last
                continue
            if opcode.name.endswith("GET"):
                last = memo.get(int(argument))
            else:
                last = argument if isinstance(argument, str) and len(argument) < _LONGEST_NAME else None
            if last is not None:
                texts = [*texts[-1:], last]
    except (ValueError, OverflowError, struct.error):
        pass  # damaged from here on: what was found so far is the answer
    return found


class _Bounded:
    """A file that does not reserve memory for bytes that it does not have."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self.tell = stream.tell
        self.readline = stream.readline
        position = stream.tell()
        self._end = stream.seek(0, 2)
        stream.seek(position)

    def read(self, count: int) -> bytes:
        return self._stream.read(min(count, self._end - self._stream.tell()))
