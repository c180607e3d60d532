"""What a row of the zoo promises: it can be configured, built, trained, exported."""

from __future__ import annotations

from typing import Any

from pdx_core.paddle_support import require_paddle
from pdx_core.specs import ModelSpec
from pdx_core.testing.checks import NotCheckable, fail
from pdx_core.testing.examples import FEW, HANDFUL, task_example

_SIDE = 96
_LARGE = 60_000_000  # parameters, from which on it is not trained here


def configuration_is_complete(spec: ModelSpec) -> None:
    """Overrides name keys that exist, and the preprocessing ends in what a network takes."""
    from pdx_core.config import dump, resolve
    from pdx_core.data.work import Pipeline
    from pdx_core.errors import PdxError
    from pdx_core.predictor import preparation
    from pdx_core.transforms.build import build as build_transforms
    from pdx_core.transforms.normalize import require_same_pixels

    try:
        resolved = resolve(spec.name)
        for recipe in spec.recipes:
            resolve(spec.name, flags={"Global.recipe": recipe})
        dump(resolved)
    except PdxError as error:
        fail(f"its configuration is refused: {error}", "correct overrides and preprocessing of the record")
    try:
        preparation(resolved.config.data.eval_transforms)
    except PdxError as error:
        fail(f"images cannot be prepared: {error}", 'end preprocessing with {"Normalize": {}}')
    try:
        train, evaluation = (
            Pipeline.of(build_transforms(getattr(resolved.config.data, key), f"Data.{key}"))
            for key in ("train_transforms", "eval_transforms")
        )
        require_same_pixels(train.normalize, evaluation.normalize)
    except PdxError as error:
        fail(
            f"it cannot be trained: {error}",
            'give transforms for training in the record: overrides={"Data.train_transforms": [...]}, with "Normalize"',
        )


def has_the_declared_number_of_parameters(spec: ModelSpec) -> None:
    """Those that a recipe fixes count, the running mean and variance of norms do not: so releases are counted."""
    from pdx_core.train.network import build_network, without_statistics

    if spec.params is None or spec.num_classes is None:
        raise NotCheckable("the record names no number of parameters (params, for num_classes classes)")
    counted = without_statistics(build_network(spec.name)).values()
    count = sum(item.size for item in counted)
    if count != spec.params:
        fixed = sum(item.size for item in counted if item.stop_gradient)
        fail(
            f"it has {count} parameters ({fixed} of them fixed), the record says {spec.params}",
            f"correct params in the record to {count}, or the network",
        )


def loss_is_finite_and_reaches_every_trained_parameter(spec: ModelSpec) -> None:
    from pdx_core.testing.networks import require_finite_loss_and_gradients

    require_finite_loss_and_gradients(_trainable(spec), batch_for(spec, FEW))


def predictions_become_results_of_the_task(spec: ModelSpec) -> None:
    from pdx_core.testing.networks import predict_arrays, require_named_predictions

    network, example, batch = build(spec), task_example(spec.task), batch_for(spec, FEW)
    require_named_predictions(network, batch)
    results = example.task.results(predict_arrays(network, batch), batch.samples)
    if len(results) != len(batch.samples):
        fail(f"{len(results)} results for {len(batch.samples)} images", "correct what decode gives")


def exported_graph_gives_the_same_predictions(spec: ModelSpec) -> None:
    from pdx_core.testing.networks import require_exported

    require_exported(build(spec), batch_for(spec, FEW))


def learns_a_handful_of_images(spec: ModelSpec) -> None:
    from pdx_core.testing.networks import require_learning_of

    require_learning_of(lambda: _trainable(spec), batch_for(spec, HANDFUL))


def build(spec: ModelSpec) -> Any:
    """The network for the classes of the task's example, with random parameters."""
    from pdx_core.train.network import build_network

    paddle = require_paddle()
    paddle.seed(0)
    return build_network(spec.name, len(task_example(spec.task).classes))


def batch_for(spec: ModelSpec, images: int) -> Any:
    """A batch of the task's example in a small size."""
    height, width = (min(side, _SIDE) for side in spec.input_size)
    return task_example(spec.task).batch(images, [{"Resize": {"size": [height, width]}}, {"Normalize": {}}])


def _trainable(spec: ModelSpec) -> Any:
    if (spec.params or 0) > _LARGE:
        raise NotCheckable(f"{spec.params:,} parameters are too many to train here")
    return build(spec)


LIGHT_CHECKS = (configuration_is_complete,)  # without building the network
CHECKS = (
    configuration_is_complete,
    has_the_declared_number_of_parameters,
    loss_is_finite_and_reaches_every_trained_parameter,
    predictions_become_results_of_the_task,
    exported_graph_gives_the_same_predictions,
    learns_a_handful_of_images,
)
