"""Reads how images are prepared from the `inference.yml` of detectors and instance segmentation.

PaddleX leaves those to PaddleDetection, which has its own list: `Preprocess: [{type: Resize, target_size: [800, 1333],
keep_ratio: true, interp: 2}, ...]`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pdx_core.errors import ConfigError, did_you_mean

_INTERPOLATIONS = ("nearest", "bilinear", "bicubic", "area", "lanczos")  # OpenCV's numbers
_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)

Transform = Mapping[str, Any]


def from_detection(operations: Any, origin: str) -> tuple[Transform, ...]:
    """Our transforms for the list; padding to a stride becomes part of Normalize.

    origin: the file, for messages. Raises ConfigError for an operation or a parameter that pdx does not know.
    """
    if not isinstance(operations, Sequence) or isinstance(operations, str):
        raise ConfigError(f"{origin}: Preprocess must be a list, got {operations!r}")
    found: dict[str, dict[str, Any]] = {}
    for operation in operations:
        if not isinstance(operation, Mapping) or not isinstance(operation.get("type"), str):
            raise ConfigError(f"{origin}: each entry of Preprocess must say its type, got {operation!r}")
        options = {str(key): value for key, value in operation.items() if key != "type"}
        name = operation["type"]
        if name not in _READERS:
            raise ConfigError(f"{origin}: unknown preprocessing operation {name!r}.{did_you_mean(name, _READERS)}")
        try:
            found.update(_READERS[name](found, **options))
        except (TypeError, ValueError) as error:
            raise ConfigError(f"{origin}: {name}: cannot be used with {options}: {error}") from error
    return tuple({name: options} for name, options in found.items())


def _resize(
    found: Mapping[str, Any], target_size: Sequence[int], keep_ratio: bool = True, interp: int = 1
) -> dict[str, dict[str, Any]]:
    height, width = (int(side) for side in target_size)
    how = {"interpolation": _INTERPOLATIONS[interp]} if 0 <= interp < len(_INTERPOLATIONS) else None
    if how is None:
        raise ValueError(f"unknown interpolation {interp!r}")
    if keep_ratio:
        return {"ResizeShort": {"size": min(height, width), "max_size": max(height, width), **how}}
    return {"Resize": {"size": [height, width], **how}}


def _normalize(
    found: Mapping[str, Any],
    mean: Sequence[float] = _MEAN,
    std: Sequence[float] = _STD,
    is_scale: bool = True,
    norm_type: str | None = "mean_std",
) -> dict[str, dict[str, Any]]:
    if norm_type in ("none", None):
        mean, std = (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)
    elif norm_type != "mean_std":
        raise ValueError(f"unknown norm_type {norm_type!r}")
    options = {"mean": [float(value) for value in mean], "std": [float(value) for value in std]}
    return {"Normalize": options if is_scale else {**options, "scale": 1.0}}


def _pad(found: Mapping[str, Any], stride: int = 32) -> dict[str, dict[str, Any]]:
    if "Normalize" not in found:
        raise ValueError("it must stand behind NormalizeImage")
    return {"Normalize": {**found["Normalize"], "pad_multiple": max(1, int(stride))}}


def _nothing(found: Mapping[str, Any], **_: Any) -> dict[str, dict[str, Any]]:
    return {}  # pdx always feeds float32 [N, 3, H, W]


_READERS: dict[str, Callable[..., dict[str, dict[str, Any]]]] = {
    "Resize": _resize,
    "NormalizeImage": _normalize,
    "PadStride": _pad,
    "Permute": _nothing,
}
