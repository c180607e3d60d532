"""Builds a network from weights, with the class names and settings of the run they come from."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs

from pdx_core.cache import is_url
from pdx_core.errors import PdxError, fold_name
from pdx_core.model_card import ModelCard
from pdx_core.specs import import_target

if TYPE_CHECKING:
    from pdx_core.config import Resolved
    from pdx_core.train.network import Network

logger = logging.getLogger(__name__)


@attrs.frozen(kw_only=True)
class Restored:
    """A network that is ready to predict.

    source: the weight file
    """

    network: Network
    classes: tuple[str, ...]
    resolved: Resolved
    source: str | Path

    @property
    def card(self) -> ModelCard:
        """What an export of it would say about itself."""
        from pdx_core.plugins import get_registry

        registry = get_registry()
        spec, config = self.resolved.spec, self.resolved.config
        predictor = registry.find("predictors", registry.find("tasks", spec.task).predictor or spec.task)
        return ModelCard(
            name=spec.name,
            task=spec.task,
            transforms=tuple(config.data.eval_transforms),
            classes=self.classes,
            post=predictor.load().published_post(config),
        )


def restore(model_name: str, weights: str | Path | None = None, resolved: Resolved | None = None) -> Restored:
    """Build a model of the zoo and load its weights.

    weights:  a file or URL; None takes the published weights
    resolved: the configuration to use; None takes that of the run which `weights` lie in, else the model's defaults

    Raises UnknownNameError, WeightsError and PdxError for what does not fit.
    """
    from pdx_core.config import resolve
    from pdx_core.train.network import build_network
    from pdx_core.weights import load_weights, official_weights

    given = resolved or resolve(model_name)
    if weights is None:
        spec = given.spec
        source: str | Path = official_weights(spec)
        classes = _published_classes(spec)
        count = spec.num_classes
    else:
        source = weights
        run = None if is_url(str(weights)) else find_run(Path(weights))
        if resolved is None and run is not None:
            given = _config_of_run(model_name, run) or given
        spec = given.spec
        classes = read_labels(run / "label_dict.txt") if run is not None else ()
        count = len(classes) or given.config.train.num_classes or spec.num_classes
        if not classes and count == spec.num_classes:
            classes = _published_classes(spec)
    network = build_network(spec.name, count, given.config.model)
    load_weights(network, source)
    network.eval()
    return Restored(network=network, classes=classes, resolved=given, source=source)


def find_run(weights: Path) -> Path | None:
    """The run folder a weight file lies in: the nearest one above it that holds label_dict.txt or config.yaml."""
    for folder in list(weights.absolute().parents)[:3]:
        if (folder / "label_dict.txt").is_file() or (folder / "config.yaml").is_file():
            return folder
    return None


def read_labels(path: Path) -> tuple[str, ...]:
    """Class names by id from lines `<id> <name>`; none when there is no such file. Raises PdxError naming the line."""
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except FileNotFoundError:
        return ()
    except (OSError, UnicodeDecodeError) as error:
        raise PdxError(f"cannot read {path}: {error}") from error
    names: list[str] = []
    for number, line in enumerate((line for line in lines if line.strip()), 1):
        index, _, name = line.strip().partition(" ")
        if index != str(len(names)) or not name:
            raise PdxError(f"{path}:{number}: expected '{len(names)} <class name>', got {line!r}")
        names.append(name.strip())
    return tuple(names)


def _config_of_run(model_name: str, run: Path) -> Resolved | None:
    from pdx_core.config import resolve

    file = run / "config.yaml"
    if not file.is_file():
        return None
    found = resolve(file=file)
    if fold_name(found.spec.name) != fold_name(resolve(model_name).spec.name):
        raise PdxError(f"the weights in {run} belong to {found.spec.name!r} (see {file}), not to {model_name!r}")
    return found


def _published_classes(spec: Any) -> tuple[str, ...]:
    """The class names of the published weights, where the record knows them."""
    return tuple(import_target(spec.labels)()) if spec.labels else ()
