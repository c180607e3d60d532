"""What the core itself offers, through the same hooks as everyone else."""

from __future__ import annotations

from pdx_core import hookimpl
from pdx_core.specs import RuntimeSpec

PDX_API = 1

_PADDLE_INFERENCE = "pdx_core.runtimes.paddle_inference:PaddleInference"
_PADDLE = {"suffixes": (".json", ".pdmodel"), "requires": ("paddle",), "install": 'pip install "pdx-core[cpu]"'}


@hookimpl
def pdx_runtimes():
    yield RuntimeSpec(
        name="paddle",
        target=_PADDLE_INFERENCE,
        devices=("cpu", "gpu"),
        aliases=("paddle_fp32",),
        summary="Paddle Inference; runs every exported model",
        **_PADDLE,
    )
    yield RuntimeSpec(
        name="paddle_onednn",
        target=_PADDLE_INFERENCE,
        arguments={"onednn": True},
        aliases=("mkldnn", "onednn"),
        summary="Paddle Inference with oneDNN kernels; faster on CPUs, but some graphs fail in it",
        **_PADDLE,
    )
    yield RuntimeSpec(
        name="paddle_onednn_bf16",
        target=_PADDLE_INFERENCE,
        arguments={"onednn": True, "bfloat16": True},
        aliases=("mkldnn_bf16", "onednn_bf16"),
        automatic=False,
        summary="the same in bfloat16: faster where the CPU has it, at the price of accuracy; never chosen by itself",
        **_PADDLE,
    )
    yield RuntimeSpec(
        name="dygraph",
        target="pdx_core.runtimes.dygraph:Dygraph",
        suffixes=(".pdparams",),
        requires=("paddle",),
        install='pip install "pdx-core[cpu]"',
        devices=("cpu", "gpu"),
        automatic=False,
        summary="the network itself, from a weight file; nothing has to be exported",
    )
