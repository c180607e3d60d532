"""The stack machine behind `pickle_reader`: one method per step of the pickle language, and no step that runs code."""

from __future__ import annotations

import pickletools
import struct
from typing import IO, Any

import numpy as np

from pdx_core.pickle_symbols import Hostile, LongText, Raw, Refused, Symbol, build, call, check_key, check_symbol
from pdx_core.pickle_values import Finisher

PROTOCOLS = range(2, 6)
_ALLOWANCE_BYTES = 40 << 20  # beside the size of the file, for Python's objects
_SHORT_TEXT_BYTES = 4096  # longer text is kept as it is: in protocol 2 it is the contents of a tensor
_SHORT_BYTES = 1024
_MAX_STEPS = 2_000_000
_MAX_INT_BYTES = 64


class Machine:
    """Reads one pickle of `size` bytes. Its methods are named after the steps of the pickle documentation."""

    def __init__(self, stream: IO[bytes], size: int) -> None:
        self._stream = stream
        self._left = size
        self._size = size
        self._stack: list[Any] = []
        self._outer: list[list[Any]] = []  # stacks below the open marks
        self._memo: dict[int, Any] = {}
        self._allowance = size + _ALLOWANCE_BYTES

    def run(self) -> Any:
        try:
            value = self._steps()
            return Finisher(self._charge, self._size).finish(value)
        except Refused as error:
            raise type(error)(f"{error} (byte {self._size - self._left} of {self._size})") from None
        except (IndexError, KeyError, ValueError, TypeError, OverflowError, struct.error) as error:
            position = self._size - self._left
            raise Refused(f"its structure is damaged at byte {position} of {self._size}") from error
        except MemoryError as error:
            raise Refused("there is not enough memory for it") from error

    def _steps(self) -> Any:
        steps = 0
        while True:
            code = self._read(1)
            if code == b".":
                break
            step = _STEPS.get(code)
            if step is None:
                raise _refusal(code)
            method, cost = step
            steps += 1
            self._allowance -= cost
            if self._allowance < 0 or steps > _MAX_STEPS:
                raise Refused("it would need far more memory than its size justifies")
            method(self)
        if self._outer or len(self._stack) != 1:
            raise Refused("it ends in the middle of something")
        if self._left:
            raise Refused(f"{self._left} bytes follow after its end")
        return self._stack.pop()

    # -- input -------------------------------------------------------------------------------------------------------
    def _read(self, count: int) -> bytes:
        if count > self._left:
            raise Refused(f"it ends too early, {count} more bytes were announced")
        data = self._stream.read(count)
        self._left -= len(data)
        if len(data) != count:
            raise Refused("it became shorter while it was read")
        return data

    def _number(self, count: int) -> int:
        return int.from_bytes(self._read(count), "little")

    def _contents(self, count: int) -> np.ndarray:
        if count > self._left:
            raise Refused(f"it ends too early: {count} bytes were announced, {self._left} are left")
        contents = np.empty(count, np.uint8)
        if count and self._stream.readinto(memoryview(contents)) != count:  # type: ignore[attr-defined]
            raise Refused("it became shorter while it was read")
        self._left -= count
        return contents

    def _line(self) -> str:
        line = self._stream.readline(min(self._left, 512))
        self._left -= len(line)
        if not line.endswith(b"\n"):
            raise Refused("a name is too long")
        return line[:-1].decode("utf-8")

    def _charge(self, count: int) -> None:
        self._allowance -= count
        if self._allowance < 0:
            raise Refused("it would need far more memory than its size justifies")

    # -- steps -------------------------------------------------------------------------------------------------------
    def proto(self) -> None:
        protocol = self._number(1)
        if protocol not in PROTOCOLS:
            raise Refused(f"it is a pickle of protocol {protocol}; Paddle writes 2 to 4")

    def frame(self) -> None:
        if self._number(8) > self._left:
            raise Refused("it ends too early")

    def mark(self) -> None:
        self._outer.append(self._stack)
        self._stack = []

    def _items(self) -> list[Any]:
        items = self._stack
        self._stack = self._outer.pop()
        return items

    def pop(self) -> None:
        if self._stack:
            self._stack.pop()
        else:
            self._items()

    def pop_mark(self) -> None:
        self._items()

    def dup(self) -> None:
        self._stack.append(self._stack[-1])

    def none(self) -> None:
        self._stack.append(None)

    def true(self) -> None:
        self._stack.append(True)

    def false(self) -> None:
        self._stack.append(False)

    def integer1(self) -> None:
        self._stack.append(self._number(1))

    def integer2(self) -> None:
        self._stack.append(self._number(2))

    def integer4(self) -> None:
        self._stack.append(int.from_bytes(self._read(4), "little", signed=True))

    def long1(self) -> None:
        self._long(self._number(1))

    def long4(self) -> None:
        self._long(self._number(4))

    def _long(self, count: int) -> None:
        if count > _MAX_INT_BYTES:
            raise Refused(f"it holds a whole number of {count} bytes")
        self._stack.append(int.from_bytes(self._read(count), "little", signed=True))

    def float(self) -> None:
        self._stack.append(struct.unpack(">d", self._read(8))[0])

    def text1(self) -> None:
        self._text(self._number(1), "utf-8")

    def text4(self) -> None:
        self._text(self._number(4), "utf-8")

    def text8(self) -> None:
        self._text(self._number(8), "utf-8")

    def string1(self) -> None:  # Python 2: bytes and text are one
        self._text(self._number(1), "latin-1")

    def string4(self) -> None:
        self._text(self._number(4), "latin-1")

    def _text(self, count: int, encoding: str) -> None:
        if count > _SHORT_TEXT_BYTES:
            self._stack.append(LongText(self._contents(count), encoding))
            return
        self._charge(4 * count)  # one character from outside the basic plane widens all
        self._stack.append(str(self._read(count), encoding))

    def bytes1(self) -> None:
        self._bytes(self._number(1))

    def bytes4(self) -> None:
        self._bytes(self._number(4))

    def bytes8(self) -> None:
        self._bytes(self._number(8))

    def _bytes(self, count: int) -> None:
        if count > _SHORT_BYTES:
            self._stack.append(Raw(self._contents(count)))
            return
        self._charge(count)
        self._stack.append(self._read(count))

    def tuple0(self) -> None:
        self._stack.append(())

    def tuple1(self) -> None:
        self._stack[-1:] = [(self._stack[-1],)]

    def tuple2(self) -> None:
        self._stack[-2:] = [(self._stack[-2], self._stack[-1])]

    def tuple3(self) -> None:
        self._stack[-3:] = [(self._stack[-3], self._stack[-2], self._stack[-1])]

    def tuple(self) -> None:
        items = self._items()
        self._stack.append((*items,))

    def empty_list(self) -> None:
        self._stack.append([])

    def list(self) -> None:
        items = self._items()
        self._stack.append(items)

    def append(self) -> None:
        item = self._stack.pop()
        self._growing([item])

    def appends(self) -> None:
        self._growing(self._items())

    def _growing(self, items: list[Any]) -> None:  # type: ignore[valid-type]
        target = self._stack[-1]
        if type(target) is not _LIST:
            raise Refused("it appends to something that is not a list")
        self._charge(16 * len(items))
        target.extend(items)

    def empty_dict(self) -> None:
        self._stack.append({})

    def dict(self) -> None:
        items = self._items()
        self._stack.append({})
        self._entries(items)

    def set_item(self) -> None:
        value = self._stack.pop()
        key = self._stack.pop()
        self._entries([key, value])

    def set_items(self) -> None:
        self._entries(self._items())

    def _entries(self, items: list[Any]) -> None:  # type: ignore[valid-type]
        target = self._stack[-1]
        if type(target) is not _DICT or len(items) % 2:
            raise Refused("it puts entries into something that is not a dictionary")
        self._charge(64 * len(items))
        for index in range(0, len(items), 2):
            target[check_key(items[index])] = items[index + 1]

    def put1(self) -> None:
        self._memo[self._number(1)] = self._stack[-1]

    def put4(self) -> None:
        self._memo[self._number(4)] = self._stack[-1]

    def memoize(self) -> None:
        self._memo[len(self._memo)] = self._stack[-1]

    def get1(self) -> None:
        self._stack.append(self._memo[self._number(1)])

    def get4(self) -> None:
        self._stack.append(self._memo[self._number(4)])

    def global_name(self) -> None:
        module = self._line()
        self._stack.append(check_symbol(Symbol(module, self._line())))

    def stack_global(self) -> None:
        name = self._stack.pop()
        module = self._stack.pop()
        if not isinstance(name, str) or not isinstance(module, str):
            raise Refused("it names a Python object by something that is not text")
        self._stack.append(check_symbol(Symbol(module, name)))

    def reduce(self) -> None:
        arguments = self._stack.pop()
        self._stack[-1] = call(self._stack[-1], arguments, self._charge)

    def build(self) -> None:
        state = self._stack.pop()
        build(self._stack[-1], state, self._charge)


_LIST, _DICT = list, dict  # inside the class these words are steps

# Each step with the bytes of Python objects that it may leave behind; it pays with one or more bytes of the file.
_STEPS: dict[bytes, tuple[Any, int]] = {
    b"\x80": (Machine.proto, 0),
    b"\x95": (Machine.frame, 0),
    b"(": (Machine.mark, 96),
    b"0": (Machine.pop, 0),
    b"1": (Machine.pop_mark, 0),
    b"2": (Machine.dup, 16),
    b"N": (Machine.none, 16),
    b"\x88": (Machine.true, 16),
    b"\x89": (Machine.false, 16),
    b"K": (Machine.integer1, 16),
    b"M": (Machine.integer2, 44),
    b"J": (Machine.integer4, 44),
    b"\x8a": (Machine.long1, 108),
    b"\x8b": (Machine.long4, 108),
    b"G": (Machine.float, 36),
    b"\x8c": (Machine.text1, 80),
    b"X": (Machine.text4, 80),
    b"\x8d": (Machine.text8, 80),
    b"U": (Machine.string1, 80),
    b"T": (Machine.string4, 80),
    b"C": (Machine.bytes1, 80),
    b"B": (Machine.bytes4, 80),
    b"\x8e": (Machine.bytes8, 80),
    b"\x96": (Machine.bytes8, 80),
    b")": (Machine.tuple0, 16),
    b"\x85": (Machine.tuple1, 72),
    b"\x86": (Machine.tuple2, 80),
    b"\x87": (Machine.tuple3, 88),
    b"t": (Machine.tuple, 72),
    b"]": (Machine.empty_list, 80),
    b"l": (Machine.list, 80),
    b"a": (Machine.append, 0),
    b"e": (Machine.appends, 0),
    b"}": (Machine.empty_dict, 80),
    b"d": (Machine.dict, 80),
    b"s": (Machine.set_item, 160),
    b"u": (Machine.set_items, 160),
    b"q": (Machine.put1, 128),
    b"r": (Machine.put4, 128),
    b"\x94": (Machine.memoize, 128),
    b"h": (Machine.get1, 16),
    b"j": (Machine.get4, 16),
    b"c": (Machine.global_name, 400),
    b"\x93": (Machine.stack_global, 200),
    b"R": (Machine.reduce, 400),
    b"b": (Machine.build, 300),
}


def _refusal(code: bytes) -> Refused:
    known = pickletools.code2op.get(code.decode("latin-1"))
    if known is None:
        return Refused(f"byte {code!r} is not a step of a pickle")
    if known.name in ("INST", "OBJ", "NEWOBJ", "NEWOBJ_EX", "EXT1", "EXT2", "EXT4", "PERSID", "BINPERSID"):
        return Hostile(f"it asks Python to make an object by itself ({known.name}), which no weight file needs")
    return Refused(f"it holds a {known.name}, which Paddle does not write")
