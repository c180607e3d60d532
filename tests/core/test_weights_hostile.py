"""Hostile and damaged weight files: nothing runs, memory stays bounded, and the answer is always a WeightsError."""

from __future__ import annotations

import contextlib
import copyreg
import io
import pickle
import random
import struct
import time
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pytest

from pdx_core.errors import WeightsError
from pdx_core.pickle_reader import list_globals
from pdx_core.weight_files import read_state, read_weights

EXTENSION = 240


def text(value: str) -> bytes:
    data = value.encode()
    return b"X" + struct.pack("<I", len(data)) + data


def line(value: str) -> bytes:
    return value.encode() + b"\n"


def attacks(command: str) -> dict[str, bytes]:
    """Pickles that run `command` when an ordinary unpickler reads them."""
    system = b"cos\nsystem\n"
    argument = text(command)
    reduce = b"\x80\x02" + system + argument + b"\x85R."
    passive = b"cbuiltins\ntuple\ncbuiltins\nmap\n" + system + b"](" + argument + b"e"  # runs when walked through
    namespace = b"ctypes\nSimpleNamespace\n)\x81"
    code = f"__import__('os').system({command!r})"
    return {
        "reduce": reduce,
        "stack global": b"\x80\x04" + text("os") + text("system") + b"\x93" + argument + b"\x85R.",
        "eval": b"\x80\x02cbuiltins\neval\n" + text(code) + b"\x85R.",
        "eval with data": b"\x80\x02cbuiltins\neval\n" + text(code) + b"}" + text("data") + b"Ns\x86R.",
        "inst": b"\x80\x02(" + argument + b"ios\nsystem\n.",
        "obj": b"\x80\x02(" + system + argument + b"o.",
        "newobj": b"\x80\x02" + passive + b"\x86\x81\x85\x81.",
        "newobj_ex": b"\x80\x04" + passive + b"\x86}\x92\x85}\x92.",
        "build": b"\x80\x02" + namespace + b"}" + text("__setstate__") + system + b"sb" + argument + b"b.",
        "ext": b"\x80\x02\x82" + bytes([EXTENSION]) + argument + b"\x85R.",
        "nested": b"\x80\x03c_pickle\nloads\nB" + struct.pack("<I", len(reduce)) + reduce + b"\x85R.",
        "memo": b"\x80\x02" + system + b"q\x070" + b"}" + text("w") + b"h\x07" + argument + b"\x85Rs.",
        "inside a state dict": b"\x80\x02}" + text("conv.weight") + system + argument + b"\x85Rs.",
        "as a key": b"\x80\x02}" + system + argument + b"\x85RK\x01s.",
        "after an array": b"\x80\x02" + pickle.dumps(np.ones(3), 2)[2:-1] + b"0" + system + argument + b"\x85R.",
    }


@pytest.fixture
def canary(tmp_path: Path) -> Path:
    return tmp_path / "canary"


@pytest.mark.parametrize("family", sorted(attacks("")))
def test_attack_is_refused_and_does_not_run(family: str, tmp_path: Path, canary: Path) -> None:
    data = attacks(f"touch {canary}")[family]
    copyreg.add_extension("os", "system", EXTENSION)
    try:
        with contextlib.suppress(TypeError, ValueError):  # the command has run by then
            pickle.loads(data)
        assert canary.exists(), "the attack does not even work on pickle"
        canary.unlink()
        for suffix in (".pdparams", ".pdopt", ".pdema", ".pdstates", ".safetensors"):
            file = tmp_path / f"weights{suffix}"
            file.write_bytes(data)
            for read in (read_weights, read_state):
                with pytest.raises(WeightsError, match=r"refused: .*Nothing of it was run"):
                    read(file)
            list_globals(io.BytesIO(data))
    finally:
        copyreg.remove_extension("os", "system", EXTENSION)
    time.sleep(0.01)
    assert not canary.exists()


def test_attack_in_a_zip_or_a_folder_is_refused(tmp_path: Path, canary: Path) -> None:
    data = attacks(f"touch {canary}")["reduce"]
    file = tmp_path / "a.pdparams"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("archive/data.pkl", data)
    with pytest.raises(WeightsError, match="PyTorch"):
        read_weights(file)
    folder = tmp_path / "b.pdparams"
    folder.mkdir()
    (folder / "data.pkl").write_bytes(data)
    with pytest.raises(WeightsError, match="is a folder"):
        read_weights(folder)
    assert not canary.exists()


@pytest.mark.parametrize(
    "named",
    [
        "posix.system",
        "numpy.core.multiarray.fromfile",
        "numpy.load",
        "numpy.ndarray.tofile",
        "numpy.f2py.crackfortran.myeval",
        "builtins.getattr",
        "builtins.exec",
        "builtins.map",
        "_codecs.open",
        "collections.OrderedDict.fromkeys",
    ],
)
def test_names_beside_the_list_are_refused_and_shown(named: str, tmp_path: Path) -> None:
    module, _, name = named.rpartition(".")
    data = b"\x80\x02c" + line(module) + line(name) + b"."
    (tmp_path / "w.pdparams").write_bytes(data)
    with pytest.raises(WeightsError, match=named):
        read_weights(tmp_path / "w.pdparams")
    assert list(list_globals(io.BytesIO(data))) == [named]


def test_globals_of_protocol_4_are_listed_through_the_memo() -> None:
    data = pickle.dumps({"a": np.ones(2), "b": np.zeros(2)}, 4)
    names = {name.replace("_core", "core") for name in list_globals(io.BytesIO(data))}
    assert names == {"numpy.core.multiarray._reconstruct", "numpy.ndarray", "numpy.dtype"}


# -- bombs -------------------------------------------------------------------------------------------------------------
def array(contents: bytes, shape: bytes, code: str = "f8", order: bytes = b"<") -> bytes:
    dtype = b"cnumpy\ndtype\n" + text(code) + b"\x89\x88\x87R(K\x03" + text(order.decode())
    dtype += b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
    made = b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85C\x01b\x87R"
    return made + b"(K\x01" + shape + dtype + b"\x89" + contents + b"tb"


def bytes8(count: int, data: bytes = b"") -> bytes:
    return b"\x8e" + struct.pack("<Q", count) + data


def laughs() -> bytes:
    levels = b"".join(b"]" + b"(" + b"h" + bytes([index]) * 1 + (b"h" + bytes([index])) * 9 + b"eq" + bytes([index + 1])
                      for index in range(50))  # fmt: skip
    return b"\x80\x04]q\x00" + levels + b"."


def bombs() -> dict[str, bytes]:
    million = 1_000_000
    wide = "\U0001f600" + "a" * 4000
    shared = bytes8(8 * million, b"\0" * 8 * million) + b"q\x05" + b"0"
    big_endian = array(b"h\x05", b"J" + struct.pack("<i", million) + b"\x85", order=b">")
    part = pickle.dumps(np.zeros(million), 4)[2:-1]
    slices = text("slices") + b"](" + text("p") * 500 + b"e" + text("OriginShape") + b"J"
    slices += struct.pack("<i", 500 * million) + b"\x85"
    return {
        "10^10 doubles": b"\x80\x04" + array(bytes8(8, b"12345678"), b"\x8a\x05\x00\xe4\x0bT\x02\x85") + b".",
        "bytes that are not there": b"\x80\x04" + bytes8(1 << 40) + b".",
        "bytes beyond 64 bits": b"\x80\x04" + bytes8((1 << 64) - 1) + b".",
        "text that is not there": b"\x80\x04\x8d" + struct.pack("<Q", 1 << 40) + b".",
        "bytearray that is not there": b"\x80\x05\x96" + struct.pack("<Q", 1 << 40) + b".",
        "huge whole number": b"\x80\x04\x8b" + struct.pack("<I", 8 * million) + b"\x7f" * 8 * million + b".",
        "negative length": b"\x80\x04\x8b\xff\xff\xff\xff.",
        "nested tuples": b"\x80\x04N" + b"\x85" * million + b".",
        "nested lists": b"\x80\x04" + b"]" * million + b"a" * (million - 1) + b".",
        "nested dictionaries": b"\x80\x04" + (b"}" + text("a")) * 100_000 + b"N" + b"s" * 100_000 + b".",
        "nested marks": b"\x80\x04" + b"(" * 5 * million + b".",
        "memo flood": b"\x80\x04N" + b"\x94" * 5 * million + b".",
        "memo far away": b"\x80\x04Nr\xff\xff\xff\x7fj\xff\xff\xff\x7f\x86.",
        "flood of lists": b"\x80\x04](" + b"]" * 5 * million + b"e.",
        "flood of references": b"\x80\x04]" + b"2" * 5 * million + b".",
        "flood of empty texts": b"\x80\x04](" + b"\x8c\x00" * 3 * million + b"e.",
        "flood of wide texts": b"\x80\x04](" + text(wide) * 5000 + b"e.",
        "flood of symbols": b"\x80\x04](" + b"cnumpy\nndarray\n" * 500_000 + b"e.",
        "flood of arrays": b"\x80\x04](" + array(b"C\x00", b"K\x00\x85") * 50_000 + b"e.",
        "billion laughs": laughs(),
        "list in itself": b"\x80\x04]q\x00h\x00a.",
        "dictionary in itself": b"\x80\x04}q\x00" + text("a") + b"h\x00s.",
        "one buffer in many byte orders": b"\x80\x04" + shared + b"](" + big_endian * 1000 + b"e.",
        "one piece used often": b"\x80\x04}(" + text("p") + part + text("UnpackBigParamInfor@@") + b"}" + text("w")
        + b"}(" + slices + b"ussu.",
        "shape of zero and much": b"\x80\x04" + array(b"C\x00", b"K\x00\x8a\x08" + b"\xff" * 7 + b"\x7f\x86") + b".",
        "negative shape": b"\x80\x04" + array(b"C\x08" + b"0" * 8, b"J\xff\xff\xff\xff\x85") + b".",
        "too many dimensions": b"\x80\x04" + array(b"C\x08" + b"0" * 8, b"(" + b"K\x01" * 65 + b"t") + b".",
        "unhashable key": b"\x80\x04}]Ns.",
        "tuple key": b"\x80\x04}N" + b"\x85" * 500_000 + b"Ns.",
        "underflow": b"\x80\x04\x87.",
        "endless frame": b"\x80\x04\x95\xff\xff\xff\xff\xff\xff\xff\x7fN.",
        "objects": b"\x80\x04" + array(bytes8(8, b"12345678"), b"K\x01\x85", "O8") + b".",
        "structured": b"\x80\x04" + array(bytes8(8, b"12345678"), b"K\x01\x85", "V8") + b".",
        "array without contents": array(b"", b"").partition(b"(")[0].join((b"\x80\x04", b".")),
    }  # fmt: skip


@pytest.mark.parametrize("name", sorted(bombs()))
def test_bomb_is_refused_quickly_and_in_bounded_memory(name: str, tmp_path: Path) -> None:
    data = bombs()[name]
    file = tmp_path / "bomb.pdparams"
    file.write_bytes(data)
    size = len(data)
    del data
    tracemalloc.start()
    began = time.process_time()
    try:
        with pytest.raises(WeightsError) as caught:
            read_weights(file)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak <= 2 * size + (64 << 20), f"{peak >> 20} MB for {size} bytes"
    assert time.process_time() - began < 30  # tracing itself is slow
    assert len(str(caught.value)) < 1000
    if size < 1 << 20:
        with file.open("rb") as stream:
            list_globals(stream)


def valid_file(protocol: int) -> bytes:
    rng = np.random.default_rng(0)
    state = {f"block{index}.weight": rng.standard_normal((4, 3)).astype("float32") for index in range(12)}
    return pickle.dumps({**state, "StructuredToParameterName@@": {name: name for name in state}, "lr": 0.5}, protocol)


def mutations(count: int) -> list[bytes]:
    """Valid files with bytes changed, cut out, repeated or put in."""
    generator = random.Random(0)
    made = []
    for index in range(count):
        data = bytearray(valid_file(2 + index % 4))
        for _ in range(generator.choice((1, 1, 2, 8))):
            position = generator.randrange(len(data))
            kind = generator.randrange(4)
            if kind == 0:
                data[position] = generator.randrange(256)
            elif kind == 1:
                data[position] ^= 1 << generator.randrange(8)
            elif kind == 2:
                del data[position : position + generator.randrange(1, 20)]
            else:
                data[position:position] = generator.randbytes(generator.randrange(1, 9))
        made.append(bytes(data))
    return made


def fuzz(count: int, folder: Path) -> None:
    file = folder / "fuzz.pdparams"
    outcomes = {"read": 0, "refused": 0}
    tracemalloc.start()
    try:
        for data in mutations(count):
            file.write_bytes(data)
            tracemalloc.reset_peak()
            before = tracemalloc.get_traced_memory()[0]
            try:
                read_state(file)
                outcomes["read"] += 1
            except WeightsError:
                outcomes["refused"] += 1
            assert tracemalloc.get_traced_memory()[1] - before <= 2 * len(data) + (64 << 20), data
    finally:
        tracemalloc.stop()
    assert outcomes["read"] > count * 0.1  # a changed weight cannot be seen without a checksum
    assert outcomes["refused"] > count * 0.3


def test_2000_mutations_are_read_or_refused(tmp_path: Path) -> None:
    fuzz(2000, tmp_path)


@pytest.mark.sweep
def test_100000_mutations_are_read_or_refused(tmp_path: Path) -> None:
    fuzz(100_000, tmp_path)
