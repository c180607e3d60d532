"""One optimiser update: forward, backward, accumulation, mixed precision and the check that the loss is a number."""

from __future__ import annotations

import contextlib
import logging
import math
from collections.abc import Iterator, Mapping
from typing import Any

import attrs

from pdx_core.data.batch import Batch
from pdx_core.paddle_support import require_paddle
from pdx_core.settings import AmpConfig
from pdx_core.train import distributed
from pdx_core.train.ema import ModelEma
from pdx_core.train.optim import trained_parameters

require_paddle()

import paddle  # noqa: E402
from paddle import nn  # noqa: E402

logger = logging.getLogger(__name__)


@attrs.frozen
class StepOutcome:
    """losses: by name, "loss" is their sum; means over the accumulated batches and all processes
    finite: whether the update was made; otherwise the weights are as before and the gradients still there
    stop:   some process was asked to stop
    """

    losses: dict[str, float]
    finite: bool
    stop: bool


class LossLayer(nn.Layer):
    """The losses of a network as a layer of their own, because Paddle's DataParallel works through `forward`."""

    def __init__(self, network: nn.Layer) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Any, targets: Mapping[str, Any]) -> dict[str, Any]:
        return self.network.loss(images, targets)


class Stepper:
    """Makes updates.

    amp:          parameters stay float32 at both levels; O2 lets more operators run in the short type
    may_skip_nan: an update whose loss or gradient is not finite leaves no trace, in running statistics neither
    """

    def __init__(
        self,
        network: nn.Layer,
        optimizer: Any,
        amp: AmpConfig,
        ema: ModelEma | None,
        device: str,
        may_skip_nan: bool = False,
    ) -> None:
        if amp.level != "off" and not device.startswith("gpu"):
            logger.warning("Train.amp.level %s is left off: Paddle has mixed precision on GPUs only", amp.level)
            amp = AmpConfig(level="off")
        self.optimizer = optimizer
        self.ema = ema
        self._amp = amp
        self._parameters = list(trained_parameters(network).values())
        self._statistics = [tensor for tensor in network.state_dict().values() if may_skip_nan and tensor.stop_gradient]
        self._layer = distributed.average_gradients(LossLayer(network))
        self.scaler = (
            paddle.amp.GradScaler(init_loss_scaling=amp.init_loss_scale)
            if amp.level != "off" and amp.dtype == "float16"
            else None
        )

    def update(self, batches: Iterator[Batch], count: int, lr: float, stop: bool) -> tuple[StepOutcome, list[Batch]]:
        """Take `count` batches and make one update with their mean gradient.

        returns: the outcome, and the batches for the report when the loss is not finite
        """
        self.optimizer.set_lr(lr)
        before = [tensor.clone() for tensor in self._statistics]
        used: list[Batch] = []
        sums: Any = None
        names: list[str] = []
        for index in range(count):
            batch = next(batches)
            used.append(batch)
            last = index == count - 1
            with self._no_sync(last), self._autocast():
                losses = self._layer(
                    paddle.to_tensor(batch.images),
                    {name: paddle.to_tensor(values) for name, values in batch.targets.items()},
                )
                total = sum(losses.values()) / count
                (self.scaler.scale(total) if self.scaler else total).backward()
            names = list(losses)
            values = paddle.concat([loss.detach().astype("float32").reshape([1]) for loss in losses.values()])
            sums = values if sums is None else sums + values
        # The one wait for the device per step. Under several processes all get the same numbers, so all decide alike.
        values = paddle.concat([sums, self._gradient_sum()]).tolist()
        summed = distributed.sum_over_processes([*values, float(stop)])
        divisor = count * distributed.world_size()
        parts = {name: value / divisor for name, value in zip(names, summed, strict=False)}
        parts = {**parts, "loss": sum(parts.values())} if names != ["loss"] else parts
        finite = all(math.isfinite(value) for value in summed)
        if finite:
            self._apply()
        else:
            for tensor, value in zip(self._statistics, before, strict=True):
                paddle.assign(value, tensor)
        return StepOutcome(parts, finite, summed[-1] > 0), used

    def drop_gradients(self) -> None:
        """Forget the gradients of an update that is skipped."""
        self.optimizer.clear_grad(set_to_zero=False)

    def _gradient_sum(self) -> Any:
        """The sum of all gradients, float32 [1]: finite only if each of them is.

        A loss can be a number where its gradient is none (relu makes 0 of NaN on a CPU). A loss scaler looks by itself.
        """
        sums = [parameter.grad.sum() for parameter in self._parameters if parameter.grad is not None]
        if self.scaler or not sums:
            return paddle.zeros([1])
        return paddle.add_n(sums).astype("float32").reshape([1])

    def _apply(self) -> None:
        if self.scaler:
            self.scaler.step(self.optimizer)
            self.scaler.update()
        else:
            self.optimizer.step()
        self.drop_gradients()
        if self.ema is not None:
            self.ema.update()

    def _autocast(self) -> contextlib.AbstractContextManager[Any]:
        if self._amp.level == "off":
            return contextlib.nullcontext()
        return paddle.amp.auto_cast(level=self._amp.level, dtype=self._amp.dtype)

    def _no_sync(self, last: bool) -> contextlib.AbstractContextManager[Any]:
        if last or distributed.world_size() == 1:
            return contextlib.nullcontext()
        return self._layer.no_sync()


def scaler_state(scaler: Any) -> dict[str, Any]:
    """The loss scaler as plain numbers."""
    if scaler is None:
        return {}
    return {name: value.tolist() if hasattr(value, "tolist") else value for name, value in scaler.state_dict().items()}


def load_scaler_state(scaler: Any, state: Mapping[str, Any]) -> None:
    """Continue with a saved loss scaler."""
    if scaler is not None and state:
        import numpy as np

        restored = dict(state)
        restored["scale"] = np.asarray(state["scale"], dtype=np.float32).reshape(-1)
        scaler.load_state_dict(restored)
