"""Runs a network over a dataset and gathers the metric, one batch in memory at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from pdx_core.paddle_support import require_paddle
from pdx_core.progress import progress
from pdx_core.train import distributed

require_paddle()

import paddle  # noqa: E402

_INPUTS = ("images", "im_shape", "scale_factor")


class EvaluationStopped(Exception):
    """Somebody asked to stop in the middle of an evaluation."""


def evaluate(
    network: Any,
    loader: Any,
    task: Any,
    metric: Any,
    *,
    should_stop: Callable[[], bool] = lambda: False,
    label: str = "evaluate",
) -> dict[str, float]:
    """The metric of a network over every sample of the loader, each counted once over all processes.

    network: in any mode; left in the mode it came in
    task:    turns outputs into Results; its `metric_prefix` ("val." for classification), if any, goes before the names;
             its `run`, if any, decides how the network is run (once, or on several views of a batch)

    Raises EvaluationStopped when `should_stop` says so. Several processes do not agree on a moment for that, so they
    evaluate to the end.
    """
    training = network.training
    modes = [(layer, layer.training) for layer in network.sublayers(include_self=True)] if training else []
    network.eval()

    def runner(feed: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        return _arrays(network.predict(*(paddle.to_tensor(feed[name]) for name in _INPUTS)))

    try:
        with progress(total=len(loader), label=label, unit="batch") as bar, paddle.no_grad():
            for batch in loader.epoch(0):
                if distributed.world_size() == 1 and should_stop():
                    raise EvaluationStopped
                feed = {
                    "images": batch.images,
                    "im_shape": batch.im_shape,
                    "scale_factor": batch.scale_factor,
                }
                outputs = task.run(runner, feed) if hasattr(task, "run") else runner(feed)
                results = task.results(outputs, batch.samples)
                metric.update(results, [_truth(sample) for sample in batch.samples])
                bar.update(1)
    finally:
        for layer, mode in modes:
            layer.training = mode
    distributed.merge_metric(metric)
    prefix = getattr(task, "metric_prefix", "")
    return {f"{prefix}{name}": float(value) for name, value in metric.compute().items()}


def _arrays(outputs: Mapping[str, Any]) -> dict[str, np.ndarray]:
    return {name: tensor.numpy() for name, tensor in outputs.items()}


def _truth(sample: Any) -> Any:
    return sample if sample.truth is None else sample.truth
