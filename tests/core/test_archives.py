"""Archives: only plain files below the folder, all of them or none."""

from __future__ import annotations

import gzip
import io
import struct
import tarfile
import time
import tracemalloc
import zipfile
from pathlib import Path

import pytest

from pdx_core.archives import extract_archive, is_archive, unpacked
from pdx_core.errors import PdxError, WeightsError


def entry(name: str, kind: bytes = tarfile.REGTYPE, link: str = "", size: int = 4) -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    made.type, made.linkname = kind, link
    made.size = size if kind == tarfile.REGTYPE else 0
    return made


def tar(path: Path, *entries: tarfile.TarInfo, mode: str = "w") -> Path:
    with tarfile.open(path, mode) as archive:
        for item in entries:
            archive.addfile(item, io.BytesIO(bytes(item.size)))
    return path


def files(folder: Path) -> list[str]:
    return sorted(str(found.relative_to(folder)) for found in folder.rglob("*") if found.is_file())


@pytest.mark.parametrize("mode", ["w", "w:gz", "zip"])
def test_a_proper_archive(mode: str, tmp_path: Path) -> None:
    path = tmp_path / "ResNet50_infer.tar"
    if mode == "zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("ResNet50_infer/", b"")
            archive.writestr("ResNet50_infer/inference.yml", bytes(4))
            archive.writestr("ResNet50_infer/ä 权重.pdparams", bytes(4))
    else:
        folder = entry("ResNet50_infer", tarfile.DIRTYPE)
        here = entry(".", tarfile.DIRTYPE)
        names = ("./ResNet50_infer/inference.yml", "ResNet50_infer/ä 权重.pdparams")
        tar(path, here, folder, *map(entry, names), mode=mode)
    assert is_archive(path)
    folder = extract_archive(path, tmp_path / "out")
    assert files(folder) == ["ResNet50_infer/inference.yml", "ResNet50_infer/ä 权重.pdparams"]
    assert (folder / "ResNet50_infer/inference.yml").read_bytes() == bytes(4)
    assert sorted(item.name for item in tmp_path.iterdir()) == ["ResNet50_infer.tar", "out"]
    assert unpacked(path) == unpacked(path) == tmp_path / "ResNet50_infer.tar.unpacked"
    with pytest.raises(PdxError, match="exists already"):
        extract_archive(path, folder)


HOSTILE_ENTRIES = {
    "parent": [entry("../../escaped")],
    "parent inside": [entry("a/../../escaped")],
    "absolute": [entry("/tmp/pdx_escaped")],
    "drive": [entry("C:escaped")],
    "backslash": [entry("..\\escaped")],
    "control character": [entry("a\x1b[2Jb")],
    "symlink": [entry("a", tarfile.SYMTYPE, "/etc")],
    "symlink then file": [entry("a", tarfile.SYMTYPE, ".."), entry("a/escaped")],
    "hard link": [entry("a", tarfile.LNKTYPE, "../escaped")],
    "character device": [entry("null", tarfile.CHRTYPE)],
    "block device": [entry("disk", tarfile.BLKTYPE)],
    "fifo": [entry("pipe", tarfile.FIFOTYPE)],
    "same name twice": [entry("a"), entry("./a")],
    "same name but for case": [entry("Model"), entry("model")],
    "file and folder": [entry("a"), entry("a", tarfile.DIRTYPE), entry("a/b")],
}


@pytest.mark.parametrize("kind", sorted(HOSTILE_ENTRIES))
def test_hostile_tar_leaves_nothing(kind: str, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    path = tar(tmp_path / "in" / "a.tar", entry("good"), *HOSTILE_ENTRIES[kind])
    with pytest.raises((WeightsError, PdxError)) as caught:
        extract_archive(path, tmp_path / "in" / "out")
    assert str(path) in str(caught.value)
    assert files(tmp_path) == ["in/a.tar"]
    assert not Path("/tmp/pdx_escaped").exists()
    assert sorted(item.name for item in (tmp_path / "in").iterdir()) == ["a.tar"]


def zip_of(path: Path, *members: tuple[str, int, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, mode, data in members:
            info = zipfile.ZipInfo(name)
            info.external_attr = mode << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, data)
    return path


@pytest.mark.parametrize(
    "member",
    [
        ("../escaped", 0o100644),
        ("/escaped", 0o100644),
        ("link", 0o120777),
        ("device", 0o020666),
        ("a\\..\\b", 0o100644),
    ],
)
def test_hostile_zip_leaves_nothing(member: tuple[str, int], tmp_path: Path) -> None:
    path = zip_of(tmp_path / "a.zip", ("good", 0o100644, b"1"), (*member, b"/etc"))
    with pytest.raises(WeightsError, match="refused"):
        extract_archive(path, tmp_path / "out")
    assert files(tmp_path) == ["a.zip"]


def test_limits(tmp_path: Path) -> None:
    path = tar(tmp_path / "many.tar", *(entry(str(index), size=0) for index in range(101)))
    with pytest.raises(WeightsError, match="more than 100 members"):
        extract_archive(path, tmp_path / "out", max_members=100)
    for path in (
        tar(tmp_path / "large.tar.gz", entry("a", size=3 << 20), mode="w:gz"),
        zip_of(tmp_path / "large.zip", ("a", 0o100644, bytes(3 << 20))),
    ):
        with pytest.raises(WeightsError, match="more than 2 MB"):
            extract_archive(path, tmp_path / "out", max_bytes=2 << 20)
    assert not (tmp_path / "out").exists()


def test_100000_members(tmp_path: Path) -> None:
    header = entry("a", size=0).tobuf()
    path = tmp_path / "many.tar"
    path.write_bytes(b"".join(entry(str(index), size=0).tobuf() for index in range(1000)) + header * 99_000)
    began = time.monotonic()
    with pytest.raises(WeightsError, match="refused"):
        extract_archive(path, tmp_path / "out")
    assert time.monotonic() - began < 20


def test_a_zip_that_lies_about_sizes(tmp_path: Path) -> None:
    path = zip_of(tmp_path / "a.zip", ("a", 0o100644, bytes(1 << 20)))
    data = path.read_bytes().replace(struct.pack("<I", 1 << 20), struct.pack("<I", 5))
    path.write_bytes(data)
    with pytest.raises(WeightsError):
        extract_archive(path, tmp_path / "out")
    assert files(tmp_path) == ["a.zip"]


def test_a_header_that_claims_a_gigabyte(tmp_path: Path) -> None:
    name = tarfile.TarInfo("././@LongLink")
    name.type, name.size = tarfile.GNUTYPE_LONGNAME, 1 << 30
    path = tmp_path / "a.tar.gz"
    with gzip.open(path, "wb", compresslevel=1) as stream:
        stream.write(name.tobuf())
        stream.write(bytes(32 << 20))
    tracemalloc.start()
    with pytest.raises(WeightsError):
        extract_archive(path, tmp_path / "out")
    assert tracemalloc.get_traced_memory()[1] < 16 << 20
    tracemalloc.stop()


@pytest.mark.parametrize("suffix", ["tar", "tar.gz", "zip"])
def test_every_truncation_is_noticed(suffix: str, tmp_path: Path) -> None:
    if suffix == "zip":
        path = zip_of(tmp_path / "a.zip", ("a", 0o100644, b"abc" * 500), ("b", 0o100644, b"x" * 2000))
    else:
        path = tar(tmp_path / f"a.{suffix}", entry("a", size=1500), entry("b"), mode="w:gz" if "gz" in suffix else "w")
    data = path.read_bytes()
    step = 97 if suffix == "tar" else 7
    for count in range(0, min(len(data), 3072 + 512), step):  # then comes padding
        path.write_bytes(data[:count])
        with pytest.raises(WeightsError):
            extract_archive(path, tmp_path / "out")
        assert not (tmp_path / "out").exists()


def test_a_damaged_header_is_not_the_end(tmp_path: Path) -> None:
    path = tar(tmp_path / "a.tar", entry("a"), entry("b"))
    data = bytearray(path.read_bytes())
    data[1024 + 5] ^= 8  # in the name of the second member: its checksum no longer fits
    path.write_bytes(data)
    with pytest.raises(WeightsError, match="damaged"):
        extract_archive(path, tmp_path / "out")
