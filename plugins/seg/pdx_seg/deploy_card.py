"""Reads the preprocessing that PaddleSeg and PaddleX write into the `Deploy` section of exported segmenters. Light."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pdx_core.errors import ConfigError, did_you_mean

_INTERPOLATIONS = {
    "NEAREST": "nearest",
    "LINEAR": "bilinear",
    "CUBIC": "bicubic",
    "AREA": "area",
    "LANCZOS4": "lanczos",
}


def from_deploy(card: Mapping[str, Any], origin: str) -> tuple[Mapping[str, Any], ...] | None:
    """Our transforms for `Deploy: {transforms: [{type: Resize, target_size: 512}, {type: Normalize}]}`; None for cards
    without that section.

    Defaults are those of PaddleX. Resizing comes first, as there, wherever it stands in the list.
    origin: the file, for messages. Raises ConfigError for what pdx does not know.
    """
    deploy = card.get("Deploy")
    if deploy is None:
        return None
    listed = (deploy.get("transforms") or ()) if isinstance(deploy, Mapping) else deploy
    if (
        isinstance(listed, str)
        or not isinstance(listed, Sequence)
        or not all(isinstance(item, Mapping) and "type" in item for item in listed)
    ):
        raise ConfigError(f"{origin}: Deploy.transforms must be a list of mappings with a type, got {listed!r}")
    resize: list[Mapping[str, Any]] = []
    normalize: Mapping[str, Any] = _normalize()
    for item in listed:
        options = {key: value for key, value in item.items() if key != "type"}
        try:
            if item["type"] == "Resize":
                resize = _resize(**options)
            elif item["type"] == "Normalize":
                normalize = _normalize(**options)
            else:
                hint = did_you_mean(str(item["type"]), ("Resize", "Normalize"))
                raise ConfigError(f"{origin}: unknown preprocessing operation {item['type']!r}.{hint}")
        except (TypeError, ValueError) as error:
            raise ConfigError(f"{origin}: {item['type']}: cannot be used with {options}: {error}") from error
    return (*resize, normalize)


def _resize(
    target_size: int | Sequence[int] = -1,
    keep_ratio: bool = True,
    size_divisor: int | None = 32,
    interp: str = "LINEAR",
) -> list[Mapping[str, Any]]:
    width, height = (target_size, target_size) if isinstance(target_size, int) else target_size
    if (width, height) == (-1, -1):
        return []
    if interp not in _INTERPOLATIONS:
        raise ValueError(f"unknown interpolation {interp!r}")
    options = {"size": [height, width], "keep_ratio": keep_ratio, "interpolation": _INTERPOLATIONS[interp]}
    return [{"Resize": {**options, "divisor": size_divisor or 1}}]


def _normalize(mean: float | Sequence[float] = 0.5, std: float | Sequence[float] = 0.5) -> Mapping[str, Any]:
    return {"Normalize": {"mean": _three(mean), "std": _three(std)}}


def _three(values: float | Sequence[float]) -> list[float]:
    return [float(values)] * 3 if isinstance(values, int | float) else [float(value) for value in values]
