"""Exponential moving average of the weights."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np

from pdx_core.paddle_support import require_paddle

require_paddle()

import paddle  # noqa: E402
from paddle import nn  # noqa: E402


def ema_decay(updates: int, decay: float) -> float:
    """Decay of the update that follows `updates` earlier ones: low at first, so that the random start is forgotten."""
    return min(decay, (1.0 + updates) / (10.0 + updates))


class ModelEma:
    """Average of every floating-point entry of the state dict, running statistics included; the rest is copied.

    `updates` counts the steps; together with `state()` it is all that a resumed run needs.
    """

    def __init__(self, network: nn.Layer, decay: float) -> None:
        self.decay = decay
        self.updates = 0
        self._network = network
        self._present = dict(network.state_dict())  # the live tensors: they change in place
        self._average = {name: tensor.detach().clone() for name, tensor in self._present.items()}

    @paddle.no_grad()
    def update(self) -> None:
        """Move the average towards the present weights: a <- decay * a + (1 - decay) * w."""
        decay = ema_decay(self.updates, self.decay)
        self.updates += 1
        for name, tensor in self._present.items():
            average = self._average[name]
            if paddle.is_floating_point(tensor):
                average.scale_(decay)
                average.add_(tensor.astype(average.dtype) * (1.0 - decay))
            else:
                paddle.assign(tensor, average)

    def state(self) -> dict[str, np.ndarray]:
        """The averaged weights by parameter name."""
        return {name: tensor.numpy() for name, tensor in self._average.items()}

    def load(self, state: Mapping[str, np.ndarray], updates: int) -> None:
        """Continue from a saved average; names and shapes must be those of the network."""
        for name, tensor in self._average.items():
            tensor.set_value(np.asarray(state[name]))
        self.updates = updates

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Lend the averaged weights to the network, for an evaluation."""
        present = {name: tensor.clone() for name, tensor in self._network.state_dict().items()}
        _assign(self._network, self._average)
        try:
            yield
        finally:
            _assign(self._network, present)


@paddle.no_grad()
def _assign(network: nn.Layer, values: Mapping[str, Any]) -> None:
    for name, tensor in network.state_dict().items():
        paddle.assign(values[name].astype(tensor.dtype), tensor)
