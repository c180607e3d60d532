"""Recognises what kind of file something is from its first bytes, and says what to do with those pdx does not read."""

from __future__ import annotations

from typing import IO

import attrs

_TORCH_LEGACY = b"\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19"  # the magic number that opens PyTorch's old pickles
_PADDLE_AGAIN = "pdx reads Paddle's .pdparams and safetensors"


@attrs.frozen
class FileFormat:
    """`format` is "pickle", "safetensors" or another name; `refusal` says why pdx does not read it, or is empty."""

    format: str
    refusal: str = ""


def recognise(stream: IO[bytes], size: int) -> FileFormat:
    """Look at the beginning of a file of `size` bytes; the stream is left at position 0."""
    stream.seek(0)
    head = stream.read(1024)
    stream.seek(0)
    if size == 0:
        return FileFormat("empty", "the file is empty; download or copy it again")
    if looks_like_html(head):
        return FileFormat(
            "html",
            "is a web page, not a weight file: the download was answered with an error or login page; get it again",
        )
    if head.startswith(b"version https://git-lfs"):
        return FileFormat("git-lfs", "is a Git LFS pointer, not the file itself; run `git lfs pull` where it came from")
    if head[:1] == b"\x80":
        if _TORCH_LEGACY in head[:24]:
            return FileFormat("pytorch", _from_torch())
        return FileFormat("pickle")
    if head.startswith(b"PK\x03\x04"):
        if b"data.pkl" in head or b"constants.pkl" in head:
            return FileFormat("pytorch", _from_torch())
        if b".npy" in head[:200]:
            return FileFormat(
                "npz", f"is a numpy archive (.npz); {_PADDLE_AGAIN}: load it with numpy and pass the arrays"
            )
        return FileFormat("zip", "is a zip archive; unpack it and give the .pdparams file inside")
    if head[:2] == b"\x1f\x8b" or head[257:262] == b"ustar" or head[:6] == b"\xfd7zXZ\x00" or head[:3] == b"BZh":
        return FileFormat("archive", "is an archive; unpack it and give the .pdparams file inside")
    if head.startswith(b"\x89HDF"):
        return FileFormat("hdf5", f"is an HDF5 file (Keras?); {_PADDLE_AGAIN}")
    if len(head) >= 9 and head[8:9] == b"{" and int.from_bytes(head[:8], "little") < 1 << 40:
        return FileFormat("safetensors")
    if head[:1] == b"\x08" and (b"onnx" in head.lower() or b"pytorch" in head or b"paddle" in head.lower()):
        return FileFormat("onnx", f"is an ONNX model, whose tensors do not carry a network's names; {_PADDLE_AGAIN}")
    if head[:4] == b"\x00\x00\x00\x00":
        return FileFormat(
            "paddle-raw",
            "is Paddle's raw tensor form, as in inference.pdiparams, which holds no names (or zeros after an "
            "interrupted copy); give the .pdparams file that the model was exported from",
        )
    if head.lstrip()[:1] in (b"{", b"[") or (b"\n" in head[:200] and head[:200].isascii() and b"\x00" not in head):
        return FileFormat("text", f"is a text file, not a weight file; {_PADDLE_AGAIN}")
    return FileFormat("unknown", f"is not a weight file or is damaged from its first byte on; {_PADDLE_AGAIN}")


def looks_like_html(head: bytes) -> bool:
    """Whether a file that begins so is a web page (or an XML answer of a storage service)."""
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n")[:200].lower()
    return start.startswith((b"<!doctype", b"<html", b"<head", b"<body", b"<?xml", b"<error"))


def _from_torch() -> str:
    return (
        "is a PyTorch file; its layers are named and laid out otherwise. "
        f"{_PADDLE_AGAIN}: use the Paddle release of the weights"
    )
