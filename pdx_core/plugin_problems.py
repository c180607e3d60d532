"""What is wrong with a plugin, and what its user can do about it."""

from __future__ import annotations

import attrs

_WAY_TO_THE_PLUGIN = ("pdx_core.plugins", "importlib")  # modules between `pdx` and the first line of a plugin


@attrs.frozen
class Problem:
    """Why a plugin, or a part of it, was set aside, or what its author should change.

    `stage` says what pdx was doing: "loading", or the name of a hook.
    """

    plugin: str
    version: str
    stage: str
    error: str
    raised: BaseException | None = attrs.field(default=None, eq=False, repr=False)
    remedy: str = ""  # what a user can do who has not written the plugin; "" where only its author can mend it

    @property
    def details(self) -> str:
        """The traceback from the plugin's own lines on, or nothing.

        Written when asked for: twenty of them would be felt in `pdx --help`.
        """
        if self.raised is None:
            return ""
        import traceback

        lines = self.raised.__traceback__
        while lines is not None and lines.tb_frame.f_globals.get("__name__", "").startswith(_WAY_TO_THE_PLUGIN):
            lines = lines.tb_next
        return "".join(traceback.format_exception(type(self.raised), self.raised, lines))

    def as_dict(self) -> dict[str, str]:
        """Plain values."""
        return {name: getattr(self, name) for name in ("plugin", "version", "stage", "error", "remedy", "details")}

    def __str__(self) -> str:
        version = f" ({self.version})" if self.version else ""
        return f"{self.plugin}{version}: {self.stage}: {self.error}"


def remedy_for(error: BaseException, module: str, distribution: str) -> str:
    """What mends it when the plugin in `module` of `distribution` raised this; "" where only its author can."""
    if not isinstance(error, ModuleNotFoundError) or not error.name:
        return ""
    package = "its package" if distribution == "?" else distribution
    if f"{module}.".startswith(f"{error.name}."):
        return f"its files are gone: pip install --force-reinstall {package}, or pip uninstall {package}"
    needed = error.name.partition(".")[0]
    return f"install what it needs: pip install {package}; if it does not declare {needed!r}, tell its author"
