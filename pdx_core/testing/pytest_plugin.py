"""The pytest plugin: a test that takes `pdx_check` and is marked with a plugin's name runs once for each check.

    @pytest.mark.pdx_plugin("pdx_tinynet.plugin")
    def test_conformance(pdx_check):
        pdx_check()

Further arguments of the mark are those of `plugin_checks`: names of components, of which only these are tried then;
`networks=False`, which leaves out what takes long; `every_record=True`, which builds every record. Loaded by pytest
through an entry point of pdx-core; it imports nothing until a test asks for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

MARK = "pdx_plugin"


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", f"{MARK}(name, ...): the pdx plugin whose checks are run, see `plugin_checks`")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "pdx_check" not in metafunc.fixturenames:
        return
    mark = metafunc.definition.get_closest_marker(MARK)
    if mark is None:
        raise ValueError(f"say which plugin pdx_check is for: @pytest.mark.{MARK}('pdx_mine.plugin')")
    from pdx_core.testing.plugin import plugin_checks

    checks = [_reporting(check) for check in plugin_checks(*mark.args, **mark.kwargs)]
    metafunc.parametrize("pdx_check", checks, ids=[check.id for check in checks])


def _reporting(check: object) -> object:
    """The check, for pytest: what cannot be checked here is skipped."""
    import attrs

    return attrs.evolve(check, function=_Skipping(check.function))


class _Skipping:
    """Calls a check's function and tells pytest when it does not apply."""

    def __init__(self, function: object) -> None:
        self.function = function

    def __call__(self) -> None:
        import pytest

        from pdx_core.testing.checks import NOT_CHECKABLE

        try:
            self.function()
        except NOT_CHECKABLE as reason:
            pytest.skip(str(reason))
