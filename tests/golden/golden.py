"""Golden parity data: seeded weights, fixed inputs, tensor fingerprints of the reference implementations.

<task>/manifest/<model>.json.gz   official state_dict keys and shapes, the gain of the seeded weights, the inputs
<task>/<model>.npz                fingerprints: shape, mean, std and sampled values of the outputs (not for every model)

The weights are no download: `fill_state` draws every parameter from its key, its shape and the manifest's gain. A
network that loads them by official key and agrees with the fingerprints computes the reference's function.

    manifest = load_manifest(GOLDEN / "cls/manifest/ResNet34.json.gz")
    load_weights(net, fill_state(manifest))
    outputs = net(*map(paddle.to_tensor, make_inputs(manifest).values()))
    assert_outputs(GOLDEN / "cls/ResNet34.npz", outputs)
"""

from __future__ import annotations

import gzip
import json
import math
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

FORMAT = 1
GOLDEN = Path(__file__).parent
RTOL = 5e-5  # with ATOL: separates rounding from a wrong epsilon in a single norm layer
ATOL = 1e-5

N_OUT = 64  # sampled values kept per output tensor
N_TRACE = 8  # sampled values kept per traced sublayer output
MAX_DIM = 8  # width of the padded shape rows

_SCALE_WORDS = ("weight", "gamma", "scale")


# --------------------------------------------------------------------------------------------------------------
# seeded weights and inputs
# --------------------------------------------------------------------------------------------------------------
def seeded_array(key: str, shape: Sequence[int], gain: float = 1.0) -> np.ndarray:
    """The float32 value of the parameter or buffer `key`: depends on the key, the shape and the gain only."""
    shape = tuple(int(s) for s in shape)
    rng = np.random.RandomState(zlib.crc32(key.encode("utf-8")) & 0xFFFFFFFF)
    count = math.prod(shape)
    leaf = key.rsplit(".", 1)[-1]
    if key.endswith("_mean"):
        value = 0.1 * rng.randn(count)
    elif key.endswith("_variance"):
        value = rng.uniform(0.5, 1.5, count)
    elif len(shape) <= 1:
        if any(word in leaf for word in _SCALE_WORDS):
            value = rng.uniform(0.5, 1.5, count)
        else:
            value = 0.1 * rng.randn(count)
    else:
        fan_in = shape[0] if len(shape) == 2 else math.prod(shape[1:])
        value = rng.randn(count) * (gain / math.sqrt(fan_in))
    return value.reshape(shape).astype(np.float32)


def iter_state(manifest: Mapping[str, Any]) -> Iterator[tuple[str, np.ndarray]]:
    """Yield (key, array) for every key the rule fills, in the official order; one array alive at a time."""
    gain = float(manifest["gain"])
    gains = manifest.get("gains") or {}
    aliases = manifest.get("aliases") or {}
    for key, shape, _dtype, fill in manifest["keys"]:
        if fill:
            yield key, seeded_array(aliases.get(key, key), shape, float(gains.get(key, gain)))


def fill_state(manifest: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """The whole seeded state of a manifest.  Keys marked fill == 0 are left out on purpose."""
    return dict(iter_state(manifest))


def make_input(shape: Sequence[int], seed: int = 0) -> np.ndarray:
    """Standard normal float32 input of the given shape."""
    return np.random.RandomState(seed).randn(*[int(s) for s in shape]).astype(np.float32)


def make_inputs(manifest: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """All inputs of a manifest, in call order.

    Each entry of manifest["inputs"] is {"name", "shape", "seed"} (standard normal) or {"name", "value"} (literal).
    """
    made: dict[str, np.ndarray] = {}
    for item in manifest["inputs"]:
        if "value" in item:
            made[item["name"]] = np.asarray(item["value"], dtype=item.get("dtype", "float32"))
        else:
            made[item["name"]] = make_input(item["shape"], item.get("seed", 0))
    return made


# --------------------------------------------------------------------------------------------------------------
# fingerprints
# --------------------------------------------------------------------------------------------------------------
def sample_index(size: int, count: int) -> np.ndarray:
    """`count` evenly spaced flat indices over range(size): floor(i * (size - 1) / (count - 1)), in exact integers."""
    if size <= 0:
        return np.zeros(0, dtype=np.int64)
    return np.array([i * (size - 1) // (count - 1) for i in range(count)], dtype=np.int64)


@dataclass
class Fingerprint:
    """What is kept of one tensor."""

    shape: tuple[int, ...]
    mean: float
    std: float
    values: np.ndarray  # float64, sampled at sample_index(size, len(values))
    name: str = ""
    argmax: int = -1  # flat argmax of the tensor; -1 when not recorded

    @property
    def rms(self) -> float:
        return math.sqrt(self.mean * self.mean + self.std * self.std)


def fingerprint(array: Any, count: int = N_OUT, name: str = "", argmax: bool = False) -> Fingerprint:
    """Fingerprint of one tensor (anything np.asarray accepts)."""
    arr = np.asarray(array)
    flat = arr.reshape(-1).astype(np.float64)
    if flat.size == 0:
        return Fingerprint(tuple(arr.shape), 0.0, 0.0, np.zeros(count), name)
    return Fingerprint(
        shape=tuple(int(s) for s in arr.shape),
        mean=float(flat.mean()),
        std=float(flat.std()),
        values=flat[sample_index(flat.size, count)],
        name=name,
        argmax=int(flat.argmax()) if argmax else -1,
    )


@dataclass
class Report:
    """Outcome of one comparison.  max_rel is the largest error divided by the RMS of the golden tensor."""

    ok: bool
    name: str = ""
    max_abs: float = math.inf
    max_rel: float = math.inf
    problems: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        return self.ok

    def __str__(self) -> str:
        verdict = "ok" if self.ok else "FAIL"
        head = f"{self.name or 'tensor'}: {verdict} max_abs={self.max_abs:.3g} max_rel={self.max_rel:.3g}"
        return head + "".join("\n  - " + p for p in self.problems)


def compare(fp: Fingerprint, array: Any, rtol: float = 1e-4, atol: float = 1e-5) -> Report:
    """Compare a tensor with a golden fingerprint.

    Every sampled value, the mean and the std must satisfy |got - want| <= atol + rtol * rms, rms being the root mean
    square of the whole golden tensor (so values that happen to lie near zero are judged on the tensor's own scale).
    The argmax must agree unless the golden winner is within that same tolerance of the new winner.
    """
    arr = np.asarray(array)
    if tuple(arr.shape) != tuple(fp.shape):
        return Report(False, fp.name, problems=[f"shape {tuple(arr.shape)} instead of {tuple(fp.shape)}"])
    got = fingerprint(arr, count=max(len(fp.values), 2), name=fp.name, argmax=fp.argmax >= 0)
    if not np.isfinite(arr).all():
        return Report(False, fp.name, problems=["not finite"])
    limit = atol + rtol * fp.rms
    diff = np.abs(got.values - fp.values)
    max_abs = float(diff.max()) if diff.size else 0.0
    report = Report(True, fp.name, max_abs, max_abs / fp.rms if fp.rms else max_abs)
    if max_abs > limit:
        worst = int(diff.argmax())
        report.problems.append(
            f"{int((diff > limit).sum())}/{diff.size} samples differ; worst #{worst}: "
            f"{got.values[worst]:.7g} instead of {fp.values[worst]:.7g} (limit {limit:.3g})"
        )
    for what in ("mean", "std"):
        new, old = getattr(got, what), getattr(fp, what)
        if abs(new - old) > limit:
            report.problems.append(f"{what} {new:.7g} instead of {old:.7g} (limit {limit:.3g})")
    if fp.argmax >= 0 and got.argmax != fp.argmax:
        flat = arr.reshape(-1).astype(np.float64)
        if flat[got.argmax] - flat[fp.argmax] > limit:
            report.problems.append(f"argmax {got.argmax} instead of {fp.argmax}")
    report.ok = not report.problems
    return report


# --------------------------------------------------------------------------------------------------------------
# files
# --------------------------------------------------------------------------------------------------------------
def load_manifest(path: str | Path) -> dict[str, Any]:
    with gzip.open(path, "rt", encoding="utf-8") as stream:
        return json.load(stream)


@dataclass
class Golden:
    """Contents of one <model_id>.npz."""

    outputs: list[Fingerprint]
    trace: list[
        Fingerprint
    ]  # in call order; names are sublayer keys, "#i" appended when a layer returns several tensors
    constants: list[Fingerprint]  # state entries that the rule does not fill (computed by the model itself)
    meta: dict[str, Any]


def _unpack(data: Mapping[str, np.ndarray], prefix: str) -> list[Fingerprint]:
    if f"{prefix}_name" not in data:
        return []  # a group that this project does not keep
    return [
        Fingerprint(
            shape=tuple(int(s) for s in shape if s >= 0),
            mean=float(mean),
            std=float(std),
            values=values.astype(np.float64),
            name=str(name),
            argmax=int(top),
        )
        for name, shape, mean, std, top, values in zip(
            *(data[f"{prefix}_{part}"] for part in ("name", "shape", "mean", "std", "argmax", "values")), strict=True
        )
    ]


def load_golden(path: str | Path) -> Golden:
    with np.load(path, allow_pickle=False) as data:
        return Golden(
            outputs=_unpack(data, "out"),
            trace=_unpack(data, "trace"),
            constants=_unpack(data, "const"),
            meta=json.loads(str(data["meta"].reshape(-1)[0])),
        )


# --------------------------------------------------------------------------------------------------------------
# whole-model checks
# --------------------------------------------------------------------------------------------------------------
def flatten_outputs(result: Any, prefix: str = "out") -> list[tuple[str, Any]]:
    """Tensors of a nested result: lists/tuples give "out.0", mappings "out.name"; other leaves are kept as they are."""
    if isinstance(result, Mapping):
        return [leaf for k, v in result.items() for leaf in flatten_outputs(v, f"{prefix}.{k}")]
    if isinstance(result, (list, tuple)):
        return [leaf for i, v in enumerate(result) for leaf in flatten_outputs(v, f"{prefix}.{i}")]
    return [] if result is None else [(prefix, result)]


def compare_outputs(golden: Golden, result: Any, rtol: float = 1e-4, atol: float = 1e-5) -> list[Report]:
    """Compare the tensors of `result` with the golden outputs, by position."""
    tensors = [np.asarray(t) for _, t in flatten_outputs(result)]
    if len(tensors) != len(golden.outputs):
        return [Report(False, "outputs", problems=[f"{len(tensors)} output tensors instead of {len(golden.outputs)}"])]
    return [compare(fp, t, rtol, atol) for fp, t in zip(golden.outputs, tensors, strict=True)]


def compare_trace(
    golden: Golden, got: Iterable[tuple[str, Any]], rtol: float = 1e-4, atol: float = 1e-5
) -> list[Report]:
    """Compare recorded sublayer outputs; `got` is (name, tensor) in call order.

    Names that only one side has are skipped, so this finds the FIRST shared sublayer that goes wrong.  A name called
    several times is matched call by call.
    """
    wanted: dict[str, list[Fingerprint]] = {}
    for fp in golden.trace:
        wanted.setdefault(fp.name, []).append(fp)
    reports = []
    for name, tensor in got:
        if wanted.get(name):
            reports.append(compare(wanted[name].pop(0), tensor, rtol, atol))
    return reports


@dataclass
class KeyReport:
    """Difference between a manifest and a model's own state_dict."""

    missing: list[str]
    unexpected: list[str]
    wrong_shape: list[str]
    same_order: bool

    @property
    def ok(self) -> bool:
        return not (self.missing or self.unexpected or self.wrong_shape)

    def __bool__(self) -> bool:
        return self.ok


def check_keys(manifest: Mapping[str, Any], shapes: Mapping[str, Sequence[int]]) -> KeyReport:
    """Compare official keys and shapes with {key: shape} of a model under test (order is reported, not required)."""
    want = {key: tuple(shape) for key, shape, _dtype, _fill in manifest["keys"]}
    have = {key: tuple(int(s) for s in shape) for key, shape in shapes.items()}
    return KeyReport(
        missing=[k for k in want if k not in have],
        unexpected=[k for k in have if k not in want],
        wrong_shape=[f"{k}: {have[k]} instead of {want[k]}" for k in want if k in have and have[k] != want[k]],
        same_order=list(want) == list(have),
    )


def assert_keys(manifest: Mapping[str, Any], net: Any, dialect: str) -> None:
    """The network has the keys of the manifest, under the names of a dialect, in these shapes."""
    from pdx_core.dialects import name_tables

    table = name_tables(net)[dialect]
    report = check_keys(manifest, {table[name]: tensor.shape for name, tensor in net.state_dict().items()})
    assert report.ok, report


def assert_outputs(path: str | Path, result: Any) -> None:
    """The outputs are those of the golden file."""
    for report in compare_outputs(load_golden(path), result, RTOL, ATOL):
        assert report, str(report)
