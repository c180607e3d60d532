"""Which transforms there are and what they may be told, without importing numpy.

Configurations are checked against this table; `pdx_core.transforms.build` makes the objects. A place that takes a name
also takes "package.module:Class".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pdx_core.errors import ConfigError, UnknownNameError, did_you_mean, fold_name

_RESIZE = "interpolation backend"

# name -> (where the class is, the parameters it takes); a test compares both with the classes
_SAMPLE_TABLE = {
    "Resize": ("resize:Resize", f"size keep_ratio divisor {_RESIZE}"),
    "ResizeShort": ("resize:ResizeShort", f"size max_size {_RESIZE}"),
    "RandomResizeShort": ("resize:RandomResizeShort", f"sizes max_size {_RESIZE}"),
    "ResizeLong": ("resize:ResizeLong", f"size {_RESIZE}"),
    "RandomScale": ("resize:RandomScale", f"low high step {_RESIZE}"),
    "CenterCrop": ("crop:CenterCrop", "size fill ignore_index"),
    "RandomCrop": ("crop:RandomCrop", "size fill ignore_index min_visible"),
    "RandomResizedCrop": ("crop:RandomResizedCrop", f"size scale ratio attempts min_visible {_RESIZE}"),
    "RandomBoxCrop": ("box_crop:RandomBoxCrop", "thresholds scale ratio attempts keep_all"),
    "RandomExpand": ("expand:RandomExpand", "max_ratio prob fill ignore_index"),
    "Pad": ("pad:Pad", "size divisor fill ignore_index centre"),
    "RandomHorizontalFlip": ("flip:RandomHorizontalFlip", "prob"),
    "RandomVerticalFlip": ("flip:RandomVerticalFlip", "prob"),
    "ColorDistort": ("colour:ColorDistort", "brightness contrast saturation hue prob shuffle"),
    "AutoAugment": ("auto_augment:AutoAugment", "policy prob fill interpolation"),
    "RandAugment": ("auto_augment:RandAugment", "config prob fill interpolation"),
    "RandomErasing": ("erasing:RandomErasing", "prob area ratio attempts mode value log_ratio"),
    "Normalize": ("normalize:Normalize", "mean std scale pad_multiple"),
}
_BATCH_TABLE = {
    "Mixup": ("mix:Mixup", "alpha prob num_classes"),
    "CutMix": ("mix:CutMix", "alpha prob num_classes"),
    "BoxMixup": ("mix_boxes:BoxMixup", "alpha prob"),
    "BatchRandomResize": ("resize:BatchRandomResize", f"sizes interpolations {_RESIZE}"),
}


def _expand(table: Mapping[str, tuple[str, str]]) -> dict[str, tuple[str, tuple[str, ...]]]:
    return {name: (f"pdx_core.transforms.{target}", tuple(words.split())) for name, (target, words) in table.items()}


SAMPLE_TRANSFORMS = _expand(_SAMPLE_TABLE)  # act on one sample
BATCH_TRANSFORMS = _expand(_BATCH_TABLE)  # act on a whole training batch


def read_entry(entry: Any, *, batch: bool = False, origin: str = "") -> tuple[str, dict[str, Any]]:
    """The import path and the parameters of one configured transform, `{name: parameters}` or the bare name.

    Raises UnknownNameError or ConfigError, starting with `origin`, for unknown names and parameters.
    """
    lead = f"{origin}: " if origin else ""
    if isinstance(entry, str):
        entry = {entry: None}
    if not isinstance(entry, Mapping) or len(entry) != 1:
        raise ConfigError(
            f"{lead}a transform is written as `Name: {{parameter: value}}`, one per list item; got {entry!r}"
        )
    ((name, parameters),) = entry.items()
    if parameters is None:
        parameters = {}
    if not isinstance(parameters, Mapping):
        raise ConfigError(f"{lead}the parameters of {name} must be a mapping such as {{size: 224}}; got {parameters!r}")
    if ":" in str(name):
        return str(name), dict(parameters)
    table = BATCH_TRANSFORMS if batch else SAMPLE_TRANSFORMS
    found = {fold_name(known): known for known in table}.get(fold_name(str(name)))
    if found is None:
        raise UnknownNameError(f"{lead}{_unknown(str(name), batch)}")
    target, allowed = table[found]
    for key in parameters:
        if key not in allowed:
            raise ConfigError(
                f"{lead}{found} has no parameter {key!r}.{did_you_mean(str(key), allowed)} "
                f"It takes: {', '.join(allowed)}"
            )
    return target, dict(parameters)


def check_names(entries: Sequence[Any], *, batch: bool = False, origin: str = "") -> None:
    """Raise for the first entry whose name or parameter nobody knows."""
    for entry in entries:
        read_entry(entry, batch=batch, origin=origin)


def _unknown(name: str, batch: bool) -> str:
    table, other = (BATCH_TRANSFORMS, SAMPLE_TRANSFORMS) if batch else (SAMPLE_TRANSFORMS, BATCH_TRANSFORMS)
    if fold_name(name) in {fold_name(known) for known in other}:
        place = "train_transforms or eval_transforms" if batch else "batch_transforms"
        return f"{name} belongs into Data.{place}"
    return f"no transform is called {name!r}.{did_you_mean(name, table)} There are: {', '.join(table)}"
