"""The plugin keeps what pdx asks of any plugin: the checks of `pdx plugin check det`."""

import pytest

from pdx_core.testing import metrics
from pdx_det.metrics.coco import CocoBox


@pytest.mark.pdx_plugin("det", every_record=True, networks=False)
def test_records_readers_metrics_and_predictors(pdx_check):
    pdx_check()


@pytest.mark.pdx_plugin("det", "FPNSSH", "PPYOLOHead", "BlazeFaceHead", "BlazeFace-NAS_V2")
def test_small_networks(pdx_check):
    pdx_check()


@pytest.mark.sweep
@pytest.mark.pdx_plugin("det", every_record=True)
def test_every_network(pdx_check):
    pdx_check()


def test_metrics_are_tried_on_results_some_of_which_are_right():
    """Where all are wrong, a metric that loses results on the way would give the same numbers."""
    results, samples = metrics.seen("det")
    metric = CocoBox(("circle", "triangle", "cross"))
    metric.update(results, samples)
    assert 0.1 < metric.compute()["AP"] < 0.9
