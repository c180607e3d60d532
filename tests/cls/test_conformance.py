"""The plugin keeps what pdx asks of any plugin: the checks of `pdx plugin check cls`.

Networks are built in the sweep; test_heads.py and test_zoo.py look at them more closely.
"""

import pytest

from pdx_core.testing import NotCheckable, plugin_checks

NETWORKS = ("head", "model")


def _marks(check):
    built = check.subject.startswith(NETWORKS) and not check.title.startswith(("record", "options", "arguments"))
    return pytest.mark.sweep if built and check.subject != "head ClsHead" else ()


@pytest.mark.parametrize(
    "check", [pytest.param(check, id=check.id, marks=_marks(check)) for check in plugin_checks("cls")]
)
def test_conformance(check):
    try:
        check()
    except NotCheckable as reason:
        pytest.skip(str(reason))
