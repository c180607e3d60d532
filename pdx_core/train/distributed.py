"""What the processes of one training have to agree on. With a single process every function is the identity.

Gloo on CPU, NCCL on GPUs. The processes are started by `launch.py` or by `python -m paddle.distributed.launch`; both
tell each one its place through Paddle's environment variables.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from pdx_core.paddle_support import require_paddle
from pdx_core.train.launch import rank, world_size

require_paddle()

import paddle  # noqa: E402
from paddle import distributed as paddle_distributed  # noqa: E402
from paddle import nn  # noqa: E402


def is_main() -> bool:
    return rank() == 0


def join_group() -> None:
    """Connect to the other processes; called once, after the device was chosen."""
    if world_size() > 1 and not paddle_distributed.is_initialized():
        paddle_distributed.init_parallel_env()


def average_gradients(loss_layer: nn.Layer) -> nn.Layer:
    """Wrap a layer whose forward gives the losses so that backward leaves the mean gradient of all processes.

    Every process then takes the same step, from the same weights: those of process 0, which the wrapper sends out.
    """
    if world_size() == 1:
        return loss_layer
    # A detector's second stage may find no sample in a batch, so some parameter has no gradient now and then.
    return paddle.DataParallel(loss_layer, find_unused_parameters=True)


def convert_sync_batch_norm(network: nn.Layer, device: str) -> nn.Layer:
    """Batch norm over the batches of all GPUs. Paddle has no such kernel on CPU: statistics are averaged there."""
    if world_size() == 1 or not device.startswith("gpu"):
        return network
    return nn.SyncBatchNorm.convert_sync_batchnorm(network)


@paddle.no_grad()
def average_statistics(network: nn.Layer) -> None:
    """Give every process the mean of the running statistics of all, before they are saved or evaluated.

    They are the floating-point entries of the state that do not learn. The running variance becomes the mean of the
    variances; the spread of the means, which is left out, is small for shards of one shuffled set.
    """
    if world_size() == 1:
        return
    for tensor in network.state_dict().values():
        if tensor.stop_gradient and paddle.is_floating_point(tensor):
            paddle_distributed.all_reduce(tensor)
            tensor.scale_(1.0 / world_size())


def sum_over_processes(values: Sequence[float]) -> list[float]:
    """The sums of some numbers over all processes; float64, so that counts stay exact."""
    if world_size() == 1:
        return list(values)
    tensor = paddle.to_tensor(list(values), dtype="float64")
    paddle_distributed.all_reduce(tensor)
    return tensor.tolist()


def gather_objects(value: Any) -> list[Any]:
    """A picklable value of every process, in the order of their ranks."""
    if world_size() == 1:
        return [value]
    gathered: list[Any] = []
    paddle_distributed.all_gather_object(gathered, value)
    return gathered


def from_main(value: Any) -> Any:
    """The value that process 0 has."""
    return gather_objects(value if is_main() else None)[0]


def wait_for_all() -> None:
    """Return when every process has come here."""
    gather_objects(None)


def merge_metric(metric: Any) -> None:
    """Replace the metric's state by the union over all processes."""
    if world_size() > 1:
        metric.merge(gather_objects(metric.state()))


def same_everywhere(values: Iterable[Any]) -> bool:
    """Whether every process holds equal values; for checks before work starts."""
    first, *others = gather_objects(list(values))
    return all(other == first for other in others)
