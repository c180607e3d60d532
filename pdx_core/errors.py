"""What pdx says when something a user can mend goes wrong."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class PdxError(Exception):
    """Something the user can mend: the message says what was wrong, where it came from and what to do.

    The command line prints it without a traceback and leaves with `exit_code`.
    """

    exit_code = 2


class ConfigError(PdxError):
    """A key or value of the configuration is wrong; the message names its origin (file:line or flag)."""


class UnknownNameError(PdxError):
    """No component, model or file of that name; the message suggests near ones."""


class PluginError(PdxError):
    """A plugin or one of its records breaks the contract."""


class DataError(PdxError):
    """A dataset, an annotation or an image cannot be used; the message names the file."""


class WeightsError(PdxError):
    """A weight file is damaged, hostile, or does not fit the network."""


class MissingDependencyError(PdxError):
    """An optional part is not installed; the message holds the command that installs it."""


class WorkFailedError(PdxError):
    """The input was fine but the work could not be finished (disk full, NaN loss, download cut)."""

    exit_code = 1


class UnreachableError(WorkFailedError):
    """A server cannot be reached at all; nothing is said about what it offers."""


class OfflineError(WeightsError):
    """A download is needed, and the user has forbidden the network."""


def nearest(name: str, known: Iterable[str], limit: int = 3) -> list[str]:
    """The names of `known` that look most like `name`, best first; case and `-_.` do not count."""
    by_key: dict[str, str] = {}
    for candidate in known:
        by_key.setdefault(fold_name(candidate), candidate)
    found = difflib.get_close_matches(fold_name(name), by_key, n=limit, cutoff=0.6)
    return [by_key[key] for key in found]


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A sentence such as " Did you mean 'lr'?" with a leading blank, or nothing."""
    found = nearest(name, known)
    if not found:
        return ""
    return " Did you mean " + " or ".join(repr(candidate) for candidate in found) + "?"


def fold_name(name: str) -> str:
    """The form in which names are compared: lower case, with `-`, `_` and `.` alike."""
    return name.strip().lower().replace("_", "-").replace(".", "-")
