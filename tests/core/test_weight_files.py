"""Reading every form that Paddle writes, writing our own, and refusing what is neither."""

from __future__ import annotations

import hashlib
import pickle
import struct
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy

from pdx_core.errors import PdxError, WeightsError
from pdx_core.weight_files import (
    bfloat16_to_float32,
    float32_to_bfloat16,
    read_state,
    read_weights,
    save_state,
    save_weights,
)


def state() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(3)
    return {
        "conv.weight": rng.standard_normal((8, 3, 3, 3)).astype(np.float32),
        "conv.bias": np.arange(8, dtype=np.float32),
        "norm._mean": rng.standard_normal(8).astype(np.float64),
        "steps": np.array(7, np.int64),
        "empty": np.zeros((0, 4), np.float32),
        "half": np.array([1.5, -2], np.float16),
        "mask": np.array([True, False]),
        "long": rng.standard_normal(3000).astype(np.float32),
    }


def same(found: dict, expected: dict) -> None:
    assert list(found) == list(expected)
    for name, array in expected.items():
        assert found[name].dtype == array.dtype
        assert found[name].shape == array.shape
        assert np.array_equal(found[name], array)


def written(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@pytest.mark.parametrize("core", [b"numpy.core", b"numpy._core"])
def test_all_protocols_and_both_numpy_generations(protocol: int, core: bytes, tmp_path: Path) -> None:
    table = {"StructuredToParameterName@@": {"conv.weight": "conv2d_0.w_0"}}
    data = pickle.dumps({**state(), **table}, protocol)
    for other in (b"numpy._core", b"numpy.core"):
        for module in (b".multiarray", b".numeric"):
            old, new = other + module, core + module
            data = data.replace(b"c" + old + b"\n", b"c" + new + b"\n")
            data = data.replace(b"\x8c" + bytes([len(old)]) + old, b"\x8c" + bytes([len(new)]) + new)
    if protocol >= 4:  # the frame's length changes with the names; readers of files may ignore it
        data = data[:2] + data[11:]
    same(read_weights(written(tmp_path / "w.pdparams", data)), state())


def test_column_major_and_big_endian_arrays(tmp_path: Path) -> None:
    expected = np.arange(6, dtype=np.float32).reshape(2, 3)
    data = pickle.dumps({"f": np.asfortranarray(expected), "b": expected.astype(">f4")}, 4)
    found = read_weights(written(tmp_path / "w.pdparams", data))
    assert np.array_equal(found["f"], expected)
    assert np.array_equal(found["b"], expected)
    assert found["b"].dtype.isnative


def test_bfloat16_comes_as_float32_and_stays_one_under_two_names(tmp_path: Path) -> None:
    bits = np.array([0x3F80, 0xC000, 0x7F80], np.uint16)  # 1, -2, infinity
    file = written(tmp_path / "w.pdparams", pickle.dumps({"a": bits, "b": bits}, 4))
    found = read_weights(file)
    assert found["a"].dtype == np.float32
    assert found["a"].tolist() == [1, -2, float("inf")]
    assert found["a"] is found["b"]
    assert read_state(file)["a"].dtype == np.uint16


def test_bfloat16_rounds_to_nearest_even() -> None:
    values = np.array([1.0, 1.00390625, 1.01171875, -3.3895314e38, np.nan], np.float32)
    # 1 + 1/256 lies midway between 1 and 1 + 1/128: to even, 1; 1 + 3/256 midway to 1 + 1/64
    found = bfloat16_to_float32(float32_to_bfloat16(values))
    assert found[:3].tolist() == [1.0, 1.0, 1.015625]
    assert np.isfinite(found[3])
    assert np.isnan(found[4])
    assert float32_to_bfloat16(np.float32(1).reshape(())).shape == ()


def test_tensors_outside_a_state_dict(tmp_path: Path) -> None:
    """Paddle writes `tuple((name, array))` in eager mode and `eval("data", {...})` for tensors of static graphs."""
    array = pickle.dumps(np.arange(3.0), 2)[2:-1]
    named = b"c__builtin__\ntuple\nX\x01\x00\x00\x00w" + array + b"\x86\x85R"
    static = b"c__builtin__\neval\nX\x04\x00\x00\x00data}X\x04\x00\x00\x00data" + array + b"s\x86R"
    for value in (named, static):
        file = written(tmp_path / "w.pdparams", b"\x80\x02}X\x01\x00\x00\x00a" + value + b"s.")
        assert read_weights(file)["a"].tolist() == [0, 1, 2]
        assert read_state(written(tmp_path / "one.pdparams", b"\x80\x02" + value + b".")).tolist() == [0, 1, 2]
    with pytest.raises(WeightsError, match="a single tensor"):
        read_weights(tmp_path / "one.pdparams")


def test_arrays_in_pieces_are_joined(tmp_path: Path) -> None:
    pieces = {"w@@.0": np.arange(4.0), "w@@.1": np.arange(4.0, 6.0)}
    table = {"UnpackBigParamInfor@@": {"w": {"OriginShape": (2, 3), "slices": ["w@@.0", "w@@.1"]}}}
    found = read_weights(written(tmp_path / "w.pdparams", pickle.dumps({**pieces, "b": np.zeros(1), **table}, 2)))
    assert sorted(found) == ["b", "w"]
    assert found["w"].tolist() == [[0, 1, 2], [3, 4, 5]]


def test_files_of_python_2(tmp_path: Path) -> None:
    contents = np.arange(2, dtype="<f4").tobytes()
    dtype = b"cnumpy\ndtype\nU\x02f4K\x00K\x01\x87R(K\x03U\x01<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
    array = b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R(K\x01K\x02\x85" + dtype
    array += b"\x89U\x08" + contents + b"tb"
    data = b"\x80\x02ccollections\nOrderedDict\n]](U\x01w" + array + b"ea\x85R."
    assert read_weights(written(tmp_path / "w.pdparams", data))["w"].tolist() == [0, 1]


def test_optimiser_and_training_state_come_back(tmp_path: Path) -> None:
    value = {
        "moment": np.ones((2, 2), np.float32),
        "LR_Scheduler": OrderedDict(last_epoch=3, last_lr=0.1),
        "random": (3, tuple(range(700)), None),
        "big": 2**127 - 1,
        "flags": [True, False, None, "ä😀", b"\x00\xff", -5, 70000, 1e-3],
        "scalar": np.float32(2.5),
        3: "a number as key",
        "text": "x" * 100_000,
        "bytes": bytes(100_000),
    }
    save_state(value, tmp_path / "a.pdstates")
    found = read_state(tmp_path / "a.pdstates")
    assert found.pop("moment").tolist() == value.pop("moment").tolist()
    assert found == value
    with pytest.raises(WeightsError, match="state of an optimiser"):
        save_state({"LR_Scheduler": {}}, tmp_path / "b.pdopt")
        read_weights(tmp_path / "b.pdopt")


@pytest.mark.parametrize("value", [{1, 2}, object(), {"a": lambda: 0}, np.array(["text"]), {(1, 2): 3}, Path("a")])
def test_saving_refuses_what_reading_would(value: object, tmp_path: Path) -> None:
    with pytest.raises(TypeError, match=r"value.*cannot be saved"):
        save_state(value, tmp_path / "a.pdstates")
    assert not list(tmp_path.iterdir())


def test_own_files_are_ordinary_pickles_and_notice_every_flipped_bit(tmp_path: Path) -> None:
    file = tmp_path / "w.pdparams"
    save_weights(state(), file)
    same(read_weights(file), state())
    with file.open("rb") as stream:
        same(pickle.load(stream), state())
    data = file.read_bytes()
    assert b"numpy.core.multiarray" in data
    assert b"numpy._core" not in data  # which numpy before 1.26 does not know
    noticed = 0
    positions = np.random.default_rng(0).integers(0, len(data), 300)
    for position in positions:
        damaged = bytearray(data)
        damaged[position] ^= 1 << int(position) % 8
        file.write_bytes(damaged)
        with pytest.raises(WeightsError):
            read_weights(file)
        noticed += 1
    assert noticed == len(positions)
    file.write_bytes(data[: len(data) // 2])
    with pytest.raises(WeightsError, match="ends too early"):
        read_weights(file)


def test_checksum_beside_the_file_is_honoured(tmp_path: Path) -> None:
    data = pickle.dumps(state(), 4)
    file = written(tmp_path / "w.pdparams", data)
    sidecar = tmp_path / "w.pdparams.sha256"
    sidecar.write_text(f"{hashlib.sha256(data).hexdigest().upper()}  w.pdparams\n")
    same(read_weights(file), state())
    flipped = bytearray(data)
    flipped[-40] ^= 4  # inside a tensor: nothing else would notice
    file.write_bytes(flipped)
    with pytest.raises(WeightsError, match="damaged or another one"):
        read_weights(file)
    sidecar.write_text("no checksum")
    with pytest.raises(WeightsError, match="64 hexadecimal digits"):
        read_weights(file)


def test_safetensors_with_all_types(tmp_path: Path) -> None:
    file = tmp_path / "w.safetensors"
    safetensors.numpy.save_file(state(), file)
    found = read_weights(file)
    same({name: found[name] for name in sorted(found)}, dict(sorted(state().items())))
    header = b'{"a":{"dtype":"BF16","shape":[2],"data_offsets":[0,4]}}'
    written(file, struct.pack("<Q", len(header)) + header + np.array([0x3F80, 0xC000], "<u2").tobytes())
    assert read_weights(file)["a"].tolist() == [1, -2]


def safetensors_of(header: bytes, length: int | None = None) -> bytes:
    return struct.pack("<Q", len(header) if length is None else length) + header + bytes(16)


DAMAGED = {
    "empty": (b"", "empty"),
    "html": (b"<!DOCTYPE html><html>404</html>", "web page"),
    "xml": (b'<?xml version="1.0"?><Error><Code>NoSuchKey</Code></Error>', "web page"),
    "lfs": (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 5\n", "Git LFS"),
    "torch zip": (b"PK\x03\x04" + bytes(26) + b"archive/data.pkl", "PyTorch"),
    "torch old": (b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.", "PyTorch"),
    "onnx": (b"\x08\x07\x12\x07pytorch\x1a\x051.9.0", "ONNX"),
    "gzip": (b"\x1f\x8b\x08" + bytes(20), "archive"),
    "tar": (b"a" + bytes(256) + b"ustar\x0000" + bytes(300), "archive"),
    "npz": (b"PK\x03\x04" + bytes(26) + b"a.npy", "numpy archive"),
    "hdf5": (b"\x89HDF\r\n\x1a\n", "HDF5"),
    "raw": (bytes(100), "holds no names"),
    "yaml": (b"Global:\n  model: ResNet50\n", "text file"),
    "random": (bytes(range(200, 256)) * 10, "not a weight file"),
    "one byte": (b"\x80", "ends too early"),
    "protocol 1": (b"(dp0\n.", "text file|not a weight file"),
    "protocol 9": (b"\x80\x09N.", "protocol 9"),
    "tail": (pickle.dumps({"a": np.ones(2)}, 4) + b"x", "follow after its end"),
    "no tensor": (pickle.dumps({}, 4), "no tensor"),
    "not named": (pickle.dumps([np.ones(2)], 4), "a single list"),
    "not tensors": (pickle.dumps({"a": "b"}, 4), "'a' is a str"),
    "safetensors cut": (safetensors_of(b'{"a":', 1000), "ends within its header"),
    "safetensors json": (safetensors_of(b'{"a":'), "header is damaged"),
    "safetensors list": (safetensors_of(b'{"a":[1]}'), "cannot be read"),
    "safetensors deep": (safetensors_of(b'{"a":' + b"[" * 100_000), "header is damaged"),
    "safetensors offsets": (
        safetensors_of(b'{"a":{"dtype":"F32","shape":[4],"data_offsets":[0,99]}}'),
        "cannot be read",
    ),
    "safetensors overlap": (
        safetensors_of(
            b'{"a":{"dtype":"F32","shape":[4],"data_offsets":[0,16]},"b":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}}'
        ),
        "cannot be read",
    ),
    "safetensors type": (safetensors_of(b'{"a":{"dtype":"F8_E4M3","shape":[16],"data_offsets":[0,16]}}'), "F8_E4M3"),
    "safetensors many": (
        safetensors_of(
            b"{"
            + b",".join(b'"%d":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}' % index for index in range(60_000))
            + b"}"
        ),
        "60000 tensors",
    ),
    "safetensors bloat": (safetensors_of(b'{"a":"' + b" " * (9 << 20) + b'"}'), "larger than any network"),
}


@pytest.mark.parametrize("kind", sorted(DAMAGED))
def test_what_is_no_weight_file_is_named(kind: str, tmp_path: Path) -> None:
    data, message = DAMAGED[kind]
    for name in ("w.pdparams", "Gewichte ä 权重 😀.safetensors"):
        file = written(tmp_path / name, data)
        with pytest.raises(WeightsError, match=message) as caught:
            read_weights(file)
        assert str(caught.value).startswith(str(file))
        assert "Traceback" not in str(caught.value)


def test_every_truncation_is_refused(tmp_path: Path) -> None:
    data = pickle.dumps({"w": np.arange(6.0), "b": np.arange(2.0)}, 4)
    for count in range(len(data)):
        with pytest.raises(WeightsError):
            read_weights(written(tmp_path / "w.pdparams", data[:count]))


def test_paths(tmp_path: Path) -> None:
    save_weights({"w": np.ones(1)}, tmp_path / "best_model.pdparams")
    assert read_weights(tmp_path / "best_model")["w"].tolist() == [1]  # as PaddleClas writes its paths
    with pytest.raises(WeightsError, match=r"no such file.*best_model\.pdparams"):
        read_weights(tmp_path / "bestmodel.pdparams")
    with pytest.raises(WeightsError, match=r"is a folder.*best_model\.pdparams"):
        read_weights(tmp_path)
    with pytest.raises(WeightsError, match="not a regular file"):
        read_weights("/dev/null")
    with pytest.raises(WeightsError):
        read_weights("x" * 5000)
    with pytest.raises(WeightsError):
        read_weights("a\0b")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    with pytest.raises(WeightsError):
        read_weights(tmp_path / "loop")
    with pytest.raises(PdxError):
        save_weights({"w": np.ones(1)}, tmp_path / "best_model.pdparams" / "x.pdparams")
