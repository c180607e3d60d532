"""Turns pdx's evaluation transforms into the operations that PaddleX writes into `inference.yml`, and back."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pdx_core.errors import ConfigError, did_you_mean

# PaddleX and PaddleClas write OpenCV's numbers, upper case names or Pillow's names
_INTERPOLATIONS = {
    "0": "nearest",
    "1": "bilinear",
    "2": "bicubic",
    "3": "area",
    "4": "lanczos",
    "nearest": "nearest",
    "linear": "bilinear",
    "bilinear": "bilinear",
    "cubic": "bicubic",
    "bicubic": "bicubic",
    "area": "area",
    "lanczos": "lanczos",
    "lanczos4": "lanczos",
    "box": "area",
}

# What both sides take when an operation does not say: the statistics of ImageNet
_MEAN = (0.485, 0.456, 0.406)
_STD = (0.229, 0.224, 0.225)

Transform = Mapping[str, Any]


def from_published(operations: Sequence[Any], origin: str) -> tuple[Transform, ...]:
    """Our transforms for a list of published operations such as `{"ResizeImage": {"resize_short": 256}}`.

    origin: the file, for messages. Raises ConfigError for an operation or a parameter that pdx does not know.
    """
    transforms: list[Transform] = []
    for operation in operations:
        if isinstance(operation, str):
            operation = {operation: {}}
        if not isinstance(operation, Mapping) or len(operation) != 1:
            raise ConfigError(f"{origin}: each transform must be a name with its parameters, got {operation!r}")
        ((name, options),) = operation.items()
        reader = _READERS.get(name)
        if reader is None:
            raise ConfigError(f"{origin}: unknown preprocessing operation {name!r}.{did_you_mean(name, _READERS)}")
        try:
            transforms.extend(reader(**(options or {})))
        except (TypeError, ValueError) as error:
            raise ConfigError(f"{origin}: {name}: cannot be used with {dict(options or {})}: {error}") from error
    return tuple(transforms)


def to_published(transforms: Sequence[Transform]) -> list[dict[str, Any]]:
    """The published operations for our transforms; one without a published spelling is given in ours."""
    operations: list[dict[str, Any]] = []
    for transform in transforms:
        ((name, options),) = transform.items()
        writer = _WRITERS.get(name)
        operations.extend(writer(**(options or {})) if writer else [{name: dict(options or {})}])
    return operations


# -- published -> ours -----------------------------------------------------------------------------------------------
def _read_decode(to_rgb: bool = True, channel_first: bool = False, **_: Any) -> list[Transform]:
    if not to_rgb:
        raise ValueError("networks that take BGR are not supported")
    return []


def _read_resize(
    resize_short: Any = None, size: Any = None, interpolation: Any = None, backend: str | None = None, **others: Any
) -> list[Transform]:
    _refuse(others)
    options: dict[str, Any] = {}
    if interpolation is not None:
        key = str(interpolation).lower()
        if key not in _INTERPOLATIONS:
            raise ValueError(f"unknown interpolation {interpolation!r}")
        options["interpolation"] = _INTERPOLATIONS[key]
    if backend is not None:
        options["backend"] = str(backend).lower()
    if resize_short is not None:
        return [{"ResizeShort": {"size": int(resize_short), **options}}]
    if size is None:
        raise ValueError("resize_short or size is needed")
    return [{"Resize": {"size": _height_width(size), **options}}]


def _read_crop(size: Any = 224, mode: str = "C", **others: Any) -> list[Transform]:
    _refuse(others)
    if mode != "C":
        raise ValueError(f"only the centre can be cut out, not {mode!r}")
    return [{"CenterCrop": {"size": _height_width(size)}}]


def _read_normalize(
    mean: Sequence[float] = _MEAN,
    std: Sequence[float] = _STD,
    scale: float | str = 1 / 255,
    order: str | None = "",
    channel_num: int = 3,
    **others: Any,
) -> list[Transform]:
    _refuse(others)
    if channel_num != 3:
        raise ValueError(f"images have 3 channels, not {channel_num}")
    options: dict[str, Any] = {"mean": [float(value) for value in mean], "std": [float(value) for value in std]}
    if not math.isclose(_number(scale), 1 / 255, rel_tol=1e-6):
        options["scale"] = _number(scale)
    return [{"Normalize": options}]


def _read_nothing(**_: Any) -> list[Transform]:
    return []  # pdx always feeds float32 [N, 3, H, W]


_READERS: dict[str, Callable[..., list[Transform]]] = {
    "DecodeImage": _read_decode,
    "ResizeImage": _read_resize,
    "CropImage": _read_crop,
    "NormalizeImage": _read_normalize,
    "ToCHWImage": _read_nothing,
    "ToBatch": _read_nothing,
    "KeepKeys": _read_nothing,
}


# -- ours -> published -----------------------------------------------------------------------------------------------
def _write_resize_short(size: int, **others: Any) -> list[dict[str, Any]]:
    return [{"ResizeImage": {"resize_short": size, **others}}]


def _write_resize(size: Any, **others: Any) -> list[dict[str, Any]]:
    height, width = _pair(size)
    return [{"ResizeImage": {"size": [width, height], **others}}]


def _write_crop(size: Any, **_: Any) -> list[dict[str, Any]]:
    height, width = _pair(size)
    return [{"CropImage": {"size": height if height == width else [width, height]}}]


def _write_normalize(
    mean: Sequence[float] = _MEAN, std: Sequence[float] = _STD, scale: float = 1 / 255, pad_multiple: int = 1
) -> list[dict[str, Any]]:
    options = {"channel_num": 3, "mean": list(mean), "order": "", "scale": scale, "std": list(std)}
    padding = [{"PadStride": {"stride": pad_multiple}}] if pad_multiple > 1 else []
    return [{"NormalizeImage": options}, *padding, {"ToCHWImage": None}]


_WRITERS: dict[str, Callable[..., list[dict[str, Any]]]] = {
    "ResizeShort": _write_resize_short,
    "Resize": _write_resize,
    "CenterCrop": _write_crop,
    "Normalize": _write_normalize,
}


def _height_width(size: Any) -> Any:
    """PaddleX writes a number or (width, height); ours is a number or (height, width)."""
    if isinstance(size, int | float):
        return int(size)
    width, height = size
    return int(width) if width == height else [int(height), int(width)]


def _pair(size: Any) -> tuple[int, int]:
    return (size, size) if isinstance(size, int) else (size[0], size[1])


def _number(value: float | str) -> float:
    """A number, or a fraction such as "1.0/255.0", which PaddleClas evaluates."""
    if not isinstance(value, str):
        return float(value)
    above, _, below = value.partition("/")
    return float(above) / (float(below) if below else 1.0)


def _refuse(others: Mapping[str, Any]) -> None:
    if others:
        raise ValueError(f"unknown parameter {', '.join(map(repr, others))}")
