"""Unpacks tar and zip archives that nobody vouches for.

Only plain files and folders come out, all of them below the target, within limits on number and size; anything else
(links, devices, absolute names, `..`, two members of one name) refuses the whole archive, and nothing of it is left.
"""

from __future__ import annotations

import contextlib
import gzip
import shutil
import stat
import tarfile
import unicodedata
import uuid
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO, Any

import attrs
import filelock

from pdx_core.errors import PdxError, WeightsError, WorkFailedError

MAX_MEMBERS = 20_000
MAX_BYTES = 16 << 30
_BLOCK_BYTES = 1 << 20
_LONGEST_PADDING = 64 << 20
_LONGEST_READ = 4 << 20  # tarfile reads headers at once, however long they claim to be


@attrs.frozen
class _Member:
    name: str
    is_folder: bool
    size: int
    handle: Any


def is_archive(path: str | Path) -> bool:
    """Whether the file, by its first bytes, is a tar (plain or gzip) or zip archive."""
    try:
        with Path(path).open("rb") as stream:
            head = stream.read(512)
    except OSError:
        return False
    return head[:2] == b"\x1f\x8b" or head[257:262] == b"ustar" or head[:4] in (b"PK\x03\x04", b"PK\x05\x06")


def unpacked(path: str | Path) -> Path:
    """The folder `<path>.unpacked` with the contents of an archive, unpacked on first need by one process of many."""
    path = Path(path)
    folder = path.with_name(path.name + ".unpacked")
    if folder.is_dir():
        return folder
    with filelock.FileLock(str(path.with_name(path.name + ".lock"))):
        return folder if folder.is_dir() else extract_archive(path, folder)


def extract_archive(
    path: str | Path, folder: str | Path, *, max_members: int = MAX_MEMBERS, max_bytes: int = MAX_BYTES
) -> Path:
    """Unpack a `.tar`, `.tar.gz` or `.zip` into `folder`, which must not exist yet or be empty; returns it.

    The folder appears when all is in it. Raises WeightsError for an archive that is damaged or refused, PdxError for a
    folder that is in use or cannot be written to, WorkFailedError for a full disk.
    """
    path, folder = Path(path), Path(folder)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise PdxError(f"{folder} exists already; choose a folder that does not, to unpack {path.name} into")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        temporary = folder.with_name(f".{folder.name}.{uuid.uuid4().hex}.part")
        temporary.mkdir()
    except OSError as error:
        raise PdxError(f"cannot unpack into {folder}: {error.strerror or error}; choose another folder") from error
    try:
        _extract(path, temporary, max_members, max_bytes)
        if folder.exists():
            folder.rmdir()
        temporary.replace(folder)
    except (tarfile.TarError, zipfile.BadZipFile, zlib.error, EOFError, ValueError, NotImplementedError) as error:
        raise WeightsError(f"{path}: is damaged and was not unpacked ({error}); download it again") from error
    except RuntimeError as error:  # zipfile's word for a password
        raise WeightsError(f"{path}: cannot be unpacked: {error}") from error
    except OSError as error:
        raise WorkFailedError(f"{path}: cannot be unpacked: {error.strerror or error}") from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return folder


def _extract(path: Path, target: Path, max_members: int, max_bytes: int) -> None:
    left = max_bytes
    seen: dict[str, str] = {}
    with _open(path) as (members, open_member):
        for member in members:
            if len(seen) >= max_members:
                raise _refused(path, f"it has more than {max_members} members")
            name = _safe_name(path, member.name)
            if name == PurePosixPath("."):
                continue
            key = unicodedata.normalize("NFC", str(name)).casefold()
            if key in seen and not member.is_folder:
                raise _refused(path, f"two members would be the same file: {seen[key]!r} and {member.name!r}")
            seen[key] = member.name
            if member.size > left:
                raise _refused(path, f"it would unpack to more than {max_bytes >> 20} MB")
            destination = target.joinpath(*name.parts)
            if member.is_folder:
                destination.mkdir(parents=True, exist_ok=True)
                continue
            destination.parent.mkdir(parents=True, exist_ok=True)
            with open_member(member.handle) as source, destination.open("xb") as stream:
                written = _copy(source, stream, member.size)
            if written != member.size:
                raise ValueError(f"{member.name!r} has {written} bytes instead of {member.size}")
            left -= written


def _copy(source: IO[bytes], stream: IO[bytes], size: int) -> int:
    """At most one byte more than announced, so that a lie about the size is seen and does not fill the disk."""
    written = 0
    while written <= size:
        block = source.read(min(_BLOCK_BYTES, size + 1 - written))
        if not block:
            break
        stream.write(block)
        written += len(block)
    return written


def _safe_name(path: Path, name: str) -> PurePosixPath:
    if not name or len(name) > 1000 or any(unicodedata.category(character) in ("Cc", "Cs") for character in name):
        raise _refused(path, f"it has a member with the name {name[:80]!r}")
    pure = PurePosixPath(name)
    if pure.is_absolute() or "\\" in name or ":" in name or ".." in pure.parts:
        raise _refused(path, f"its member {name[:200]!r} would be written outside the folder")
    return pure


def _refused(path: Path, reason: str) -> WeightsError:
    return WeightsError(f"{path}: refused: {reason}. Nothing was unpacked")


@contextlib.contextmanager
def _open(path: Path) -> Iterator[tuple[Iterator[_Member], Any]]:
    with contextlib.ExitStack() as stack:
        stream: Any = stack.enter_context(path.open("rb"))
        head = stream.read(2)
        stream.seek(0)
        if head == b"PK":
            archive = stack.enter_context(zipfile.ZipFile(stream))
            yield _zip_members(path, archive), archive.open
            return
        if head == b"\x1f\x8b":
            stream = stack.enter_context(gzip.GzipFile(fileobj=stream))
        tar = stack.enter_context(tarfile.open(fileobj=_Capped(stream), mode="r:"))
        yield _tar_members(path, tar), tar.extractfile


def _tar_members(path: Path, tar: tarfile.TarFile) -> Iterator[_Member]:
    for entry in tar:
        if entry.sparse is not None or not (entry.isreg() or entry.isdir()):
            raise _refused(path, f"its member {entry.name[:200]!r} is a link, device or other special file")
        yield _Member(entry.name, entry.isdir(), 0 if entry.isdir() else entry.size, entry)
    tar.fileobj.seek(tar.offset)  # tarfile takes a damaged header for the end
    if tar.fileobj.read(tarfile.BLOCKSIZE) != bytes(tarfile.BLOCKSIZE):
        raise tarfile.ReadError("its end is missing")
    padding = 0
    while block := tar.fileobj.read(_BLOCK_BYTES):  # to the very end, where gzip keeps its checksum
        padding += len(block)
        if padding > _LONGEST_PADDING:
            raise _refused(path, "much follows after its end")


def _zip_members(path: Path, archive: zipfile.ZipFile) -> Iterator[_Member]:
    for entry in archive.infolist():
        kind = stat.S_IFMT(entry.external_attr >> 16)
        if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
            raise _refused(path, f"its member {entry.filename[:200]!r} is a link, device or other special file")
        yield _Member(entry.filename, entry.is_dir(), 0 if entry.is_dir() else entry.file_size, entry)


class _Capped:
    """A stream that refuses to read very much at once."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self.tell = stream.tell
        self.seek = stream.seek

    def read(self, size: int) -> bytes:
        if size > _LONGEST_READ:
            raise tarfile.ReadError(f"a header claims {size} bytes")
        return self._stream.read(size)
