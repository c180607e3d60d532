"""The number of the hook API, and what becomes of plugins that were written for an older one.

A plugin says `PDX_API = N`, the number it was written for. Additions (a new hook, a new field with a default) do not
raise the number; only a change of the meaning of what exists does. The core then speaks both numbers for at least two
releases: plugins for the older one keep working, and `pdx --help`, `pdx plugins` and `pdx doctor` say until when, and
what to change. For that the older number gets an `OldApi` in `SUPPORTED_APIS`, which can also translate its records.
After that they are refused by name, like every plugin that speaks a number this pdx-core does not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any, NamedTuple

from pdx_core.errors import PluginError

HOOK_API = 1  # raised only when an existing hook or record changes meaning


class OldApi(NamedTuple):
    """An older number that is still spoken."""

    until: str  # the first pdx-core that does not speak it any more, such as "0.4"
    change: str  # what an author changes to get to HOOK_API, as the end of a sentence: "rename Spec.a to Spec.b"
    translate: Callable[[str, Any], Any] | None = None  # (hook, what it yielded) -> today's record

    def notice(self, number: int) -> str:
        """What the author, and the users of the plugin, are told."""
        return (
            f"written for hook API {number}, which works until pdx-core {self.until}; "
            f"to move to PDX_API = {HOOK_API}: {self.change}"
        )


# Every number that is spoken; None stands for the one of today.
SUPPORTED_APIS: dict[int, OldApi | None] = {HOOK_API: None}


def check_api(
    module: ModuleType, where: str, supported: Mapping[int, OldApi | None] = SUPPORTED_APIS
) -> tuple[int, OldApi | None]:
    """The number a plugin's module was written for, and how an older one is treated. Raises PluginError."""
    spoken = getattr(module, "PDX_API", None)
    if spoken is None:
        raise PluginError(f"{where} does not say which hook API it is written for; add PDX_API = {HOOK_API}")
    if type(spoken) is not int:  # True and 1.0 equal 1
        raise PluginError(f"PDX_API must be a whole number such as {HOOK_API}, got {spoken!r}")
    if spoken in supported:
        return spoken, supported[spoken]
    remedy = "upgrade pdx-core" if spoken > HOOK_API else "upgrade the plugin"
    speaks = " and ".join(map(str, sorted(supported)))
    raise PluginError(f"written for hook API {spoken}, this pdx-core speaks {speaks}; {remedy}")
