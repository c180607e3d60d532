"""The plugin keeps what pdx asks of any plugin: the checks of `pdx plugin check instseg`."""

import pytest


@pytest.mark.pdx_plugin("instseg", every_record=True, networks=False)
def test_records_readers_metrics_and_predictors(pdx_check):
    pdx_check()


@pytest.mark.pdx_plugin("instseg", "MaskRCNNHead")
def test_small_networks(pdx_check):
    pdx_check()


@pytest.mark.sweep
@pytest.mark.pdx_plugin("instseg", every_record=True)
def test_every_network(pdx_check):
    pdx_check()
