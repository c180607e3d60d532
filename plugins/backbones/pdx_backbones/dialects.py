"""Small tools for tables that turn our parameter names into those of Paddle's toolkits."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from pdx_core.contracts import DialectRules


def translate_parts(words: Mapping[str, str], prefix: str = "") -> DialectRules:
    """Rules that replace every dotted part of a name by its entry in `words`, and put `prefix` before the name.

    An entry may hold dots. Parts without an entry stay.
    """

    def translate(match: re.Match[str]) -> str:
        return prefix + ".".join(words.get(part, part) for part in match.group().split("."))

    return ((r".+", translate),)


def translate_indexed(
    pattern: str, rename: Callable[[re.Match[str]], str], words: Mapping[str, str], prefix: str = ""
) -> DialectRules:
    """As `translate_parts`, for names that begin with `pattern`: that part becomes `rename(match)`."""

    def translate(match: re.Match[str]) -> str:
        name = match.group()
        head = re.match(pattern, name)
        rest = name[head.end() :]
        return prefix + rename(head) + ".".join(words.get(part, part) for part in rest.split("."))

    return ((pattern + r".*", translate),)
