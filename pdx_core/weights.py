"""Puts the tensors of a weight file into a network: completely, or not at all.

    report = load_weights(net, "ResNet50_pretrained.pdparams")  # official or pdx names, recognised
    report = load_weights(net, "ResNet50_pretrained.pdparams", partial=["head.*"])  # a head for other classes stays new
    report = load_weights(net.backbone, "ResNet50_pretrained.pdparams", partial=["fc.*"])

`read_weights`, `read_state`, `save_weights` and `save_state` are in `weight_files`, downloads in `downloads`.
"""

from __future__ import annotations

import fnmatch
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from pdx_core.archives import is_archive, unpacked
from pdx_core.cache import is_url
from pdx_core.dialects import check_table, choose, name_tables
from pdx_core.downloads import fetch
from pdx_core.errors import WeightsError
from pdx_core.weight_files import bfloat16_to_float32, float32_to_bfloat16
from pdx_core.weight_files import read_state as read_state
from pdx_core.weight_files import read_weights as read_weights
from pdx_core.weight_files import save_state as save_state
from pdx_core.weight_files import save_weights as save_weights
from pdx_core.weight_misfit import explain_misfit, shown

if TYPE_CHECKING:
    from pdx_core.specs import ModelSpec

_FLOATS = {"float16": np.float16, "float32": np.float32, "float64": np.float64, "bfloat16": np.float32}


@attrs.frozen
class Mismatch:
    """A tensor that is in both, but not in the same shape or kind of number."""

    name: str  # in the network
    key: str  # in the file
    expected: tuple[int, ...]  # shape in the network
    found: tuple[int, ...]  # shape in the file
    reason: str = "shape"  # "shape", or why its numbers do not fit

    def __str__(self) -> str:
        if self.reason == "shape":
            return f"{self.name} {list(self.expected)}, in the file {list(self.found)}"
        return f"{self.name}: {self.reason}"


@attrs.frozen
class LoadReport:
    """What `load_weights` did. The three lists of differences are empty after a complete load."""

    source: str
    dialect: str
    loaded: list[str]  # names in the network
    missing: list[str]  # names in the network that the file does not have: they keep their values
    unexpected: list[str]  # keys of the file that the network has no place for
    mismatched: list[Mismatch]  # they keep their values

    @property
    def complete(self) -> bool:
        return not (self.missing or self.unexpected or self.mismatched)

    def __str__(self) -> str:
        text = f"{len(self.loaded)} tensors loaded from {self.source} ({self.dialect} names)"
        if not self.complete:
            text += (
                f"; {len(self.missing)} missing, {len(self.unexpected)} left over, {len(self.mismatched)} do not fit"
            )
        return text


# (name, array of the file, array of the network) -> what to put into the network, or None
Adapter = Callable[[str, np.ndarray, np.ndarray], "np.ndarray | None"]


def load_weights(
    net: Any,
    source: str | Path | Mapping[str, Any],
    *,
    dialect: str | None = None,
    partial: bool | Sequence[str] = (),
    allow_nonfinite: bool = False,
    adapt: Adapter | None = None,
) -> LoadReport:
    """Copy weights into `net` (a Network or any paddle.nn.Layer), which must fit in every name and shape.

    source:   path of a `.pdparams` or `.safetensors` file, an http(s) address, or arrays by name
    dialect:  whose names the source uses ("PaddleClas", ...); default: recognised by the names themselves
    partial:  patterns (`*`, `?`) of names, ours or the file's, that may be missing, left over or of another shape;
              True lets everything differ
    allow_nonfinite: take NaN and infinite values too
    adapt:    asked what can be kept of an array of another shape: (our name, array of the file, array of the network)
              -> array of the network's shape, or None for nothing. The tensor counts as mismatched all the same

    float16, bfloat16, float32 and float64 are converted into the type of the network's tensor; whole numbers stay
    whole. Batch normalisation statistics are tensors like all others. Raises WeightsError, and then `net` is as it was.
    """
    label, arrays = _open(source)
    tables = name_tables(net)
    chosen = choose(tables, arrays, dialect)
    table = tables[chosen]
    check_table(chosen, table)
    state = net.state_dict()
    missing = [name for name in state if table[name] not in arrays]
    wanted = set(table.values())
    unexpected = [key for key in arrays if key not in wanted]
    fitting: dict[str, np.ndarray] = {}
    mismatched: list[Mismatch] = []
    nonfinite: list[str] = []
    adapted: dict[str, np.ndarray] = {}
    for name, parameter in state.items():
        key = table[name]
        if key not in arrays:
            continue
        array = _array(arrays[key])
        expected = tuple(parameter.shape)
        if array.shape != expected and not (array.size == 1 and math.prod(expected) == 1):
            mismatched.append(Mismatch(name, key, expected, array.shape))
            kept = adapt(name, array, parameter.numpy()) if adapt is not None else None
            if kept is not None and _finite(kept):
                adapted[name] = kept.astype(parameter.numpy().dtype)
            continue
        if not allow_nonfinite and not _finite(array):
            nonfinite.append(name)
            continue
        converted = _convert(array, str(parameter.dtype).rpartition(".")[2])
        if isinstance(converted, str):
            mismatched.append(Mismatch(name, key, expected, array.shape, converted))
            continue
        fitting[name] = converted.reshape(expected)
    report = LoadReport(label, chosen, list(fitting), missing, unexpected, mismatched)
    if nonfinite:
        raise WeightsError(
            f"{label}: {len(nonfinite)} tensors hold NaN or infinite values: {shown(nonfinite)}. The file comes from a "
            "training that failed, or is damaged; use an earlier one"
        )
    forbidden = _forbidden(report, table, partial)
    if not forbidden.complete or (state and not fitting):
        raise WeightsError(explain_misfit(forbidden, table, state, arrays))
    for name, array in {**fitting, **adapted}.items():
        state[name].set_value(array)
    return report


def official_weights(spec: ModelSpec, tag: str | None = None) -> Path:
    """The local `.pdparams` of a model's published weights, downloaded on first need.

    tag: which of `spec.weights` ("imagenet1k", "ssld"); default: the first. Raises WeightsError when the model has no
    such weights or the network may not be used, and WorkFailedError when the download fails.
    """
    offered = {weights.tag: weights for weights in reversed(spec.weights)}
    if not offered:
        raise WeightsError(f"{spec.name}: no published weights are known; give a weight file or train from scratch")
    chosen = spec.weights[0] if tag is None else offered.get(tag)
    if chosen is None:
        raise WeightsError(f"{spec.name}: no weights with the tag {tag!r}, only {', '.join(map(repr, offered))}")
    path = fetch(chosen.url, sha256=chosen.sha256, size_bytes=chosen.size_bytes)
    if not is_archive(path):
        return path
    folder = unpacked(path)
    found = sorted(folder.rglob("*.pdparams"))
    if len(found) != 1:
        raise WeightsError(f"{chosen.url}: holds {len(found)} .pdparams files where one was expected")
    return found[0]


def _open(source: str | Path | Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    if isinstance(source, Mapping):
        return "the given mapping", source
    if isinstance(source, str) and is_url(source):
        return source, read_weights(fetch(source))
    return str(source), read_weights(source)


def _array(value: Any) -> np.ndarray:
    if not isinstance(value, np.ndarray) and callable(getattr(value, "numpy", None)):
        value = value.numpy()  # a Paddle tensor
    array = np.asarray(value)
    return bfloat16_to_float32(array) if array.dtype == np.uint16 else array


def _finite(array: np.ndarray) -> bool:
    if array.dtype.kind not in "fc" or not array.size:
        return True
    with np.errstate(over="ignore", invalid="ignore"):
        total = array.sum(dtype=np.float32 if array.dtype == np.float16 else None)
    return bool(np.isfinite(total)) or bool(np.isfinite(array).all())  # a sum may overflow where no value is infinite


def _convert(array: np.ndarray, wanted: str) -> np.ndarray | str:
    """The array as the network's type, or why that cannot be."""
    if wanted in _FLOATS:
        if array.dtype.kind != "f":
            return f"is {array.dtype} in the file, {wanted} in the network"
        with np.errstate(over="ignore"):
            converted = np.asarray(array, _FLOATS[wanted], order="C")
        if converted.dtype.itemsize < array.dtype.itemsize and _finite(array) and not _finite(converted):
            return f"has values beyond the range of {wanted}"
        return float32_to_bfloat16(converted) if wanted == "bfloat16" else converted
    if (array.dtype.kind == "b") != (wanted == "bool") or array.dtype.kind not in "biu":
        return f"is {array.dtype} in the file, {wanted} in the network"
    converted = np.asarray(array, wanted, order="C")
    if not np.array_equal(converted, array):
        return f"has values beyond the range of {wanted}"
    return converted


def _forbidden(report: LoadReport, table: Mapping[str, str], partial: bool | Sequence[str]) -> LoadReport:
    """The report with only those differences that `partial` does not allow."""
    patterns = [partial] if isinstance(partial, str) else ["*"] if partial is True else list(partial or ())

    def allowed(*names: str) -> bool:
        return any(fnmatch.fnmatchcase(name, pattern) for name in names for pattern in patterns)

    return attrs.evolve(
        report,
        missing=[name for name in report.missing if not allowed(name, table[name])],
        unexpected=[key for key in report.unexpected if not allowed(key)],
        mismatched=[item for item in report.mismatched if not allowed(item.name, item.key)],
    )
