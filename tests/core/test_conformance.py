"""The runtimes that come with pdx keep what it asks of any plugin: the checks of `pdx plugin check core`."""

import pytest


@pytest.mark.pdx_plugin("core")
def test_core(pdx_check):
    pdx_check()
