"""Where pdx keeps downloaded files, and where they come from: PDX_HOME, PDX_OFFLINE and PDX_MIRROR."""

from __future__ import annotations

import hashlib
import os
import re
import urllib.parse
from pathlib import Path

from pdx_core.errors import ConfigError


def is_url(text: str) -> bool:
    """Whether the text is meant as an address and not as a path."""
    return re.match(r"[A-Za-z][A-Za-z0-9+.-]*://", text) is not None


def cache_folder() -> Path:
    """Where pdx keeps what it downloads."""
    if os.environ.get("PDX_HOME"):
        return Path(os.environ["PDX_HOME"]).expanduser().absolute()
    base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(base).expanduser().absolute() / "pdx"


def offline() -> bool:
    """Whether PDX_OFFLINE forbids the network."""
    return os.environ.get("PDX_OFFLINE", "").strip().lower() not in ("", "0", "false", "no")


def cache_path(url: str) -> Path:
    """Where the file of an address is, or will be: <cache>/downloads/<host>/<path>, so that a hand can put it there."""
    parts = urllib.parse.urlsplit(url)
    host = _step(re.sub(r"[^A-Za-z0-9.-]", "_", parts.netloc.rpartition("@")[2]).strip(".") or "_")
    steps = [step for step in urllib.parse.unquote(parts.path).split("/") if step not in ("", ".", "..")]
    steps = [_step(step) for step in steps] or ["index"]
    if parts.query:
        stem, dot, suffix = steps[-1].partition(".")
        steps[-1] = f"{stem}-{hashlib.sha256(parts.query.encode()).hexdigest()[:12]}{dot}{suffix}"
    return cache_folder().joinpath("downloads", host, *steps)


def mirrored(url: str) -> str:
    """The address to ask instead, by PDX_MIRROR.

    PDX_MIRROR is "https://mirror/base", to which host and path are appended, or comma-separated pairs
    "https://old/prefix=https://new/prefix" of which the first that fits is used.
    """
    setting = os.environ.get("PDX_MIRROR", "").strip()
    if not setting:
        return url
    for rule in filter(None, (part.strip() for part in setting.split(","))):
        old, separator, new = rule.partition("=")
        target = new if separator else rule
        if not target.startswith(("https://", "http://")):
            raise ConfigError(f"PDX_MIRROR: {rule!r} must be an http(s) address, or old=new with two such addresses")
        if not separator:
            parts = urllib.parse.urlsplit(url)
            return f"{target.rstrip('/')}/{parts.netloc.rpartition('@')[2]}{parts.path}" + (
                f"?{parts.query}" if parts.query else ""
            )
        if url.startswith(old):
            return new + url[len(old) :]
    return url


def _step(name: str) -> str:
    """One name of a path, without what some file system forbids; a long one ends in its checksum instead."""
    clean = re.sub(r'[\\/:*?"<>|\x00-\x1f\x7f\ud800-\udfff]', "_", name)
    if len(clean.encode()) <= 200:
        return clean
    suffix = Path(clean).suffix if len(Path(clean).suffix) < 20 else ""
    return clean.encode()[:100].decode(errors="ignore") + "-" + hashlib.sha256(name.encode()).hexdigest()[:12] + suffix
