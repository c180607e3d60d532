"""`inference.yml`: what an exported model says about itself, written by pdx or by PaddleX."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs
import yaml

from pdx_core import __version__
from pdx_core.errors import ConfigError, PdxError, UnknownNameError, nearest
from pdx_core.plugins import get_registry
from pdx_core.published_det_ops import from_detection
from pdx_core.published_ops import from_published, to_published
from pdx_core.specs import import_target

CARD_NAME = "inference.yml"
GRAPH_SUFFIXES = (".json", ".pdmodel")  # Paddle 3 writes the first, Paddle 2 the second
_FORMAT = 1


@attrs.frozen(kw_only=True)
class ModelCard:
    """All that prediction needs to know besides the graph.

    transforms: from a decoded image to the network's input, each {name: parameters}
    classes:    names by class id; empty when unknown
    post:       the published PostProcess section without the class names, such as {"Topk": {"topk": 5}}
    outputs:    names of the graph's outputs in order; empty for models that pdx did not export
    runtimes:   how the runtimes did when the model was exported (see `runtimes.trial`); empty when never tried
    files:      sha256 of the graph and its parameters by file name; empty for models that pdx did not export
    """

    name: str
    task: str
    transforms: tuple[Mapping[str, Any], ...]
    classes: tuple[str, ...] = ()
    post: Mapping[str, Any] = attrs.field(factory=dict)
    outputs: tuple[str, ...] = ()
    runtimes: Mapping[str, Any] = attrs.field(factory=dict)
    files: Mapping[str, str] = attrs.field(factory=dict)

    def dump(self) -> str:
        """The YAML text: the published sections first, then one of our own with what they cannot say."""
        post = {
            name: {**(options or {}), "label_list": list(self.classes)} if self.classes else dict(options or {})
            for name, options in self.post.items()
        }
        ours: dict[str, Any] = {
            "format": _FORMAT,
            "version": __version__,
            "task": self.task,
            "outputs": list(self.outputs),
            "transforms": [_plain(transform) for transform in self.transforms],
            "files": dict(self.files),
            "runtimes": _plain(self.runtimes),
        }
        if not post:
            ours["classes"] = list(self.classes)
        tree = {
            "Global": {"model_name": self.name},
            "PreProcess": {"transform_ops": to_published(self.transforms)},
            "PostProcess": post,
            "Pdx": ours,
        }
        return yaml.safe_dump(tree, allow_unicode=True, sort_keys=False, width=120)


def find_model_dir(folder: str | Path) -> Path:
    """The exported model in `folder`: the folder itself, or `inference` or `best_model/inference` below it.

    Raises PdxError that says what is missing.
    """
    folder = Path(folder)
    if not folder.exists():
        raise PdxError(f"no folder {folder}; give the folder of an exported model, or the run folder that holds one")
    if not folder.is_dir():
        raise PdxError(f"{folder} is a file; an exported model is a folder that holds {CARD_NAME}")
    places = (folder, folder / "inference", folder / "best_model" / "inference")
    for place in places:
        if (place / CARD_NAME).is_file():
            return place
    below = [str(path.parent) for path in sorted(folder.glob(f"*/{CARD_NAME}"))[:3]]
    hint = f" Did you mean {' or '.join(below)}?" if below else ""
    raise PdxError(
        f"{folder} holds no exported model: there is no {CARD_NAME} in it or in its best_model/inference.{hint} "
        "Make one with `pdx export`."
    )


def graph_file(folder: Path) -> Path:
    """The graph of an exported model. Raises PdxError when the graph or its parameters are missing."""
    for suffix in GRAPH_SUFFIXES:
        path = folder / f"inference{suffix}"
        if path.is_file():
            parameters = folder / "inference.pdiparams"
            if not parameters.is_file():
                raise PdxError(f"{folder} is not complete: {parameters.name} is missing; copy or export it again")
            return path
    raise PdxError(f"{folder} is not complete: inference.json (or .pdmodel) is missing; copy or export it again")


def read_card(folder: Path) -> ModelCard:
    """Read the card of an exported model, ours or PaddleX's. Raises ConfigError with what cannot be used."""
    path = folder / CARD_NAME
    try:
        tree = yaml.load(path.read_text(encoding="utf-8"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError(f"cannot read {path}: {error}") from error
    if not isinstance(tree, Mapping):
        raise ConfigError(f"{path} is not the description of a model: expected sections such as Global and PreProcess")
    ours = _section(tree, "Pdx", path)
    if ours.get("format", 0) > _FORMAT:
        raise ConfigError(f"{path} was written by pdx {ours.get('version')}, which is newer than this one; upgrade pdx")
    name = str(_section(tree, "Global", path).get("model_name") or "").strip()
    post = {key: dict(options or {}) for key, options in _section(tree, "PostProcess", path).items()}
    classes: Sequence[Any] = ours.get("classes") or tree.get("label_list") or ()
    for options in post.values():
        classes = options.pop("label_list", None) or classes
    if "draw_threshold" in tree:
        post.setdefault("DetThreshold", {"threshold": tree["draw_threshold"]})
    told = ""  # the task that the form of the card belongs to, where there is such a thing
    if "transforms" in ours:
        transforms = tuple(ours["transforms"])
    elif "Preprocess" in tree:
        transforms = from_detection(tree["Preprocess"], str(path))
    elif (foreign := _foreign_form(tree, path)) is not None:
        told, transforms = foreign
    else:
        operations = _section(tree, "PreProcess", path).get("transform_ops")
        if not isinstance(operations, Sequence):
            raise ConfigError(f"{path} has no PreProcess.transform_ops: how images are prepared is not known")
        transforms = from_published(operations, str(path))
    return ModelCard(
        name=name,
        task=ours.get("task") or _task_of(name, told, post, path),
        transforms=transforms,
        classes=tuple(str(label) for label in classes),
        post=post,
        outputs=tuple(ours.get("outputs") or ()),
        runtimes=ours.get("runtimes") or {},
        files=ours.get("files") or {},
    )


def checksums(folder: Path) -> dict[str, str]:
    """sha256 of the graph and its parameters, by file name."""
    graph = graph_file(folder)
    found = {}
    for path in (graph, graph.with_suffix(".pdiparams")):
        digest = hashlib.sha256()
        with path.open("rb") as stream:
            while block := stream.read(1 << 20):
                digest.update(block)
        found[path.name] = digest.hexdigest()
    return found


def check_files(folder: Path, card: ModelCard) -> None:
    """Raise PdxError when a file is not the one that was exported: a flipped bit, or files of two exports mixed.

    Nothing else would notice; Paddle loads such files and gives other numbers, or ends the process.
    """
    if not card.files:
        graph_file(folder)
        return
    for name, digest in checksums(folder).items():
        if card.files.get(name) != digest:
            raise PdxError(
                f"{folder / name} is not the file that was exported with {CARD_NAME} (its checksum differs): it is "
                "damaged or belongs to another export; copy or export the folder again"
            )


def _foreign_form(tree: Mapping[str, Any], path: Path) -> tuple[str, tuple[Mapping[str, Any], ...]] | None:
    """Task and transforms of a card in a form that a plugin's predictor knows; None when none does."""
    for spec in get_registry().specs("predictors"):
        if spec.preparation is not None:
            transforms = import_target(spec.preparation)(tree, str(path))
            if transforms is not None:
                return spec.task, tuple(transforms)
    return None


def _task_of(name: str, told: str, post: Mapping[str, Any], path: Path) -> str:
    """The task of a model that pdx did not export: its name's in the zoo, else what the sections of its card tell."""
    registry = get_registry()
    try:
        return registry.find("models", name, str(path)).task
    except UnknownNameError as error:
        if told or "Topk" in post:
            return told or "cls"
        raise ConfigError(f"{path} does not say its task, and its model is unknown: {error}") from error


def _section(tree: Mapping[str, Any], key: str, path: Path) -> Mapping[str, Any]:
    value = tree.get(key) or {}
    if not isinstance(value, Mapping):
        close = nearest(key, tree)
        raise ConfigError(f"{path}: {close[0] if close else key} must be a mapping, got {value!r}")
    return value


def _plain(value: Any) -> Any:
    """Tuples as lists: YAML's safe form knows no tuples."""
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    return value
