"""The plugin keeps what pdx asks of any plugin: the checks of `pdx plugin check cls`."""

import pytest


@pytest.mark.pdx_plugin("cls", every_record=True, networks=False)
def test_records_readers_metrics_and_predictors(pdx_check):
    pdx_check()


@pytest.mark.pdx_plugin("cls", "ClsHead", "PP-LCNet_x0_25")
def test_small_networks(pdx_check):
    pdx_check()


@pytest.mark.sweep
@pytest.mark.pdx_plugin("cls", every_record=True)
def test_every_network(pdx_check):
    pdx_check()
