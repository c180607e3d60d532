"""Python's door to prediction: `create_model(...)` gives something with `predict`."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pdx_core.errors import PdxError, did_you_mean, fold_name
from pdx_core.model_card import ModelCard, check_files, find_model_dir, read_card
from pdx_core.paddle_support import resolve_device
from pdx_core.plugins import get_registry
from pdx_core.runtimes.choose import AUTO, PLAIN, choose, find_runtime, try_here

if TYPE_CHECKING:
    from pdx_core.config import Resolved
    from pdx_core.predictor import ImagePredictor

logger = logging.getLogger(__name__)

DYGRAPH = "dygraph"


def create_model(
    model_name: str | None = None,
    model_dir: str | Path | None = None,
    weights: str | Path | None = None,
    device: str = "auto",
    topk: int | None = None,
    use_hpip: bool = False,
    *,
    runtime: str = AUTO,
    threads: int | None = None,
    classes: Sequence[str] | None = None,
    **options: Any,
) -> ImagePredictor:
    """Load a model for prediction.

    model_name: of the zoo; may be left out when `model_dir` says it
    model_dir:  an exported model, from pdx or PaddleX, or a run folder that holds one. Wins over `weights`' absence:
                with neither, the published weights are used (downloaded once)
    weights:    a `.pdparams` file, run without exporting it
    device:     "auto", "cpu", "gpu:0" ...
    topk:       number of classes given for an image, where the task has such a thing
    use_hpip:   try all runtimes on this machine first, once, and take the fastest that gives the right numbers
    runtime:    "auto" or a name from `pdx plugins`: paddle, paddle_onednn ...; PaddleX's run_mode names work too
    threads:    of the CPU math library
    classes:    names by class id, where the model does not know them
    options:    of the task's predictor, and `workers`, `allow_urls`, `max_megapixels`

    Raises PdxError when there is no such model, folder or file, and when the parts do not fit each other.
    """
    if model_name is None and model_dir is None:
        raise PdxError("say which model: create_model('PP-LCNet_x1_0'), or create_model(model_dir='output/...')")
    if model_dir is not None and weights is not None:
        raise PdxError("give either model_dir (an exported model) or weights (a .pdparams file), not both")
    chosen = resolve_device(device).partition(",")[0]  # prediction runs on one card: the first
    if model_dir is not None:
        folder = find_model_dir(model_dir)
        card = read_card(folder)
        _check_name(model_name, card, folder)
        runner = _load_exported(folder, card, chosen, runtime, threads, use_hpip)
    else:
        from pdx_core.train.restore import restore

        if runtime not in (AUTO, DYGRAPH):
            raise PdxError(
                f"the runtime {runtime!r} runs exported models; export this one first with `pdx export {model_name}`, "
                "or leave the runtime out"
            )
        restored = restore(str(model_name), weights)
        card = restored.card
        runner = find_runtime(DYGRAPH).load()(restored.network, chosen)
    if classes is not None:
        import attrs

        card = attrs.evolve(card, classes=tuple(classes))
    if topk is not None:
        options["topk"] = topk
    return _predictor(card, runner, options)


def _load_exported(
    folder: Path, card: ModelCard, device: str, runtime: str, threads: int | None, use_hpip: bool
) -> Any:
    if runtime == DYGRAPH:
        raise PdxError(f"{folder} is an exported model; the runtime 'dygraph' runs weight files (weights=...)")
    check_files(folder, card)
    if use_hpip and runtime == AUTO:
        spec = try_here(folder, card, device)
    else:
        spec = choose(card, device, runtime)
    logger.info("running %s with %s on %s", card.name or folder, spec.name, device)
    runner = spec.load()(folder, device, **spec.arguments, threads=threads, outputs=card.outputs)
    if not spec.automatic:
        _tell_deviation(folder, card, device, spec.name, runner)
    return runner


def _tell_deviation(folder: Path, card: ModelCard, device: str, name: str, runner: Any) -> None:
    """Lower precision is used only when asked for, and then says what it costs."""
    from pdx_core.runtimes.feeds import make_feeds
    from pdx_core.runtimes.trial import Tolerance, compare

    plain = find_runtime(PLAIN)
    exact = plain.load()(folder, device, **plain.arguments, outputs=card.outputs)
    feeds = make_feeds(card.transforms, wanted=2).batches
    deviation, reason = compare([runner(feed) for feed in feeds], [exact(feed) for feed in feeds], Tolerance())
    if deviation is None:
        logger.warning("%s gives something else than %s on 2 drawn pictures: %s", name, PLAIN, reason)
    else:
        logger.warning("%s deviates from %s by up to %.2g on 2 drawn pictures", name, PLAIN, deviation)


def _check_name(model_name: str | None, card: ModelCard, folder: Path) -> None:
    if model_name is None or not card.name:
        return
    known = {fold_name(card.name)}
    entry = next((spec for spec in get_registry().specs("models") if fold_name(spec.name) in known), None)
    known |= {fold_name(alias) for alias in entry.aliases} if entry else set()
    if fold_name(model_name) not in known:
        raise PdxError(
            f"{folder} holds the model {card.name!r}, not {model_name!r}; leave model_name out, or correct it"
        )


def _predictor(card: ModelCard, runner: Any, options: dict[str, Any]) -> ImagePredictor:
    registry = get_registry()
    task = registry.find("tasks", card.task)
    spec = registry.find("predictors", task.predictor or card.task)
    target = spec.load()
    known = _options_of(target)
    for name in options:
        if known and name not in known:
            raise PdxError(f"unknown option {name!r} for {card.task} models.{did_you_mean(name, known)}")
    return target(card, runner, **{**spec.arguments, **options})


def _options_of(target: type) -> set[str]:
    """The keyword options a predictor takes, its base classes' included."""
    names: set[str] = set()
    for owner in target.__mro__:
        if "__init__" in vars(owner) and owner is not object:
            parameters = inspect.signature(owner.__init__).parameters.values()
            names |= {parameter.name for parameter in parameters if parameter.kind is parameter.KEYWORD_ONLY}
    return names


def run_predict(resolved: Resolved) -> dict[str, Any]:
    """`Global.mode=predict`: print every result and save all of them below `Global.output`.

    returns: {"count": results, "failed": [(input, reason)], "output": folder}
    """
    config = resolved.config
    if config.predict.input is None:
        raise PdxError('nothing to predict on; add -o Predict.input="picture.jpg" (a file, folder, pattern or URL)')
    output = Path(config.global_.output)
    options: dict[str, Any] = {"max_megapixels": config.data.max_megapixels}
    if config.predict.threshold is not None:
        options["threshold"] = config.predict.threshold
    if config.predict.test_time.enabled:
        options["test_time"] = config.predict.test_time
    if config.predict.tiles.size is not None:
        options |= {"tile": config.predict.tiles.size, "overlap": config.predict.tiles.overlap}
    trained = output / "best_model" / "inference"
    model_dir = config.predict.model_dir
    if model_dir is None and trained.is_dir():
        logger.warning("Predict.model_dir is not set: using the model trained into %s", trained)
        model_dir = str(trained)
    model = create_model(
        resolved.spec.name,
        model_dir=model_dir,
        device=config.global_.device,
        topk=config.predict.topk,
        runtime=config.predict.kernel_option.run_mode,
        **options,
    )
    count = 0
    for result in model.predict(config.predict.input, batch_size=config.predict.batch_size, broken_images="skip"):
        result.print(json_format=False)
        result.save_all(output)
        count += 1
    return {"count": count, "failed": model.failures, "output": str(output)}
