"""Reads safetensors files with the safetensors library, after limits on the header that the library does not set."""

from __future__ import annotations

import json
from pathlib import Path
from typing import IO

import numpy as np
from safetensors import SafetensorError, safe_open

from pdx_core.errors import WeightsError

_MAX_HEADER_BYTES = 8 << 20  # about 80,000 tensors
_MAX_ENTRIES = 50_000
_TYPES = frozenset({"BOOL", "I8", "U8", "I16", "I32", "U32", "I64", "U64", "F16", "BF16", "F32", "F64", "U16"})


def read_safetensors(path: Path, stream: IO[bytes], size: int) -> dict[str, np.ndarray]:
    """The tensors by name; bfloat16 as its bits in uint16, as in Paddle's own files. Raises WeightsError."""
    header_bytes = int.from_bytes(stream.read(8), "little")
    if header_bytes > size - 8:
        raise WeightsError(f"{path}: ends within its header; download or copy the file again")
    if header_bytes > _MAX_HEADER_BYTES:
        raise WeightsError(f"{path}: refused: its header of {header_bytes >> 20} MB is larger than any network needs")
    try:
        header = json.loads(stream.read(header_bytes))
    except (ValueError, RecursionError) as error:
        raise WeightsError(f"{path}: its header is damaged ({error}); download or copy the file again") from error
    entries = {name: entry for name, entry in header.items() if name != "__metadata__"}
    if len(entries) > _MAX_ENTRIES:
        raise WeightsError(f"{path}: refused: {len(entries)} tensors, at most {_MAX_ENTRIES} are read")
    try:
        with safe_open(path, framework="np") as library:  # checks offsets, overlaps, shapes and sizes
            tensors = {}
            for name, entry in entries.items():
                if entry["dtype"] not in _TYPES:
                    raise WeightsError(
                        f"{path}: tensor {name[:80]!r} is of type {entry['dtype']}, which pdx does not read"
                    )
                if entry["dtype"] == "BF16":  # numpy has no such type
                    start, stop = entry["data_offsets"]
                    stream.seek(8 + header_bytes + start)
                    bits = np.frombuffer(stream.read(stop - start), "<u2")
                    tensors[name] = bits.reshape(entry["shape"])
                else:
                    tensors[name] = library.get_tensor(name)
            return tensors
    except SafetensorError as error:
        raise WeightsError(f"{path}: cannot be read: {error}. Download or copy the file again") from error
