"""Downloads against a local server that cuts, lies, stalls, redirects and counts."""

from __future__ import annotations

import contextlib
import hashlib
import http.server
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import attrs
import pytest

from pdx_core import cache, downloads
from pdx_core.errors import ConfigError, PdxError, WeightsError, WorkFailedError

CONTENTS = bytes(range(256)) * 4096  # 1 MB
SHA256 = hashlib.sha256(CONTENTS).hexdigest()


@attrs.define
class Server:
    """What the server does next, and what it was asked."""

    address: str = ""
    contents: bytes = CONTENTS
    etag: str | None = '"one"'
    ranges: bool = True
    cut_after: list[int] = attrs.field(factory=list)  # bytes after which the next answers break off
    statuses: list[int] = attrs.field(factory=list)  # error codes of the next answers
    redirect: str = ""
    content_type: str = "application/octet-stream"
    announce_length: bool = True
    pause: float = 0.0  # seconds before each 64 kB
    requests: list[tuple[str, str | None]] = attrs.field(factory=list)  # (path, Range)


def make_handler(server: Server) -> type[http.server.BaseHTTPRequestHandler]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None: ...

        def do_GET(self) -> None:
            wanted = self.headers.get("Range")
            server.requests.append((self.path, wanted))
            if server.redirect:
                self.send_response(302)
                self.send_header("Location", server.redirect)
                self.end_headers()
                return
            if server.statuses:
                self.send_error(server.statuses.pop(0))
                return
            start = 0
            if wanted and server.ranges and self.headers.get("If-Range") == server.etag:
                start = int(wanted.removeprefix("bytes=").removesuffix("-"))
            if start >= len(server.contents) > 0:
                self.send_response(416)
                self.send_header("Content-Range", f"bytes */{len(server.contents)}")
                self.end_headers()
                return
            body = server.contents[start:]
            self.send_response(206 if start else 200)
            if start:
                self.send_header("Content-Range", f"bytes {start}-{len(server.contents) - 1}/{len(server.contents)}")
            if server.announce_length:
                self.send_header("Content-Length", str(len(body)))
            if server.etag:
                self.send_header("ETag", server.etag)
            self.send_header("Content-Type", server.content_type)
            self.end_headers()
            if server.cut_after:
                body = body[: server.cut_after.pop(0)]
            with contextlib.suppress(OSError):
                for position in range(0, len(body), 1 << 16):
                    time.sleep(server.pause)
                    self.wfile.write(body[position : position + (1 << 16)])
                    self.wfile.flush()

    return Handler


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    for name in ("PDX_OFFLINE", "PDX_MIRROR", "PDX_TIMEOUT", "http_proxy", "HTTP_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PDX_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(downloads, "FIRST_PAUSE_SECONDS", 0.01)
    state = Server()
    listening = http.server.ThreadingHTTPServer(("127.0.0.1", 0), make_handler(state))
    listening.daemon_threads = True
    state.address = f"http://127.0.0.1:{listening.server_address[1]}"
    thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield state
    listening.shutdown()
    listening.server_close()
    thread.join()


def leftovers(path: Path) -> list[str]:
    return sorted(entry.name for entry in path.parent.iterdir() if ".part" in entry.name)


def test_once_and_then_from_the_cache(server: Server) -> None:
    url = f"{server.address}/models/a.pdparams"
    path = downloads.fetch(url, sha256=SHA256.upper(), size_bytes=len(CONTENTS))
    assert path == cache.cache_path(url)
    assert path.read_bytes() == CONTENTS
    assert path.with_name("a.pdparams.sha256").read_text() == f"{SHA256}  a.pdparams\n"
    assert leftovers(path) == []
    assert downloads.fetch(url) == path
    assert len(server.requests) == 1


def test_cut_connections_are_continued(server: Server) -> None:
    server.cut_after = [100_000, 200_000, 0, 300_000]
    path = downloads.fetch(f"{server.address}/a.bin", sha256=SHA256)
    assert path.read_bytes() == CONTENTS
    ranges = [wanted for _, wanted in server.requests]
    assert ranges == [None, "bytes=100000-", "bytes=300000-", "bytes=300000-", "bytes=600000-"]


def test_without_ranges_or_etag_it_begins_anew(server: Server) -> None:
    server.ranges = False
    server.cut_after = [100_000]
    assert downloads.fetch(f"{server.address}/a.bin", sha256=SHA256).read_bytes() == CONTENTS
    server.etag = None
    server.cut_after = [100_000]
    assert downloads.fetch(f"{server.address}/b.bin", sha256=SHA256).read_bytes() == CONTENTS
    assert server.requests[-1] == ("/b.bin", None)


def test_a_file_that_changed_between_attempts_is_not_glued_together(server: Server) -> None:
    url = f"{server.address}/a.bin"
    server.cut_after = [100_000] + [0] * 20
    with pytest.raises(WorkFailedError, match=r"cut after 100000 of 1048576.*What has arrived is kept"):
        downloads.fetch(url)
    assert cache.cache_path(url).with_name("a.bin.part").stat().st_size == 100_000
    assert not cache.cache_path(url).exists()
    server.cut_after = []
    server.contents, server.etag = CONTENTS[::-1], '"two"'
    assert downloads.fetch(url).read_bytes() == CONTENTS[::-1]


def test_a_complete_part_is_not_fetched_again(server: Server) -> None:
    url = f"{server.address}/a.bin"
    part = cache.cache_path(url).with_name("a.bin.part")
    part.parent.mkdir(parents=True)
    part.write_bytes(CONTENTS)
    part.with_name("a.bin.part.json").write_text(f'{{"url": "{url}", "validator": "\\"one\\""}}')
    assert downloads.fetch(url, sha256=SHA256).read_bytes() == CONTENTS
    assert server.requests == [("/a.bin", f"bytes={len(CONTENTS)}-")]


def test_wrong_hash_wrong_size_and_too_large(server: Server) -> None:
    url = f"{server.address}/a.bin"
    path = cache.cache_path(url)
    with pytest.raises(WeightsError, match="promised was 000000"):
        downloads.fetch(url, sha256="0" * 64)
    with pytest.raises(WorkFailedError, match="offers 1048576 bytes, promised were 5"):
        downloads.fetch(url, size_bytes=5)
    with pytest.raises(WorkFailedError, match="at most 0 MB"):
        downloads.fetch(url, max_bytes=1000)
    server.announce_length = False
    with pytest.raises(WorkFailedError, match="larger than"):
        downloads.fetch(url, max_bytes=1000)
    assert not path.exists()
    server.requests.clear()
    assert downloads.fetch(url, sha256=SHA256).read_bytes() == CONTENTS


def test_damage_in_the_cache_is_noticed_and_mended(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    url = f"{server.address}/a.bin"
    path = downloads.fetch(url)
    path.write_bytes(CONTENTS[:-1] + b"\x00")
    monkeypatch.setenv("PDX_OFFLINE", "1")
    with pytest.raises(WeightsError, match="is damaged in the cache"):
        downloads.fetch(url)
    monkeypatch.delenv("PDX_OFFLINE")
    assert downloads.fetch(url).read_bytes() == CONTENTS
    assert len(server.requests) == 2


def test_passing_and_lasting_errors(server: Server) -> None:
    server.statuses = [503, 500, 429]
    assert downloads.fetch(f"{server.address}/a.bin").read_bytes() == CONTENTS
    assert len(server.requests) == 4
    server.statuses = [404]
    with pytest.raises(WorkFailedError, match=r"404.*put it at") as caught:
        downloads.fetch(f"{server.address}/b.bin")
    assert str(cache.cache_path(f"{server.address}/b.bin")) in str(caught.value)
    assert len(server.requests) == 5
    server.statuses = [503] * 20
    with pytest.raises(WorkFailedError, match=r"503.*5 times in a row"):
        downloads.fetch(f"{server.address}/b.bin")


def test_redirects(server: Server) -> None:
    server.redirect = "/again"
    with pytest.raises(WorkFailedError, match="loop"):
        downloads.fetch(f"{server.address}/a.bin")
    assert len(server.requests) <= 6
    for target in ("file:///etc/passwd", "ftp://127.0.0.1/x", "data:text/plain,x", "gopher://127.0.0.1"):
        server.redirect = target
        with pytest.raises(WorkFailedError, match=r"not an http|not allowed"):
            downloads.fetch(f"{server.address}/a.bin")


def test_a_web_page_is_no_file(server: Server) -> None:
    server.contents = b"\n <!DOCTYPE html><html>Please log in</html>"
    with pytest.raises(WorkFailedError, match="web page"):
        downloads.fetch(f"{server.address}/a.pdparams", sha256=SHA256)
    assert leftovers(cache.cache_path(f"{server.address}/a.pdparams")) == []


def test_a_silent_server_is_given_up(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PDX_TIMEOUT", "0.2")
    monkeypatch.setattr(downloads, "ATTEMPTS", 2)
    server.pause = 1.0
    began = time.monotonic()
    with pytest.raises(WorkFailedError, match="timed out"):
        downloads.fetch(f"{server.address}/a.bin")
    assert time.monotonic() - began < 5
    monkeypatch.setenv("PDX_TIMEOUT", "soon")
    with pytest.raises(ConfigError, match="PDX_TIMEOUT"):
        downloads.fetch(f"{server.address}/a.bin")


def test_no_server_at_all(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(downloads, "ATTEMPTS", 2)
    with pytest.raises(WorkFailedError, match="no connection"):
        downloads.fetch("http://127.0.0.1:1/a.bin")


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://host/a", "/etc/passwd", "models/a.pdparams", ""])
def test_only_http_is_fetched(url: str, server: Server) -> None:
    with pytest.raises(WeightsError, match="only http and https"):
        downloads.fetch(url)
    with pytest.raises(WeightsError, match="only http and https"):
        downloads.read_url(url)


def test_offline_names_the_place_for_a_file_by_hand(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PDX_OFFLINE", "1")
    url = f"{server.address}/models/a.pdparams"
    path = cache.cache_path(url)
    with pytest.raises(WeightsError, match="PDX_OFFLINE") as caught:
        downloads.fetch(url)
    assert str(path) in str(caught.value)
    with pytest.raises(WeightsError, match="PDX_OFFLINE"):
        downloads.read_url(url)
    path.parent.mkdir(parents=True)
    path.write_bytes(CONTENTS)
    assert downloads.fetch(url, sha256=SHA256) == path
    assert server.requests == []


def test_mirrors(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    origin = "https://paddle.example/legendary_models/a.pdparams"
    monkeypatch.setenv("PDX_MIRROR", f"{server.address}/base/")
    assert downloads.fetch(origin, sha256=SHA256) == cache.cache_path(origin)
    assert server.requests == [("/base/paddle.example/legendary_models/a.pdparams", None)]
    monkeypatch.setenv("PDX_MIRROR", f"https://other=http://x , https://paddle.example={server.address}/p")
    assert cache.mirrored(origin) == f"{server.address}/p/legendary_models/a.pdparams"
    assert cache.mirrored("https://third/x") == "https://third/x"
    monkeypatch.setenv("PDX_MIRROR", "file:///srv/models")
    with pytest.raises(ConfigError, match="PDX_MIRROR"):
        cache.mirrored(origin)


def test_cache_paths_stay_in_the_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PDX_HOME", str(tmp_path))
    for url in (
        "http://host/../../etc/passwd",
        "http://host/%2e%2e/%2e%2e/etc/passwd",
        "http://host/a%2f..%2f..%2fb",
        "http://../../x",
        "http://user:secret@host/x",
        "http://host/" + "n" * 3000,
        "http://host/a\\..\\b",
        "http://host",
    ):
        path = cache.cache_path(url)
        assert path.resolve().is_relative_to((tmp_path / "downloads").resolve())
        assert path.parent != tmp_path / "downloads"
        assert "secret" not in str(path)
    assert cache.cache_path("http://h/a.bin?v=1") != cache.cache_path("http://h/a.bin?v=2")
    assert cache.cache_path("http://h/a.bin?v=1").suffix == ".bin"
    monkeypatch.delenv("PDX_HOME")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache.cache_folder() == tmp_path / "xdg" / "pdx"


def test_read_url(server: Server) -> None:
    assert downloads.read_url(f"{server.address}/a.jpg") == CONTENTS
    with pytest.raises(WorkFailedError, match="larger"):
        downloads.read_url(f"{server.address}/a.jpg", max_bytes=1000)
    server.cut_after = [5]
    with pytest.raises(WorkFailedError, match=r"cut after 5"):
        downloads.read_url(f"{server.address}/a.jpg")


def ask(url: str, home: str, answers: multiprocessing.Queue) -> None:
    os.environ["PDX_HOME"] = home
    try:
        answers.put(downloads.fetch(url, sha256=SHA256, progress=False).read_bytes() == CONTENTS)
    except Exception as error:  # noqa: BLE001 (sent to the test)
        answers.put(repr(error))


def start(count: int, url: str) -> tuple[list, multiprocessing.Queue]:
    context = multiprocessing.get_context("fork")
    answers = context.Queue()
    home = os.environ["PDX_HOME"]
    processes = [context.Process(target=ask, args=(url, home, answers)) for _ in range(count)]
    for process in processes:
        process.start()
    return processes, answers


def test_sixteen_processes_make_one_download(server: Server) -> None:
    server.pause = 0.02
    processes, answers = start(16, f"{server.address}/a.bin")
    assert [answers.get(timeout=60) for _ in processes] == [True] * 16
    for process in processes:
        process.join()
    assert len(server.requests) == 1


def test_a_killed_download_is_continued_by_the_next_process(server: Server) -> None:
    url = f"{server.address}/a.bin"
    part = cache.cache_path(url).with_name("a.bin.part")
    server.pause = 0.05
    [process], _ = start(1, url)
    until = time.monotonic() + 30
    while not (part.exists() and part.stat().st_size) and time.monotonic() < until:
        time.sleep(0.01)
    assert part.stat().st_size, "the download did not begin"
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    server.pause = 0
    assert not cache.cache_path(url).exists()
    assert cache.cache_path(url).with_name("a.bin.lock").exists()  # stale, and no hindrance
    assert downloads.fetch(url, sha256=SHA256).read_bytes() == CONTENTS
    assert server.requests[-1][1] is not None, "began anew"


def fill(url: str, home: str, answers: multiprocessing.Queue) -> None:
    import resource

    resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))  # as a full disk: a write fails half-way
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    ask(url, home, answers)


def test_a_full_disk_is_said_and_nothing_half_appears(server: Server) -> None:
    url = f"{server.address}/a.bin"
    context = multiprocessing.get_context("fork")
    answers = context.Queue()
    process = context.Process(target=fill, args=(url, os.environ["PDX_HOME"], answers))
    process.start()
    answer = answers.get(timeout=30)
    process.join()
    assert "WorkFailedError" in answer
    assert "cannot write" in answer
    assert not cache.cache_path(url).exists()
    assert downloads.fetch(url, sha256=SHA256).read_bytes() == CONTENTS


def test_a_cache_that_cannot_be_written(server: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    url = f"{server.address}/a.bin"
    path = downloads.fetch(url)
    folders = [path.parent, path.parent.parent]
    for folder in folders:
        folder.chmod(0o555)
    try:
        assert downloads.fetch(url) == path
    finally:
        for folder in folders:
            folder.chmod(0o755)
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("PDX_HOME", str(tmp_path / "file"))  # holds for root too, whom modes do not stop
    with pytest.raises(PdxError, match=r"cannot write to the cache folder.*PDX_HOME"):
        downloads.fetch(url)
