"""Opens http(s) addresses: with limits on redirects and time, and from the middle of a file when the server can."""

from __future__ import annotations

import contextlib
import http.client
import io
import os
import re
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import attrs

from pdx_core import __version__
from pdx_core.errors import ConfigError

DEFAULT_TIMEOUT_SECONDS = 30.0
_MAX_REDIRECTS = 5
_WORTH_ANOTHER_TRY = frozenset({408, 425, 429, 500, 502, 503, 504})


class Cut(Exception):
    """The transfer broke off; another attempt may help."""


class NoConnection(Cut):
    """The server was not reached."""


class Gone(Exception):
    """The transfer cannot succeed."""


@attrs.define
class Answer:
    """An open transfer."""

    response: Any
    start: int  # bytes of the file before the first one that comes; 0 when the server begins anew
    total_bytes: int | None  # of the whole file, if the server says so
    validator: str | None  # ETag or date that proves later that the file is still the same

    def blocks(self, size: int) -> Iterator[bytes]:
        """What arrives, at most `size` bytes at a time. Raises Cut."""
        while True:
            try:
                block = self.response.read1(size) if hasattr(self.response, "read1") else self.response.read(size)
            except (OSError, http.client.HTTPException) as error:
                raise Cut(f"the connection was cut ({_reason(error)})") from error
            if not block:
                return
            yield block


@contextlib.contextmanager
def open_url(url: str, start: int = 0, validator: str | None = None) -> Iterator[Answer]:
    """Ask for an http(s) address, from byte `start` on if the file is still the one with `validator`.

    Raises Cut for what may pass (no connection, timeout, 5xx), Gone for what will not (404, redirect loop).
    """
    headers = {"User-Agent": f"pdx/{__version__}", "Accept-Encoding": "identity"}
    if start and validator:
        headers |= {"Range": f"bytes={start}-", "If-Range": validator}
    try:
        request = urllib.request.Request(url, headers=headers)
        response = _OPENER.open(request, timeout=timeout_seconds())
    except urllib.error.HTTPError as error:
        error.close()
        if error.code == 416 and start:
            if _range_total(error.headers) == start:  # nothing is left to send
                yield Answer(io.BytesIO(), start, start, validator)
            else:
                with open_url(url) as answer:
                    yield answer
            return
        kind = Cut if error.code in _WORTH_ANOTHER_TRY else Gone
        raise kind(f"the server answered {error.code} {error.reason}") from error
    except (OSError, http.client.HTTPException) as error:
        raise NoConnection(f"no connection ({_reason(error)})") from error
    except ValueError as error:
        raise Gone(f"is not a proper address ({error})") from error
    with response:
        yield _answer(response, start)


def timeout_seconds() -> float:
    """How long a server may be silent."""
    text = os.environ.get("PDX_TIMEOUT", "").strip()
    try:
        value = float(text) if text else DEFAULT_TIMEOUT_SECONDS
    except ValueError:
        value = 0.0
    if not 0 < value < 1e6:
        raise ConfigError(f"PDX_TIMEOUT must be a number of seconds above 0, got {text!r}")
    return value


def _answer(response: Any, start: int) -> Answer:
    headers = response.headers
    etag = headers.get("ETag", "")
    validator = etag if etag.startswith('"') else headers.get("Last-Modified")  # a weak ETag proves nothing
    if response.status == 206:
        found = re.match(r"bytes (\d+)-", headers.get("Content-Range", ""))
        if found is None or int(found[1]) != start:
            raise Gone("the server sends another part of the file than was asked for")
        return Answer(response, start, _range_total(headers), validator)
    length = headers.get("Content-Length", "")
    return Answer(response, 0, int(length) if length.isdigit() else None, validator)


def _range_total(headers: Any) -> int | None:
    found = re.search(r"/(\d+)$", headers.get("Content-Range", "") if headers else "")
    return int(found[1]) if found else None


def _reason(error: BaseException) -> str:
    inner = getattr(error, "reason", None)
    return str(inner if inner is not None else error) or type(error).__name__


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows a few redirects, never from https to http or out of both."""

    max_redirections = _MAX_REDIRECTS
    max_repeats = 2

    def redirect_request(self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Any:
        if not newurl.lower().startswith(("https://", "http://")):
            raise Gone(f"the server redirects to {newurl[:200]!r}, which is not an http(s) address")
        if req.full_url.lower().startswith("https:") and not newurl.lower().startswith("https:"):
            raise Gone(f"the server redirects from https to {newurl[:200]!r}, which nobody protects")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _make_opener() -> urllib.request.OpenerDirector:
    """Like urllib's own, but without file:, ftp: and data: addresses."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.UnknownHandler(),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(),
        urllib.request.HTTPDefaultErrorHandler(),
        _Redirects(),
        urllib.request.HTTPErrorProcessor(),
    ):
        opener.add_handler(handler)
    return opener


_OPENER = _make_opener()
