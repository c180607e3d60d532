"""Runs a network as it is, without exporting it first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from pdx_core.paddle_support import require_paddle, set_device

require_paddle()

import paddle  # noqa: E402

if TYPE_CHECKING:
    from pdx_core.train.network import Network


class Dygraph:
    """A network in evaluation mode, called as an exported model is."""

    def __init__(self, network: Network, device: str = "cpu", **_: Any) -> None:
        set_device(device)
        network.eval()
        self.network = network

    def __call__(self, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Run one batch; inputs and outputs as in `PaddleInference`."""
        with paddle.no_grad():
            tensors = (paddle.to_tensor(inputs[name]) for name in ("images", "im_shape", "scale_factor"))
            outputs = self.network.predict(*tensors)
        return {name: tensor.numpy() for name, tensor in outputs.items()}
