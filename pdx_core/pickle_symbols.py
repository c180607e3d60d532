"""What the few names that may stand in a weight file mean: numpy arrays, rebuilt without calling what the file names.

A pickle is a program that names functions and calls them. Here a name is only a word (`Symbol`); the handful of words
that Paddle and numpy write are acted out by our own code, and every other word is refused. So there is no way from a
file to a function of its choosing, not even for names that are on the list: `eval`, which Paddle writes into files of
static tensors as `eval("data", {"data": array})`, is understood in exactly that form and means the array.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any

import attrs
import numpy as np

_DECODE_BLOCK_BYTES = 8 << 20
_MAX_DIMENSIONS = 32
_ELEMENT_TYPES = frozenset({"b1", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8", "c8", "c16"})


class Refused(Exception):
    """The file says something that is malformed or not allowed; the message says what, the reader adds where."""


class Hostile(Refused):
    """The file asks Python to do something: it was made by a strange tool, or to attack."""


@attrs.frozen
class Symbol:
    """A global that the file names, as a word and not as the object of that name."""

    module: str
    name: str

    def __str__(self) -> str:
        return f"{self.module}.{self.name}"


@attrs.define(eq=False)
class Raw:
    """Many bytes of the file, uint8 [n]; an array built from them shares their memory."""

    bytes: np.ndarray


@attrs.define(eq=False)
class LongText:
    """Text of some length, as the bytes that the file holds: in protocol 2 it is the contents of a tensor."""

    bytes: np.ndarray  # uint8 [n]
    encoding: str  # "utf-8", or "latin-1" in files of Python 2
    latin1: Raw | None = None  # the same as one byte per character, once asked for


@attrs.define(eq=False)
class DtypeSlot:
    """An element type whose byte order may still follow."""

    dtype: np.dtype


@attrs.define(eq=False)
class ArraySlot:
    """An array whose contents follow in a BUILD step."""

    array: np.ndarray | None = None


Charge = Callable[[int], None]  # takes bytes from the allowance of the file, raises Refused when it is used up


def check_symbol(symbol: Symbol) -> Symbol:
    """The symbol, if a weight file may name it."""
    if symbol not in _CALLS and symbol not in _PASSIVE:
        raise Hostile(f"it asks for the Python object {str(symbol)!r}, which no weight file needs")
    return symbol


def call(function: Any, arguments: Any, charge: Charge) -> Any:
    """What `function(*arguments)` stands for."""
    if not isinstance(function, Symbol) or function not in _CALLS:
        raise Hostile(f"it calls {_show(function)}, which is not a function that weight files use")
    if not isinstance(arguments, tuple):
        raise Refused(f"it calls {function} with {_show(arguments)} instead of a tuple of arguments")
    return _CALLS[function](arguments, charge)


def build(target: Any, state: Any, charge: Charge) -> None:
    """Give an array its contents or an element type its byte order; nothing else has a state."""
    if isinstance(target, ArraySlot):
        if target.array is not None:
            raise Refused("it fills the same array twice")
        if not isinstance(state, tuple) or len(state) != 5 or not isinstance(state[2], DtypeSlot):
            raise Refused(f"the contents of an array are not in numpy's form: {_show(state)}")
        _, shape, dtype, column_major, contents = state
        target.array = _array(contents, dtype.dtype, shape, bool(column_major), charge)
    elif isinstance(target, DtypeSlot):
        if not isinstance(state, tuple) or not 5 <= len(state) <= 9 or state[1] not in ("<", ">", "|", "="):
            raise Refused(f"the description of an element type is not in numpy's form: {_show(state)}")
        if any(part is not None for part in state[2:5]):
            raise Refused("it holds a structured element type; weights are plain numbers")
        if state[1] == ">":
            target.dtype = target.dtype.newbyteorder(">")
    else:
        raise Hostile(f"it sets the state of {_show(target)}; only arrays have one")


# -- the words --------------------------------------------------------------------------------------------------------
def _reconstruct(arguments: tuple, charge: Charge) -> ArraySlot:
    if len(arguments) != 3 or arguments[0] != Symbol("numpy", "ndarray"):
        raise Refused(f"it makes an array in an unknown way: {_show(arguments)}")
    return ArraySlot()  # the shape given here is always (0,): the true one follows with the contents


def _dtype(arguments: tuple, charge: Charge) -> DtypeSlot:
    code = arguments[0] if arguments else None
    if isinstance(code, str) and code.lstrip("<>=|") in _ELEMENT_TYPES:
        return DtypeSlot(np.dtype(code))
    kind = "Python objects" if isinstance(code, str) and code.lstrip("<>=|")[:1] == "O" else _show(code)
    raise Refused(f"it holds an array of {kind}; weights are plain numbers")


def _scalar(arguments: tuple, charge: Charge) -> Any:
    if len(arguments) != 2 or not isinstance(arguments[0], DtypeSlot):
        raise Refused(f"it holds a number that is not in numpy's form: {_show(arguments)}")
    return _array(arguments[1], arguments[0].dtype, (), False, charge)[()]


def _from_buffer(arguments: tuple, charge: Charge) -> ArraySlot:
    if len(arguments) != 4 or not isinstance(arguments[1], DtypeSlot) or arguments[3] not in ("C", "F"):
        raise Refused(f"it makes an array in an unknown way: {_show(arguments)}")
    contents, dtype, shape, order = arguments
    return ArraySlot(_array(contents, dtype.dtype, shape, order == "F", charge))


def _encode(arguments: tuple, charge: Charge) -> bytes | Raw:
    """Protocol 2 has no bytes: they stand in the file as Latin-1 characters in UTF-8."""
    if len(arguments) != 2 or arguments[1] not in ("latin1", "latin-1") or not isinstance(arguments[0], str | LongText):
        raise Refused(f"it encodes text in an unknown way: {_show(arguments)}")
    if isinstance(arguments[0], str):
        return arguments[0].encode("latin-1")
    return as_latin1(arguments[0])


def as_latin1(long_text: LongText) -> Raw:
    """One byte per character; piece by piece, so that a large tensor is not in memory three times."""
    if long_text.latin1 is None:
        source = long_text.bytes
        long_text.bytes = source[:0]
        long_text.latin1 = Raw(source if long_text.encoding == "latin-1" else _decode(source))
    return long_text.latin1


def _decode(source: np.ndarray) -> np.ndarray:
    """UTF-8 of Latin-1 characters, uint8 [n] -> the characters, uint8 [m]."""
    cuts = [0]
    while cuts[-1] < source.size:
        cut = min(cuts[-1] + _DECODE_BLOCK_BYTES, source.size)
        if cut < source.size and (source[cut] & 0xC0) == 0x80:
            cut += 1  # not between the two bytes of a character
        cuts.append(cut)
    blocks = [source[start:stop] for start, stop in itertools.pairwise(cuts)]
    characters = sum(int(np.count_nonzero((block & 0xC0) != 0x80)) for block in blocks)
    decoded = np.empty(characters, np.uint8)
    end = 0
    for block in blocks:
        piece = block.tobytes().decode("utf-8").encode("latin-1")
        decoded[end : end + len(piece)] = np.frombuffer(piece, np.uint8)
        end += len(piece)
    return decoded


def _tuple(arguments: tuple, charge: Charge) -> Any:
    """`tuple((name, array))` is how Paddle writes a tensor outside a state dict; its name is not needed."""
    inner = arguments[0] if len(arguments) == 1 else None
    if isinstance(inner, tuple) and len(inner) == 2 and isinstance(inner[0], str) and isinstance(inner[1], ArraySlot):
        return inner[1]
    if isinstance(inner, tuple):
        return inner
    raise Refused(f"it makes a tuple in an unknown way: {_show(arguments)}")


def _ordered_dict(arguments: tuple, charge: Charge) -> dict:
    pairs = arguments[0] if len(arguments) == 1 else []
    if len(arguments) > 1 or not isinstance(pairs, list | tuple):
        raise Refused(f"it makes a dictionary in an unknown way: {_show(arguments)}")
    charge(len(pairs) * 128)
    made = {}
    for pair in pairs:
        if not isinstance(pair, list | tuple) or len(pair) != 2:
            raise Refused(f"it makes a dictionary in an unknown way: {_show(pair)}")
        made[check_key(pair[0])] = pair[1]
    return made


def _bytes(arguments: tuple, charge: Charge) -> Any:
    if not arguments:
        return b""  # how protocol 2 writes no bytes
    if len(arguments) == 1 and isinstance(arguments[0], bytes | Raw):
        return arguments[0]
    raise Refused(f"it makes bytes in an unknown way: {_show(arguments)}")


def _static_tensor(arguments: tuple, charge: Charge) -> ArraySlot:
    """`eval("data", {"data": array})`: Paddle's way of writing a tensor of a static graph. Nothing is evaluated."""
    if len(arguments) == 2 and arguments[0] == "data" and isinstance(arguments[1], dict) and len(arguments[1]) == 1:
        data = arguments[1].get("data")
        if isinstance(data, ArraySlot):
            return data
    raise Hostile("it asks Python to evaluate an expression")


_CALLS: dict[Symbol, Callable[[tuple, Charge], Any]] = {
    Symbol("_codecs", "encode"): _encode,
    Symbol("collections", "OrderedDict"): _ordered_dict,
    Symbol("numpy", "dtype"): _dtype,
    **{Symbol(core, "_reconstruct"): _reconstruct for core in ("numpy.core.multiarray", "numpy._core.multiarray")},
    **{Symbol(core, "scalar"): _scalar for core in ("numpy.core.multiarray", "numpy._core.multiarray")},
    **{Symbol(core, "_frombuffer"): _from_buffer for core in ("numpy.core.numeric", "numpy._core.numeric")},
    **{Symbol(builtins, "tuple"): _tuple for builtins in ("builtins", "__builtin__")},
    **{Symbol(builtins, "bytes"): _bytes for builtins in ("builtins", "__builtin__")},
    **{Symbol(builtins, "bytearray"): _bytes for builtins in ("builtins", "__builtin__")},
    **{Symbol(builtins, "eval"): _static_tensor for builtins in ("builtins", "__builtin__")},
}
_PASSIVE = frozenset({Symbol("numpy", "ndarray")})  # may be named, not called


# -- parts ------------------------------------------------------------------------------------------------------------
def check_key(key: Any) -> Any:
    """The key, if it may name an entry. Tuples may not: hashing a deeply nested one overflows the C stack."""
    if isinstance(key, str | int | float) or key is None:
        return key
    raise Refused(f"an entry is named by {_show(key)} instead of a short text")


def _array(contents: Any, dtype: np.dtype, shape: Any, column_major: bool, charge: Charge) -> np.ndarray:
    if not isinstance(shape, tuple) or len(shape) > _MAX_DIMENSIONS:
        raise Refused(f"an array has the shape {_show(shape)}")
    if any(type(size) is not int or size < 0 for size in shape):
        raise Refused(f"an array has the shape {_show(shape)}")
    if isinstance(contents, LongText) and contents.encoding == "latin-1":
        contents = as_latin1(contents)  # the bytes of Python 2
    if isinstance(contents, str):
        contents = contents.encode("latin-1")
    if isinstance(contents, Raw):
        flat = contents.bytes
    elif isinstance(contents, bytes):
        charge(len(contents))
        flat = np.frombuffer(contents, np.uint8).copy()
    else:
        raise Refused(f"an array's contents are {_show(contents)} instead of bytes")
    claimed = math.prod(shape) * dtype.itemsize
    if claimed != flat.size:
        raise Refused(
            f"an array of shape {_show(shape)} and type {dtype} claims {claimed} bytes, {flat.size} are there"
        )
    array = flat.view(dtype).reshape(shape, order="F" if column_major else "C")
    if dtype.byteorder == ">":
        charge(array.nbytes)
        array = array.astype(dtype.newbyteorder("="))
    return array


def _show(value: Any) -> str:
    """A few words about a value from the file; never its whole text, which may be long or nested without end."""
    if isinstance(value, Symbol):
        return repr(str(value))
    if value is None or isinstance(value, bool | float):
        return repr(value)
    if isinstance(value, int):
        return repr(value) if abs(value) < 10**20 else "a huge number"
    if isinstance(value, str):
        return repr(value if len(value) <= 60 else value[:60] + "...")
    if isinstance(value, tuple) and len(value) <= 8 and all(isinstance(item, int) for item in value):
        return "(" + ", ".join(_show(item) for item in value) + ")"
    return f"a {type(value).__name__}"
