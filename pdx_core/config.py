"""One resolved configuration from class defaults, records, a file, flags and -o, each value with its origin.

Later wins: class defaults -> TaskSpec.overrides -> ModelSpec -> recipe -> file -> named flags -> -o in their order.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs

from pdx_core.config_merge import merge, tidy
from pdx_core.config_types import Structurer, convert, show, source
from pdx_core.config_values import Value, at_path, is_null, read_file, read_override, wrap
from pdx_core.errors import ConfigError, PdxError, UnknownNameError, did_you_mean
from pdx_core.plugins import get_registry
from pdx_core.settings import RunConfig
from pdx_core.specs import ModelSpec, TaskSpec

logger = logging.getLogger(__name__)

FLAG_NAMES = {
    "Global.dataset_dir": "--data",
    "Train.epochs_iters": "--epochs",
    "Train.learning_rate": "--lr",
    "Train.pretrain_weight_path": "--pretrained",
    "Train.resume_path": "--resume",
    "Evaluate.weight_path": "--weights",
    "Export.weight_path": "--weights",
    "Predict.kernel_option.run_mode": "--runtime",
}


@attrs.frozen
class Resolved:
    """A complete, checked configuration, the record of its model, and where each value comes from."""

    config: RunConfig
    spec: ModelSpec
    origins: Mapping[str, str]  # dotted key -> "my.yaml:12", "--batch-size" ...; values without one are defaults

    def origin(self, key: str) -> str:
        """Where a value came from, for messages."""
        return self.origins.get(key, "default")


def default_config(model: str) -> RunConfig:
    """What a model is trained with when nobody says anything. Raises UnknownNameError."""
    return resolve(model).config


def resolve(
    model: str | None = None,
    file: Path | None = None,
    flags: Mapping[str, Any] | None = None,
    overrides: Sequence[str] = (),
) -> Resolved:
    """Build the configuration of a run.

    model:     name; None takes Global.model of the overrides, flags or file, or the stem of a file that does not exist
    file:      YAML, or a path such as configs/ResNet50.yaml whose stem names a model
    flags:     dotted key -> value of a named command-line option; None means that it was not given
    overrides: "KEY=VALUE" texts of -o

    Raises ConfigError or UnknownNameError, with the place the value was written at.
    """
    layers: list[Value] = []
    if file is not None:
        layer, stem = _file_layer(Path(file))
        layers.append(layer)
        model = model or stem
    layers.append(_joined(_flag_values(flags or {})))
    layers.append(_joined(_override_values(overrides)))
    user = Value({}, "")
    for layer in layers:
        user = merge(user, tidy(layer))

    name, origin = _model_name(model, user)
    spec = get_registry().find("models", name, origin)
    tree = _record_layers(spec, user)
    tree = merge(tree, user)
    tree = merge(tree, at_path(("Global", "model"), Value(spec.name if "/" not in name else name, origin)))
    structurer = Structurer(spec.task)
    config = structurer.build(RunConfig, tree, "")
    resolved = Resolved(config, spec, structurer.origins)
    _check(resolved)
    return resolved


def dump(resolved: Resolved) -> str:
    """The complete configuration as YAML, with the origin of each value that is not a default as a comment."""
    from pdx_core.config_dump import dump_config

    return dump_config(resolved.config, resolved.origins)


# -- layers --------------------------------------------------------------------------------------------------------
def _file_layer(path: Path) -> tuple[Value, str | None]:
    """The content of the file, and a model's name when there is no file but its stem is one."""
    if path.is_file():
        return read_file(path), None
    if path.is_dir():
        inside = path / "config.yaml"
        if inside.is_file():
            return read_file(inside), None
        raise ConfigError(f"{path} is a folder without a config.yaml; give a YAML file")
    entries = get_registry().entries("models")
    if path.suffix.lower() not in (".yaml", ".yml"):
        raise ConfigError(f"-c {path}: no such file. A configuration is a .yaml file; `pdx config NAME` prints one")
    try:
        spec = get_registry().find("models", path.stem)
    except UnknownNameError as error:
        hint = did_you_mean(path.stem, [entry.spec.name for entry in entries])
        raise ConfigError(
            f"-c {path}: no such file, and no model is called {path.stem!r}.{hint} See `pdx models`."
            + get_registry().problem_note()
        ) from error
    logger.warning("there is no file %s: using the defaults of the model %s", path, spec.name)
    return Value({}, str(path)), spec.name


def _flag_values(flags: Mapping[str, Any]) -> Iterator[Value]:
    for key, item in flags.items():
        if item is None:
            continue
        name = FLAG_NAMES.get(key, "--" + key.rpartition(".")[2].replace("_", "-"))
        yield at_path(key.split("."), wrap(item, name))


def _override_values(overrides: Sequence[str]) -> Iterator[Value]:
    for text in overrides:
        key, value = read_override(text)
        path = key.split(".")
        if len(path) == 1 or not all(path):
            raise ConfigError(f"-o {text}: the key needs its section, for example -o Train.batch_size=16")
        yield at_path(path, value)


def _joined(values: Iterator[Value]) -> Value:
    """Values given one after the other as one layer; the last wins."""
    layer = Value({}, "")
    for value in values:
        layer = merge(layer, tidy(value))
    return layer


def _model_name(given: str | None, user: Value) -> tuple[str, str]:
    if given:
        return given, "the command line"
    section = user.raw.get("Global")
    written = section.raw.get("model") if section is not None and isinstance(section.raw, dict) else None
    if written is None or is_null(written):
        raise ConfigError("no model given; name one (`pdx models` lists them) or write Global.model in the file")
    return convert(str, written, "Global.model"), written.origin


def _record_layers(spec: ModelSpec, user: Value) -> Value:
    """What the records of the task and the model say, below everything a user wrote."""
    tree = Value({}, "")
    task: TaskSpec = get_registry().find("tasks", spec.task, f"the record of model {spec.name!r}")
    tree = _lay_overrides(tree, task.overrides, f"task {task.name}")
    origin = f"model {spec.name}"
    for part in ("backbone", "neck", "head"):
        if getattr(spec, part):
            tree = merge(tree, at_path(("Model", part), wrap(getattr(spec, part), origin, by_user=False)))
    if spec.preprocessing:
        tree = merge(tree, at_path(("Data", "eval_transforms"), wrap(spec.preprocessing, origin, by_user=False)))
    tree = _lay_overrides(tree, spec.overrides, origin)
    section = user.raw.get("Global")
    recipe = section.raw.get("recipe") if section is not None and isinstance(section.raw, dict) else None
    if recipe is not None and not is_null(recipe):
        name = convert(str, recipe, "Global.recipe")
        if name not in spec.recipes:
            known = ", ".join(spec.recipes) or "none"
            hint = did_you_mean(name, spec.recipes)
            raise ConfigError(
                f"Global.recipe: {spec.name} has no recipe {show(recipe)}{source(recipe)}.{hint} There are: {known}"
            )
        tree = _lay_overrides(tree, spec.recipes[name], f"recipe {name} of {spec.name}")
    return tree


def _lay_overrides(tree: Value, overrides: Mapping[str, Any], origin: str) -> Value:
    for key, item in overrides.items():
        tree = merge(tree, tidy(at_path(key.split("."), wrap(item, origin, by_user=False))))
    return tree


# -- rules between fields ------------------------------------------------------------------------------------------
def _check(resolved: Resolved) -> None:
    from pdx_core.paddle_support import parse_device
    from pdx_core.transforms.names import check_names

    config = resolved.config
    try:
        parse_device(config.global_.device)
    except PdxError as error:
        raise ConfigError(f"Global.device: {error} (from {resolved.origin('Global.device')})") from None
    for key, batch in (("train_transforms", False), ("eval_transforms", False), ("batch_transforms", True)):
        origin = f"Data.{key} (from {resolved.origin(f'Data.{key}')})"
        check_names(getattr(config.data, key), batch=batch, origin=origin)
    split = config.check_dataset.split
    percents = (split.train_percent, split.val_percent)
    where = resolved.origin("CheckDataset.split.val_percent" if percents[1] else "CheckDataset.split.train_percent")
    if split.enable and None in percents:
        where = resolved.origin("CheckDataset.split.enable")
        raise ConfigError(
            f"CheckDataset.split: give both train_percent and val_percent, such as 80 and 20 (from {where})"
        )
    if None not in percents and sum(percents) != 100:
        raise ConfigError(
            f"CheckDataset.split: train_percent {percents[0]} and val_percent {percents[1]} must add up to 100, "
            f"not {sum(percents)} (from {where})"
        )
