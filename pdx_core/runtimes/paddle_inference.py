"""Runs an exported model with Paddle Inference, with or without oneDNN."""

from __future__ import annotations

import functools
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from pdx_core.errors import PdxError
from pdx_core.model_card import graph_file
from pdx_core.paddle_support import configure_inference, require_paddle
from pdx_core.runtimes.graph_inputs import image_size
from pdx_core.runtimes.machine import computes_bfloat16, usable_cpus

require_paddle()

from paddle import inference  # noqa: E402

logger = logging.getLogger(__name__)

# What the inputs of published models are called besides our own names; any other single input is the image
_SIDE_INPUTS = frozenset({"im_shape", "scale_factor"})


class PaddleInference:
    """One exported model, loaded.

    folder:   holds inference.json (or .pdmodel) and inference.pdiparams
    device:   "cpu", "gpu" or "gpu:1"
    onednn:   use oneDNN's kernels (CPU). Fast, but some graphs fail or crash in it: see `runtimes.trial`
    bfloat16: compute in bfloat16 where oneDNN can; changes the numbers by a few percent
    threads:  of the CPU math library; None takes the cores this process may use, at most 8
    outputs:  names for the graph's outputs, in order; without them "output_0", "output_1" ...
    """

    def __init__(
        self,
        folder: str | Path,
        device: str = "cpu",
        *,
        onednn: bool = False,
        bfloat16: bool = False,
        threads: int | None = None,
        outputs: Sequence[str] = (),
    ) -> None:
        folder = Path(folder)
        graph = self._graph = graph_file(folder)
        config = inference.Config(str(graph), str(folder / "inference.pdiparams"))
        config.disable_glog_info()
        if device.startswith("gpu"):
            config.enable_use_gpu(256, int(device.partition(":")[2] or 0))
        else:
            config.disable_gpu()
            config.set_cpu_math_library_num_threads(threads or min(8, usable_cpus()))
        configure_inference(config, graph.suffix, onednn)
        if bfloat16:
            config.enable_mkldnn_bfloat16()
            if computes_bfloat16() is False:
                logger.warning("this processor has no bfloat16 arithmetic: oneDNN computes in float32 instead")
        try:
            self._predictor = inference.create_predictor(config)
        except (RuntimeError, ValueError, OSError) as error:
            raise PdxError(f"Paddle Inference cannot load {graph}: {_last_line(error)}") from error
        self._inputs = {
            name if name in _SIDE_INPUTS else "images": self._predictor.get_input_handle(name)
            for name in self._predictor.get_input_names()
        }
        handles = [self._predictor.get_output_handle(name) for name in self._predictor.get_output_names()]
        if outputs and len(outputs) != len(handles):
            raise PdxError(
                f"{folder}: inference.yml names {len(outputs)} outputs but {graph.name} has {len(handles)}; "
                "the files do not belong together, export the model again"
            )
        self._outputs = dict(zip(outputs or [f"output_{index}" for index in range(len(handles))], handles, strict=True))

    @functools.cached_property
    def image_size(self) -> tuple[int, int] | None:
        """Height and width of the only images the graph takes; None if it takes any."""
        return image_size(self._graph)

    def __call__(self, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Run one batch.

        inputs:  `images` float32 [N, 3, H, W]; `im_shape` and `scale_factor` float32 [N, 2] where the graph asks for
                 them (others are ignored)
        returns: the graph's outputs by name
        """
        for name, handle in self._inputs.items():
            handle.copy_from_cpu(np.ascontiguousarray(inputs[name]))
        self._predictor.run()
        return {name: handle.copy_to_cpu() for name, handle in self._outputs.items()}


def _last_line(error: Exception) -> str:
    """Paddle's messages are a page of C++ frames; the sentence that matters is the last one."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1] if lines else type(error).__name__
