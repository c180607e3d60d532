"""The typed tree of a run's configuration, in the sections and keys PaddleX users know; `Model` and `Data` are ours.

Plain attrs classes: `pdx_core.config` fills them from files and `-o`, and remembers where each value came from.
A key that ends in another spelling of PaddleX is an alias (`metadata["aliases"]`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import attrs
from attrs import validators as v

from pdx_core.errors import ConfigError


@attrs.define(kw_only=True)
class Component:
    """A component by name (or "package.module:Class") with its options.

    Written in YAML as the bare name, or as a mapping with `name` and the options beside it.
    """

    name: str
    options: dict[str, Any] = attrs.field(factory=dict)


def component(kind: str, default: Any = None) -> Any:
    """A field that holds a Component of one kind of the registry."""
    return attrs.field(default=default, metadata={"kind": kind})


def _range(low: float, high: float) -> Any:
    return v.and_(v.ge(low), v.le(high))


@attrs.define(kw_only=True)
class GlobalConfig:
    model: str = ""
    mode: Literal["check_dataset", "train", "evaluate", "export", "predict"] = "train"
    dataset_dir: str | None = None
    device: str = "auto"  # auto, cpu, gpu, gpu:0, gpu:0,1
    output: str = "output"
    seed: int = attrs.field(default=0, validator=v.ge(0))
    recipe: str | None = None  # a named set of further defaults in the model's record, such as "imagenet"


@attrs.define(kw_only=True)
class ConvertConfig:
    enable: bool = False
    src_dataset_type: str | None = None


@attrs.define(kw_only=True)
class SplitConfig:
    enable: bool = False
    train_percent: int | None = attrs.field(default=None, validator=v.optional(_range(1, 99)))
    val_percent: int | None = attrs.field(default=None, validator=v.optional(_range(1, 99)))


@attrs.define(kw_only=True)
class CheckDatasetConfig:
    convert: ConvertConfig = attrs.field(factory=ConvertConfig)
    split: SplitConfig = attrs.field(factory=SplitConfig)


@attrs.define(kw_only=True)
class OptimizerConfig:
    name: Literal["momentum", "sgd", "adam", "adamw"] = "momentum"
    momentum: float = attrs.field(default=0.9, validator=_range(0, 1))
    beta1: float = attrs.field(default=0.9, validator=_range(0, 1))
    beta2: float = attrs.field(default=0.999, validator=_range(0, 1))
    epsilon: float = attrs.field(default=1e-8, validator=v.gt(0))
    weight_decay: float = attrs.field(default=0.0, validator=v.ge(0))
    no_decay: tuple[str, ...] = ()  # regular expressions on parameter names; "norm" and "1d" name the usual groups
    lr_factors: dict[str, float] = attrs.field(factory=dict)  # regular expression on parameter names -> factor
    clip_norm: float | None = attrs.field(default=None, validator=v.optional(v.gt(0)))
    clip_value: float | None = attrs.field(default=None, validator=v.optional(v.gt(0)))


@attrs.define(kw_only=True)
class ScheduleConfig:
    name: Literal["constant", "cosine", "piecewise", "poly"] = "cosine"
    milestones: tuple[float, ...] = ()  # piecewise: in the unit of epochs_iters
    gamma: float = 0.1  # piecewise: factor at each milestone
    power: float = 0.9  # poly
    end_lr: float = attrs.field(default=0.0, validator=v.ge(0))
    warmup_start_lr: float = attrs.field(default=0.0, validator=v.ge(0))


@attrs.define(kw_only=True)
class EmaConfig:
    enable: bool = False
    decay: float = attrs.field(default=0.9998, validator=_range(0, 1))


@attrs.define(kw_only=True)
class AmpConfig:
    level: Literal["off", "O1", "O2"] = "off"
    dtype: Literal["float16", "bfloat16"] = "float16"
    init_loss_scale: float = attrs.field(default=1024.0, validator=v.gt(0))


@attrs.define(kw_only=True)
class TrainConfig:
    num_classes: int | None = attrs.field(default=None, validator=v.optional(v.gt(0)))  # None: from the dataset
    epochs_iters: int = attrs.field(default=20, validator=v.gt(0))
    unit: Literal["epoch", "iteration"] = "epoch"  # of epochs_iters, eval_interval, save_interval, milestones
    batch_size: int = attrs.field(default=32, validator=v.gt(0))  # per device
    learning_rate: float = attrs.field(default=0.01, validator=v.gt(0))
    pretrain_weight_path: str | None = None  # file, URL, or "official"; None trains from scratch
    warmup_steps: int = attrs.field(default=0, validator=v.ge(0))
    warmup_unit: Literal["epoch", "iteration"] = "epoch"
    resume_path: str | None = None
    log_interval: int = attrs.field(default=10, validator=v.gt(0))  # iterations
    eval_interval: int = attrs.field(default=1, validator=v.gt(0))
    save_interval: int = attrs.field(default=1, validator=v.gt(0))
    optimizer: OptimizerConfig = attrs.field(factory=OptimizerConfig)
    schedule: ScheduleConfig = attrs.field(factory=ScheduleConfig)
    ema: EmaConfig = attrs.field(factory=EmaConfig)
    amp: AmpConfig = attrs.field(factory=AmpConfig)
    accumulate_steps: int = attrs.field(default=1, validator=v.gt(0))
    freeze: tuple[str, ...] = ()  # regular expressions on parameter names
    sync_batch_norm: bool = True  # only matters on several devices
    early_stop_patience: int | None = attrs.field(default=None, validator=v.optional(v.gt(0)))  # evaluations
    keep_checkpoints: int = attrs.field(default=5, validator=v.gt(0))
    max_skipped_nan_steps: int = attrs.field(default=0, validator=v.ge(0))  # 0: stop at the first
    partial_weights: tuple[str, ...] = ()  # further keys that may differ from the pretrained file


def _usable_scales(config: Any, attribute: attrs.Attribute, value: tuple[float, ...]) -> None:
    if any(not 0.1 <= scale <= 10 for scale in value) or len(set(value)) < len(value):
        raise ValueError(f"{attribute.name} must be different factors from 0.1 to 10, got {list(value)}")


@attrs.define(kw_only=True)
class TestTimeConfig:
    """Several views of each image, whose predictions are merged; slower, and mostly a little better."""

    __test__ = False  # not a test, whatever pytest makes of the name

    scales: tuple[float, ...] = attrs.field(
        default=(), converter=tuple, validator=_usable_scales
    )  # of the input; (): as it is
    flip: bool = False  # also the mirror image at each scale
    merge: dict[str, Any] = attrs.field(factory=dict)  # how the task merges the views, where it has a choice

    @classmethod
    def of(cls, given: TestTimeConfig | Mapping[str, Any] | None) -> TestTimeConfig:
        """From what Python code gives a predictor. Raises ConfigError that says what may be given."""
        if isinstance(given, cls):
            return given
        try:
            return cls(**(given or {}))
        except (TypeError, ValueError) as error:
            raise ConfigError(
                f'test_time takes {{"scales": [1.0, 1.5], "flip": True, "merge": {{...}}}}, got {given!r}: {error}'
            ) from None

    @property
    def enabled(self) -> bool:
        return self.flip or self.scales not in ((), (1.0,))


def _usable_side(config: Any, attribute: attrs.Attribute, value: int | tuple[int, int] | None) -> None:
    if value is not None and any(side < 32 for side in (value if isinstance(value, tuple) else (value,))):
        raise ValueError(f"{attribute.name} must be at least 32 pixels, got {value}")


@attrs.define(kw_only=True)
class TilesConfig:
    """Cutting a picture into overlapping tiles that the network sees one at a time; their predictions are merged."""

    size: int | tuple[int, int] | None = attrs.field(default=None, validator=_usable_side)  # side, or [height, width]
    overlap: float = attrs.field(default=0.125, validator=_range(0, 0.9))  # share of a tile that its neighbour has too


@attrs.define(kw_only=True)
class EvaluateConfig:
    weight_path: str | None = None  # None: best_model below Global.output, else the published weights
    batch_size: int | None = attrs.field(default=None, validator=v.optional(v.gt(0)))  # None: that of training
    log_interval: int = attrs.field(default=10, validator=v.gt(0))
    metric: Component | None = component("metrics")
    use_ema: bool = True
    test_time: TestTimeConfig = attrs.field(factory=TestTimeConfig)
    tiles: TilesConfig = attrs.field(factory=TilesConfig)  # no size: pictures are seen whole


@attrs.define(kw_only=True)
class ExportConfig:
    weight_path: str | None = None
    output: str | None = None  # None: best_model/inference below Global.output
    parity_images: int = attrs.field(default=8, validator=v.ge(1))
    rtol: float = attrs.field(default=1e-3, validator=v.gt(0))
    atol: float = attrs.field(default=1e-4, validator=v.gt(0))
    any_size: bool = False  # the graph takes images of any size (test_time.scales) even if preparation gives but one
    try_runtimes: bool = True  # compare and time every installed runtime; False: the plain one only, seconds faster


@attrs.define(kw_only=True)
class KernelOptionConfig:
    run_mode: str = "auto"  # name of a runtime, or PaddleX's paddle, mkldnn, mkldnn_bf16, trt_fp32 ...


@attrs.define(kw_only=True)
class PredictConfig:
    input: str | None = None
    batch_size: int = attrs.field(default=1, validator=v.gt(0))
    model_dir: str | None = None
    kernel_option: KernelOptionConfig = attrs.field(factory=KernelOptionConfig)
    topk: int | None = attrs.field(default=None, validator=v.optional(v.gt(0)))
    threshold: float | None = attrs.field(default=None, validator=v.optional(_range(0, 1)))
    test_time: TestTimeConfig = attrs.field(factory=TestTimeConfig)
    tiles: TilesConfig = attrs.field(factory=TilesConfig)  # no size: tiles only where a picture is too large


@attrs.define(kw_only=True)
class ModelConfig:
    backbone: Component | None = component("backbones")
    neck: Component | None = component("necks")
    head: Component | None = component("heads")


@attrs.define(kw_only=True)
class DataConfig:
    reader: Component | None = component("dataset_readers")  # None: recognised from the folder
    workers: int = attrs.field(default=2, validator=v.ge(0))
    worker_kind: Literal["thread", "process"] = "thread"
    max_megapixels: float = attrs.field(default=100.0, validator=v.gt(0))
    broken_images: Literal["stop", "skip"] = "stop"
    train_transforms: tuple[Mapping[str, Any], ...] = ()  # each {name: parameters}
    eval_transforms: tuple[Mapping[str, Any], ...] = ()
    batch_transforms: tuple[Mapping[str, Any], ...] = ()  # mixup, cutmix: on a whole training batch


@attrs.define(kw_only=True)
class RunConfig:
    """One resolved configuration: the whole truth about a run. YAML sections are the capitalised field names."""

    global_: GlobalConfig = attrs.field(factory=GlobalConfig, metadata={"key": "Global"})
    check_dataset: CheckDatasetConfig = attrs.field(factory=CheckDatasetConfig, metadata={"key": "CheckDataset"})
    train: TrainConfig = attrs.field(factory=TrainConfig, metadata={"key": "Train"})
    evaluate: EvaluateConfig = attrs.field(factory=EvaluateConfig, metadata={"key": "Evaluate"})
    export: ExportConfig = attrs.field(factory=ExportConfig, metadata={"key": "Export"})
    predict: PredictConfig = attrs.field(factory=PredictConfig, metadata={"key": "Predict"})
    model: ModelConfig = attrs.field(factory=ModelConfig, metadata={"key": "Model"})
    data: DataConfig = attrs.field(factory=DataConfig, metadata={"key": "Data"})
