"""pdx: train, evaluate, explain, export and serve vision models on PaddlePaddle.

Importing this package is cheap: numpy, OpenCV and Paddle are imported by the functions that need them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pluggy

from pdx_core.hook_api import HOOK_API, SUPPORTED_APIS

__version__ = "0.1.0"

hookimpl = pluggy.HookimplMarker("pdx")

if TYPE_CHECKING:
    from pdx_core.predict import create_model
    from pdx_core.train.network import build_network
    from pdx_core.weights import load_weights

__all__ = ["HOOK_API", "SUPPORTED_APIS", "__version__", "build_network", "create_model", "hookimpl", "load_weights"]

_LAZY = {
    "create_model": "pdx_core.predict",
    "build_network": "pdx_core.train.network",
    "load_weights": "pdx_core.weights",
}


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        import importlib

        return getattr(importlib.import_module(_LAZY[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
