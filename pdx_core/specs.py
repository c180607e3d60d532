"""Records that plugins offer: plain data, so that a catalogue is listed without importing a single network."""

from __future__ import annotations

import importlib
import re
from collections.abc import Mapping
from typing import Any, ClassVar

import attrs

from pdx_core.errors import PluginError

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]*")
_TARGET = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")


def _check_name(record: Any, attribute: attrs.Attribute, value: Any) -> None:
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        raise PluginError(
            f"{type(record).__name__}: {attribute.name} must be letters, digits and '-_.+', starting with a letter or "
            f"digit; got {value!r}"
        )


def _check_target(record: Any, attribute: attrs.Attribute, value: Any) -> None:
    if value is None and attribute.default is None:
        return
    if not isinstance(value, str) or not _TARGET.fullmatch(value):
        raise PluginError(
            f"{type(record).__name__} {getattr(record, 'name', '?')!r}: {attribute.name} must look like "
            f"'package.module:object'; got {value!r}"
        )


def _check_positive(record: Any, attribute: attrs.Attribute, value: Any) -> None:
    if any(not isinstance(item, int) or item <= 0 for item in value):
        raise PluginError(
            f"{type(record).__name__} {record.name!r}: {attribute.name} must be positive integers; got {value!r}"
        )


def import_target(target: str) -> Any:
    """Import the object that "package.module:object" names."""
    module_name, _, path = target.partition(":")
    found: Any = importlib.import_module(module_name)
    for part in path.split("."):
        try:
            found = getattr(found, part)
        except AttributeError:
            raise PluginError(f"{target!r} cannot be imported: {module_name} has no {path!r}") from None
    return found


@attrs.frozen(kw_only=True)
class Weights:
    """Where one set of pretrained parameters comes from."""

    tag: str  # "imagenet1k", "ssld", "coco": what the network was trained on
    url: str  # of one file, .pdparams or .safetensors
    sha256: str | None = None  # hex; None where the release publishes no checksum
    size_bytes: int | None = None  # of the file, for the progress bar and to notice a cut download
    num_classes: int | None = None  # of the classifier in the file; None where it has none
    dialect: str | None = None  # "PaddleClas" ...; None lets the loader recognise it
    licence: str = ""  # of the weights, which may not be that of the code
    source: str = ""  # the release or page that offers the file


@attrs.frozen(kw_only=True)
class Score:
    """A claim about quality or cost, and who measured it."""

    metric: str  # "top1", "box_ap"
    value: float  # in `unit`
    unit: str = "%"  # "%", "fraction", "ms"
    dataset: str = ""  # what it was measured on, "ImageNet val"
    source: str = "published"  # "published", or "ours, <device>, <date>"
    note: str = ""  # conditions that matter: input size, number of views


@attrs.frozen(kw_only=True)
class Spec:
    """What every record has. `target` is "package.module:object", imported on first use."""

    kind: ClassVar[str] = ""
    per_task: ClassVar[bool] = False  # whether records of different tasks may have one name; needs a field `task`

    name: str = attrs.field(validator=_check_name)  # the published spelling; users may write case and -_. as they like
    target: str = attrs.field(validator=_check_target)  # "package.module:object", imported on first use
    summary: str = ""  # half a line for lists
    aliases: tuple[str, ...] = attrs.field(default=(), converter=tuple)  # spellings of other releases
    # light attrs class typing the parameters; best in a module of its own, which is imported for the chosen model only
    options: str | None = attrs.field(default=None, validator=_check_target)
    arguments: Mapping[str, Any] = attrs.field(factory=dict)  # what makes this variant: passed to target as keywords

    def load(self) -> Any:
        """Import and return the target."""
        return import_target(self.target)

    def options_class(self) -> type | None:
        """Import and return the attrs class that types the options, or None."""
        return import_target(self.options) if self.options else None


@attrs.frozen(kw_only=True)
class TaskSpec(Spec):
    """A task: what a sample, a result and the default metric are. `target` is a `contracts.Task`."""

    kind: ClassVar[str] = "tasks"

    title: str = ""  # in words, "object detection"
    dataset_type: str = ""  # the published name of its dataset form, "ClsDataset"
    reader: str | None = None  # tried first when the format of a folder is recognised
    metric: str = ""  # name of its default metric
    predictor: str = ""  # name of its default predictor
    overrides: Mapping[str, Any] = attrs.field(factory=dict)  # dotted config key -> default of this task
    demo: str | None = attrs.field(default=None, validator=_check_target)  # function (output folder) of `pdx demo`


@attrs.frozen(kw_only=True)
class ReaderSpec(Spec):
    """A dataset format. `target` is a `contracts.Reader`. Its name is unique within its task: several read "COCO"."""

    kind: ClassVar[str] = "dataset_readers"
    per_task: ClassVar[bool] = True

    task: str  # name of the task whose samples it gives
    layout: str = ""  # one sentence on the expected files
    detect: str | None = attrs.field(default=None, validator=_check_target)  # function (Path) -> bool, light
    checker: str | None = attrs.field(default=None, validator=_check_target)  # a `contracts.DatasetChecker`
    # function (data.reading.Format, Path) that writes this format from another one of the same task
    converter: str | None = attrs.field(default=None, validator=_check_target)
    # function (folder) that writes a tiny dataset of this format; `pdx plugin check` tries the reader on it
    example: str | None = attrs.field(default=None, validator=_check_target)


@attrs.frozen(kw_only=True)
class BackboneSpec(Spec):
    """A trunk. `channels` and `strides` describe the levels of the default options, fine to coarse."""

    kind: ClassVar[str] = "backbones"

    channels: tuple[int, ...] = attrs.field(converter=tuple, validator=_check_positive)  # of each level, fine to coarse
    strides: tuple[int, ...] = attrs.field(converter=tuple, validator=_check_positive)  # input pixels per cell of it
    min_size: int = 32  # smallest height and width it takes
    weights: tuple[Weights, ...] = ()  # of the trunk alone
    paper: str = ""  # title or URL

    def __attrs_post_init__(self) -> None:
        if len(self.channels) != len(self.strides):
            raise PluginError(
                f"BackboneSpec {self.name!r}: {len(self.channels)} channels but {len(self.strides)} strides; "
                "give one of each per level"
            )


@attrs.frozen(kw_only=True)
class NeckSpec(Spec):
    """What stands between trunk and head; its constructor takes the trunk's features."""

    kind: ClassVar[str] = "necks"

    min_levels: int = 1  # of the trunk that it needs
    max_levels: int | None = None  # that it takes; None: any number


@attrs.frozen(kw_only=True)
class HeadSpec(Spec):
    """A head of one task; owns loss and decoding."""

    kind: ClassVar[str] = "heads"

    task: str  # name of the task whose targets and results it knows


@attrs.frozen(kw_only=True)
class MetricSpec(Spec):
    """A metric; `key` is the number that chooses the best model."""

    kind: ClassVar[str] = "metrics"

    task: str  # name of the task whose results it takes
    key: str  # of the number in what `compute` gives that chooses the best model
    higher_is_better: bool = True  # whether the largest or the smallest number is the best
    unit: str = ""  # "fraction", "%", or that of an error


@attrs.frozen(kw_only=True)
class PredictorSpec(Spec):
    """Pre- and post-processing of a task around any runtime."""

    kind: ClassVar[str] = "predictors"

    task: str  # name of the task whose models it runs
    result: str | None = attrs.field(default=None, validator=_check_target)  # class of what it yields
    # light function (content of an inference.yml that pdx did not write, its path) -> transforms, or None: not its form
    preparation: str | None = attrs.field(default=None, validator=_check_target)


@attrs.frozen(kw_only=True)
class RuntimeSpec(Spec):
    """A way to run an exported model."""

    kind: ClassVar[str] = "runtimes"

    suffixes: tuple[str, ...] = ()  # of the model files that it runs, (".onnx",)
    requires: tuple[str, ...] = ()  # importable modules it needs
    install: str = ""  # the command that installs them
    devices: tuple[str, ...] = ("cpu",)  # "cpu", "gpu"
    automatic: bool = True  # whether "auto" may choose it; not where it lowers the precision


@attrs.frozen(kw_only=True)
class ModelSpec(Spec):
    """One row of the zoo: a composition of components with its defaults, weights and scores."""

    kind: ClassVar[str] = "models"

    # what joins the parts; the default does it for every backbone -> (neck) -> head
    target: str = attrs.field(default="pdx_core.train.network:Network", validator=_check_target)
    task: str  # name of its task
    family: str = ""  # under which `pdx models QUERY` finds it too
    backbone: str  # name of a backbone of any plugin, or "package.module:Class"
    neck: str | None = None  # the same for a neck
    head: str  # the same for a head of the task
    num_classes: int | None = None  # of the published weights
    input_size: tuple[int, int] = (224, 224)  # height, width
    preprocessing: tuple[Mapping[str, Any], ...] = ()  # evaluation transforms in order, {name: parameters}
    overrides: Mapping[str, Any] = attrs.field(factory=dict)  # dotted config key -> value
    recipes: Mapping[str, Mapping[str, Any]] = attrs.field(factory=dict)  # by name: further overrides, on demand
    weights: tuple[Weights, ...] = ()  # of the whole model; the first is "official"
    scores: tuple[Score, ...] = ()  # published ones and our own; `pdx models` shows the first
    params: int | None = None  # elements with the published number of classes, fixed ones too, running statistics not
    file_mb: float | None = None  # of the published weights
    labels: str | None = attrs.field(default=None, validator=_check_target)  # function () -> class names of the weights
    paper: str = ""  # title or URL
    deprecated: str | None = None  # what to use instead


@attrs.frozen(kw_only=True)
class CommandSpec(Spec):
    """An extra `pdx` subcommand; `target` is a click command in a light module."""

    kind: ClassVar[str] = "commands"


HOOK_RECORDS: dict[str, type[Spec]] = {
    "pdx_" + record.kind: record
    for record in (
        TaskSpec,
        ModelSpec,
        ReaderSpec,
        BackboneSpec,
        NeckSpec,
        HeadSpec,
        MetricSpec,
        PredictorSpec,
        RuntimeSpec,
        CommandSpec,
    )
}
KINDS: tuple[str, ...] = tuple(record.kind for record in HOOK_RECORDS.values())
