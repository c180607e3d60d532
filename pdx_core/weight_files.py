"""Reads and writes weight files: `.pdparams` and its sisters without running code from them, and safetensors.

Files that pdx writes are pickles that plain `paddle.load` reads, with the SHA-256 of the pickle in a line after its
end, where a pickle reader no longer looks. So the checksum travels with the file and changes with it in one rename,
which two files beside each other could not promise. `<file>.sha256`, as release pages offer it, is honoured too.
"""

from __future__ import annotations

import hashlib
import os
import pickle
import re
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np

from pdx_core.errors import WeightsError
from pdx_core.files import atomic_write
from pdx_core.pickle_reader import read_pickle
from pdx_core.pickle_symbols import Hostile, Refused
from pdx_core.safetensors_reader import read_safetensors
from pdx_core.weight_formats import recognise

_TRAILER = re.compile(rb"\n#pdx sha256 ([0-9a-f]{64})\n")
_TRAILER_BYTES = 78
_PICKLE_PROTOCOL = 4  # the default of paddle.save
_BLOCK_BYTES = 1 << 20


def read_weights(path: str | Path) -> dict[str, np.ndarray]:
    """The tensors of a weight file by name, in native byte order; bfloat16 comes as float32.

    path: a `.pdparams`, `.pdema` or `.safetensors` file whatever its suffix, or the same without `.pdparams`.

    Raises WeightsError, which says what is wrong with the file and what to do; nothing in the file is ever run. A file
    whose checksum is known (its own, or `<file>.sha256` beside it) is compared with it first.
    """
    path = existing_file(path)
    value = _read(path)
    if not isinstance(value, dict):
        raise WeightsError(f"{path}: holds a single {_kind(value)}, not the named tensors of a network")
    tensors: dict[str, np.ndarray] = {}
    converted: dict[int, np.ndarray] = {}  # one array under two names stays one; all of them are alive at this point
    for name in list(value):
        tensor = value.pop(name)
        if not isinstance(name, str) or not isinstance(tensor, np.ndarray | np.generic):
            raise WeightsError(_not_weights(path, name, tensor))
        if tensor.dtype == np.uint16:
            tensor = converted.setdefault(id(tensor), bfloat16_to_float32(np.asarray(tensor)))
        tensors[name] = np.asarray(tensor)
    if not tensors:
        raise WeightsError(f"{path}: holds no tensor at all; it was saved from an empty network")
    return tensors


def read_state(path: str | Path) -> Any:
    """What `.pdopt`, `.pdstates` and other Paddle files hold: numbers, text, lists, dictionaries and numpy arrays.

    bfloat16 stays uint16, as `set_state_dict` wants it. Raises WeightsError as `read_weights` does.
    """
    return _read(existing_file(path))


def save_weights(tensors: Mapping[str, Any], path: str | Path) -> None:
    """Write named tensors (numpy or Paddle) as a `.pdparams` that `paddle.load` reads: atomically, with checksum."""
    for name, tensor in tensors.items():
        if not isinstance(name, str) or not (hasattr(tensor, "shape") and hasattr(tensor, "dtype")):
            raise TypeError(f"save_weights takes named tensors; {name!r} is a {type(tensor).__name__}")
    save_state(dict(tensors), path)


def save_state(value: Any, path: str | Path) -> None:
    """Write numbers, text, lists, dictionaries and tensors for `read_state` and `paddle.load`, atomically.

    Raises TypeError for anything else: the safe reader would refuse it. Raises PdxError for a folder that cannot be
    written to and WorkFailedError for a full disk; what was there is then kept.
    """
    plain = _plain(value, "value")
    with atomic_write(path) as stream:
        hashing = _HashingStream(stream)
        _PortablePickler(hashing, _PICKLE_PROTOCOL).dump(plain)
        stream.write(b"\n#pdx sha256 " + hashing.digest.hexdigest().encode() + b"\n")


def existing_file(path: str | Path) -> Path:
    """The weight file that a user means by `path`; raises WeightsError when there is none."""
    path = Path(path)
    try:
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        with_suffix = path.with_name(path.name + ".pdparams") if path.name else path
        if with_suffix.is_file():  # PaddleClas and PaddleDetection are given their files without the suffix
            return with_suffix
        raise WeightsError(
            f"{path}: no such file; give the path of a .pdparams or .safetensors file{_neighbours(path.parent)}"
        ) from None
    except (OSError, ValueError) as error:
        raise WeightsError(f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}") from error
    if stat.S_ISDIR(mode):
        raise WeightsError(f"{path} is a folder; give the weight file itself{_neighbours(path)}")
    if not stat.S_ISREG(mode):
        raise WeightsError(f"{path} is not a regular file")
    return path


def bfloat16_to_float32(bits: np.ndarray) -> np.ndarray:
    """uint16 [...], the bits of bfloat16 -> float32 [...]."""
    wide = bits.astype(np.uint32)
    wide <<= 16
    return wide.view(np.float32)


def float32_to_bfloat16(array: np.ndarray) -> np.ndarray:
    """float32 [...] -> uint16 [...], the bits of the nearest bfloat16 (ties to even)."""
    bits = np.ascontiguousarray(array, np.float32).reshape(array.shape).view(np.uint32)
    rounded = (bits + (0x7FFF + ((bits >> 16) & 1))) >> 16
    quiet_nan = (bits >> 16) | 0x40
    return np.where(np.isnan(array), quiet_nan, rounded).astype(np.uint16)


def file_sha256(stream: IO[bytes], count: int | None = None) -> str:
    """The SHA-256, in hex, of the next `count` bytes (default: all)."""
    digest = hashlib.sha256()
    while count is None or count > 0:
        block = stream.read(_BLOCK_BYTES if count is None else min(_BLOCK_BYTES, count))
        if not block:
            break
        digest.update(block)
        count = None if count is None else count - len(block)
    return digest.hexdigest()


# -- reading -----------------------------------------------------------------------------------------------------------
def _neighbours(folder: Path) -> str:
    try:
        names = sorted(entry.name for entry in folder.iterdir() if entry.suffix in (".pdparams", ".safetensors"))
    except OSError:
        return ""
    return f" (in {folder}: {', '.join(names[:5])})" if names else ""


def _read(path: Path) -> Any:
    try:
        with path.open("rb") as stream:
            _check_sidecar(path, stream)
            return _read_stream(path, stream, os.fstat(stream.fileno()).st_size)
    except OSError as error:
        raise WeightsError(f"{path}: cannot be read: {error.strerror or error}") from error


def _read_stream(path: Path, stream: IO[bytes], size: int) -> Any:
    found = recognise(stream, size)
    if found.refusal:
        raise WeightsError(f"{path}: {found.refusal}")
    if found.format == "safetensors":
        return read_safetensors(path, stream, size)
    end = _check_trailer(path, stream, size)
    stream.seek(0)
    try:
        return read_pickle(stream, end)
    except Hostile as error:
        raise WeightsError(
            f"{path}: refused: {error}. Nothing of it was run. Get the file from its origin again; "
            "`pdx weights FILE` lists everything that it asks for"
        ) from error
    except Refused as error:
        raise WeightsError(f"{path}: cannot be read: {error}. Download or copy the file again") from error


def _check_trailer(path: Path, stream: IO[bytes], size: int) -> int:
    """Compare a file of ours with its checksum; returns where its pickle ends."""
    if size <= _TRAILER_BYTES:
        return size
    stream.seek(size - _TRAILER_BYTES)
    trailer = _TRAILER.fullmatch(stream.read(_TRAILER_BYTES))
    if trailer is None:
        return size
    end = size - _TRAILER_BYTES
    stream.seek(0)
    if file_sha256(stream, end) != trailer[1].decode():
        raise WeightsError(
            f"{path}: has changed since it was saved (its checksum differs); copy it again or use another"
        )
    return end


def _check_sidecar(path: Path, stream: IO[bytes]) -> None:
    sidecar = path.with_name(path.name + ".sha256")
    try:
        with sidecar.open("rb") as other:
            words = other.read(4096).split()
    except FileNotFoundError:
        return
    expected = words[0].decode("latin-1").lower() if words else ""
    if not re.fullmatch("[0-9a-f]{64}", expected):
        raise WeightsError(f"{sidecar}: does not begin with a SHA-256 of 64 hexadecimal digits; mend or remove it")
    found = file_sha256(stream)
    stream.seek(0)
    if found != expected:
        raise WeightsError(
            f"{path}: has SHA-256 {found[:16]}..., but {sidecar.name} beside it says {expected[:16]}...; the file is "
            "damaged or another one: download or copy both again"
        )


def _not_weights(path: Path, name: Any, value: Any) -> str:
    label = repr(name)[:80]
    if name in ("LR_Scheduler", "master_weights"):
        return f"{path}: is the state of an optimiser ({label}); the weights are in the .pdparams file beside it"
    return f"{path}: entry {label} is a {_kind(value)}, not a tensor; this is not the state dict of a network"


def _kind(value: Any) -> str:
    return "tensor" if isinstance(value, np.ndarray) else type(value).__name__


# -- writing -----------------------------------------------------------------------------------------------------------
class _HashingStream:
    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self.digest = hashlib.sha256()

    def write(self, data: Any) -> int:
        self.digest.update(data)
        return self._stream.write(data)


class _PortablePickler(pickle._Pickler):
    """Names numpy's functions as numpy 1 does: numpy 2 reads both, numpy before 1.26 (Paddle 2.6) reads only these.

    The pickler written in C offers no place for this; time goes into the arrays, which both write at once.
    """

    def save_global(self, obj: Any, name: str | None = None) -> None:
        module = getattr(obj, "__module__", None)
        if module is None or not module.startswith("numpy._core."):
            super().save_global(obj, name)
            return
        self.save(module.replace("numpy._core.", "numpy.core."))
        self.save(name or obj.__qualname__)
        self.write(pickle.STACK_GLOBAL)
        self.memoize(obj)


def _plain(value: Any, where: str) -> Any:
    """The value with Paddle tensors as numpy arrays; TypeError names what the safe reader would refuse."""
    if value is None or type(value) in (bool, int, float, str, bytes):
        return value
    if isinstance(value, Mapping):
        for key in value:
            if type(key) not in (str, int, float, bool):
                raise TypeError(f"{where}: cannot be saved with the key {key!r}")
        return {key: _plain(item, f"{where}[{key!r}]") for key, item in value.items()}
    if type(value) in (list, tuple):
        return type(value)(_plain(item, f"{where}[{index}]") for index, item in enumerate(value))
    if not isinstance(value, np.ndarray | np.generic) and callable(getattr(value, "numpy", None)):
        value = value.numpy()
    if isinstance(value, np.ndarray | np.generic) and value.dtype.kind in "biufc" and value.dtype.itemsize <= 16:
        return value
    raise TypeError(f"{where}: a {type(value).__name__} cannot be saved")
