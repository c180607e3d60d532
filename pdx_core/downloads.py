"""Downloads files once into the cache folder, and never hands out a damaged or unfinished one.

    path = fetch("https://.../ResNet50_pretrained.pdparams", sha256=None, size_bytes=None)

Variables of the environment: PDX_HOME (the cache folder; else $XDG_CACHE_HOME/pdx, else ~/.cache/pdx), PDX_OFFLINE=1
(no network at all), PDX_MIRROR (other servers, see `cache.mirrored`), PDX_TIMEOUT (seconds without a byte).

A file that was cut off is continued (Range with If-Range). One lock per file lets many processes ask at once and one of
them download; the lock is the operating system's, so it ends with its process, however that ends.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import shutil
import time
import urllib.parse
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import filelock

from pdx_core.cache import cache_path, mirrored, offline
from pdx_core.errors import OfflineError, PdxError, UnreachableError, WeightsError, WorkFailedError
from pdx_core.files import write_json, write_text
from pdx_core.http_transfer import Cut, Gone, NoConnection, open_url
from pdx_core.weight_formats import looks_like_html

logger = logging.getLogger(__name__)

ATTEMPTS = 5
FIRST_PAUSE_SECONDS = 1.0  # doubles with each attempt
MAX_BYTES = 16 << 30
_BLOCK_BYTES = 1 << 18


def fetch(
    url: str,
    sha256: str | None = None,
    size_bytes: int | None = None,
    *,
    max_bytes: int = MAX_BYTES,
    progress: bool = True,
) -> Path:
    """The local file of an http(s) address, downloaded unless the cache has it.

    sha256, size_bytes: what the release promises; checked whenever they are given. Without a promise the checksum of
    the first download is kept beside the file, and later damage is noticed by it.

    Raises WeightsError (address not allowed, offline, not what was promised) and WorkFailedError (the network failed;
    what has arrived is kept and continued next time).
    """
    _check_scheme(url)
    path = cache_path(url)
    if _is_good(path, sha256, size_bytes):
        return path
    if offline():
        state = "is damaged in the cache" if path.exists() else "is not in the cache"
        raise OfflineError(
            f"{url} {state} and PDX_OFFLINE forbids the network. Unset PDX_OFFLINE, or download the file "
            f"elsewhere and put it at {path}"
        )
    with _lock(path, url):
        if not _is_good(path, sha256, size_bytes):  # another process may have brought it meanwhile
            _download(url, path, sha256, size_bytes, max_bytes, progress)
    return path


def read_url(url: str, *, max_bytes: int = 64 << 20) -> bytes:
    """The contents of an http(s) address, without the cache; for pictures. Raises WeightsError and WorkFailedError."""
    if offline():
        raise WeightsError(f"{url} cannot be read: PDX_OFFLINE forbids the network")
    _check_scheme(url)
    received = bytearray()
    try:
        with open_url(mirrored(url)) as answer:
            for block in answer.blocks(_BLOCK_BYTES):
                received += block
                if len(received) > max_bytes:
                    raise Gone(f"is larger than {max_bytes >> 20} MB")
        if answer.total_bytes not in (None, len(received)):
            raise Cut(f"the connection was cut after {len(received)} of {answer.total_bytes} bytes")
    except (Cut, Gone) as error:
        raise WorkFailedError(f"{url}: {error}") from error
    return bytes(received)


def _check_scheme(url: str) -> None:
    if urllib.parse.urlsplit(url).scheme not in ("http", "https"):
        raise WeightsError(f"{url}: only http and https addresses are downloaded")


def _is_good(path: Path, sha256: str | None, size_bytes: int | None) -> bool:
    """Whether the cache has the file, whole."""
    try:
        size = path.stat().st_size
    except OSError:
        return False
    if size_bytes is not None and size != size_bytes:
        logger.warning("%s has %d bytes instead of %d and is downloaded again", path, size, size_bytes)
        return False
    expected = sha256 or _noted_checksum(path)
    if expected is not None and _checksum(path) != expected.lower():
        logger.warning("%s is damaged (its checksum differs) and is downloaded again", path)
        return False
    return True


def _download(url: str, path: Path, sha256: str | None, size_bytes: int | None, max_bytes: int, progress: bool) -> None:
    part = path.with_name(path.name + ".part")
    most = 0  # bytes of the attempt that went furthest
    failures = 0
    while True:
        try:
            _transfer(url, part, size_bytes, max_bytes, progress)
            break
        except Gone as error:
            raise WorkFailedError(f"{url}: {error}. {_by_hand(path)}") from error
        except Cut as error:
            arrived = part.stat().st_size if part.exists() else 0
            failures = failures + 1 if arrived <= most else 1  # a slow line that gets on is not given up
            most = max(most, arrived)
            if failures >= ATTEMPTS:
                kind = UnreachableError if isinstance(error, NoConnection) else WorkFailedError
                raise kind(
                    f"{url}: {error}, {failures} times in a row. What has arrived is kept: run the same again to "
                    f"continue. {_by_hand(path)}"
                ) from error
            pause = FIRST_PAUSE_SECONDS * 2 ** (failures - 1)
            logger.warning("%s: %s; trying again in %.0f s", url, error, pause)
            time.sleep(pause)
    with part.open("rb") as stream:
        web_page = looks_like_html(stream.read(512))
    if web_page and not path.suffix.lower().startswith((".htm", ".xml", ".svg")):
        _forget(part)
        raise WorkFailedError(f"{url}: the server sent a web page instead of the file (a login or error page?)")
    found = _checksum(part)
    if sha256 is not None and found != sha256.lower():
        _forget(part)
        raise WeightsError(
            f"{url}: the file that arrived has SHA-256 {found[:16]}..., promised was {sha256[:16].lower()}.... It was "
            "thrown away: the server (or the mirror in PDX_MIRROR) offers another file"
        )
    write_text(path.with_name(path.name + ".sha256"), f"{found}  {path.name}\n")
    part.replace(path)
    _forget(part)


def _transfer(url: str, part: Path, size_bytes: int | None, max_bytes: int, progress: bool) -> None:
    """One attempt to complete `part`. Raises Cut when another attempt may help, Gone when not."""
    validator_file = part.with_name(part.name + ".json")
    start = part.stat().st_size if part.exists() else 0
    validator = _noted_validator(validator_file, url)
    if start and not validator:
        start = 0  # nothing proves that the rest belongs to it
    with open_url(mirrored(url), start, validator) as answer:
        total = answer.total_bytes
        if total is not None and total > max_bytes:
            raise Gone(f"the file has {total >> 20} MB, at most {max_bytes >> 20} MB are downloaded")
        if None not in (total, size_bytes) and total != size_bytes:
            raise Gone(f"the server offers {total} bytes, promised were {size_bytes}: it is another file")
        _check_space(part, (total or size_bytes or 0) - answer.start)
        if answer.start == 0:
            part.unlink(missing_ok=True)
            write_json(validator_file, {"url": url, "validator": answer.validator})
        _receive(answer, part, max_bytes, progress, part.name.removesuffix(".part"))
    received = part.stat().st_size
    expected = total if total is not None else size_bytes
    if expected is not None and received != expected:
        raise Cut(f"the connection was cut after {received} of {expected} bytes")


def _receive(answer: Any, part: Path, max_bytes: int, progress: bool, label: str) -> None:
    from pdx_core.progress import progress as bar

    received = answer.start
    with contextlib.ExitStack() as stack:
        shown = None
        if progress:
            shown = stack.enter_context(contextlib.closing(bar(total=answer.total_bytes, label=label, unit="B")))
            shown.unit_scale = True
            shown.update(received)
        try:
            stream = stack.enter_context(part.open("ab", buffering=0))  # a full disk shows at once
        except OSError as error:
            raise Gone(f"cannot write {part}: {error.strerror or error}") from error
        for block in answer.blocks(_BLOCK_BYTES):
            received += len(block)
            if received > max_bytes:
                raise Gone(f"the file is larger than the {max_bytes >> 20} MB that are downloaded at most")
            try:
                _write_all(stream, block)
            except OSError as error:
                raise Gone(
                    f"cannot write {part}: {error.strerror or error}; free some space or set PDX_HOME"
                ) from error
            if shown is not None:
                shown.update(len(block))


def _write_all(stream: IO[bytes], block: bytes) -> None:
    """Write it all: an unbuffered stream may take a part, the last bytes before the disk is full."""
    rest = memoryview(block)
    while rest:
        rest = rest[stream.write(rest) :]


@contextlib.contextmanager
def _lock(path: Path, url: str) -> Iterator[None]:
    lock = filelock.FileLock(str(path.with_name(path.name + ".lock")))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            lock.acquire(timeout=1)
        except filelock.Timeout:
            logger.warning("waiting for another process that downloads %s", url)
            lock.acquire()
    except OSError as error:
        raise PdxError(
            f"cannot write to the cache folder {path.parent}: {error.strerror or error}. Set PDX_HOME to a folder that "
            f"you may write to, or have {url} put at {path}"
        ) from error
    try:
        yield
    finally:
        lock.release()


def _check_space(part: Path, needed: int) -> None:
    free = shutil.disk_usage(part.parent).free
    if needed > free:
        raise Gone(
            f"{needed >> 20} MB are needed and {free >> 20} MB are free in {part.parent}; set PDX_HOME elsewhere"
        )


def _noted_checksum(path: Path) -> str | None:
    try:
        words = path.with_name(path.name + ".sha256").read_text(encoding="ascii", errors="replace").split()
    except OSError:
        return None
    return words[0].lower() if words else None


def _noted_validator(file: Path, url: str) -> str | None:
    try:
        noted = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return noted.get("validator") if isinstance(noted, dict) and noted.get("url") == url else None


def _checksum(path: Path) -> str:
    digest = hashlib.sha256()
    try:
        with path.open("rb") as stream:
            while block := stream.read(1 << 20):
                digest.update(block)
    except OSError as error:
        raise WeightsError(f"{path}: cannot be read: {error.strerror or error}") from error
    return digest.hexdigest()


def _forget(part: Path) -> None:
    part.unlink(missing_ok=True)
    part.with_name(part.name + ".json").unlink(missing_ok=True)


def _by_hand(path: Path) -> str:
    return f"You may also download it by other means and put it at {path}"
