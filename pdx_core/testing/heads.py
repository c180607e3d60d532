"""What a head owes the loop, tried on levels like those it is used on and on a batch of its task."""

from __future__ import annotations

from typing import Any

from pdx_core.paddle_support import require_paddle
from pdx_core.specs import HeadSpec
from pdx_core.testing.checks import fail
from pdx_core.testing.examples import FEW, task_example
from pdx_core.testing.surroundings import around_head


def loss_is_finite_and_reaches_every_trained_parameter(spec: HeadSpec) -> None:
    from pdx_core.testing.networks import require_finite_loss_and_gradients

    network = build(spec)
    require_finite_loss_and_gradients(network, task_example(spec.task).batch(FEW), network.head)


def decode_gives_named_predictions(spec: HeadSpec) -> None:
    from pdx_core.testing.networks import require_named_predictions

    require_named_predictions(build(spec), task_example(spec.task).batch(FEW))


def predictions_become_results_of_the_task(spec: HeadSpec) -> None:
    """`Task.results` understands what `decode` gives, and makes one result per image."""
    from pdx_core.testing.networks import predict_arrays

    example = task_example(spec.task)
    batch = example.batch(FEW)
    results = example.task.results(predict_arrays(build(spec), batch), batch.samples)
    if len(results) != len(batch.samples):
        fail(
            f"the task made {len(results)} results of {len(batch.samples)} images from what decode gave",
            f"give the names and shapes that the task {spec.task!r} expects",
        )


def number_of_classes_is_respected(spec: HeadSpec) -> None:
    """One class more changes some parameters: no number of classes is written into the head."""
    own, more = build(spec).head.state_dict(), build(spec, extra_classes=1).head.state_dict()
    same = [name for name in own if name in more and list(own[name].shape) == list(more[name].shape)]
    if own and len(same) == len(own):
        fail("the head has the same parameters for another number of classes", "use num_classes in __init__")


def saved_parameters_give_the_same_outputs(spec: HeadSpec) -> None:
    from pdx_core.testing.layers import require_round_trip
    from pdx_core.testing.networks import predict_arrays

    batch = task_example(spec.task).batch(FEW)
    network = build(spec)

    def run(head: Any) -> list[Any]:
        network.head = head  # on the same stand-in trunk
        return list(predict_arrays(network, batch).values())

    require_round_trip(lambda: build(spec).head, run)


def exported_graph_gives_the_same_predictions(spec: HeadSpec) -> None:
    from pdx_core.testing.networks import require_exported

    require_exported(build(spec), task_example(spec.task).batch(FEW))


def learns_a_handful_of_images(spec: HeadSpec) -> None:
    from pdx_core.testing.networks import require_learning_of

    require_learning_of(lambda: build(spec), task_example(spec.task).batch())


def build(spec: HeadSpec, extra_classes: int = 0) -> Any:
    """A network of a stand-in trunk and the head, with the options that it has in a small model."""
    from pdx_core.testing.networks import PYRAMID, ProbeTrunk
    from pdx_core.train.network import Network

    paddle = require_paddle()
    count = len(task_example(spec.task).classes) + extra_classes
    below = around_head(spec.name, spec.task)
    features = below.features if below else PYRAMID
    paddle.seed(0)
    head = spec.load()(features, count, **{**spec.arguments, **(below.options if below else {})})
    for method in ("forward", "loss", "decode"):
        if not callable(getattr(head, method, None)):
            fail(f"{spec.target} has no method {method}", f"write {method}; see pdx_core.contracts.Head")
    paddle.seed(0)
    return Network(ProbeTrunk(features), head)


LIGHT_CHECKS = ()  # without building the network
CHECKS = (
    loss_is_finite_and_reaches_every_trained_parameter,
    decode_gives_named_predictions,
    predictions_become_results_of_the_task,
    number_of_classes_is_respected,
    saved_parameters_give_the_same_outputs,
    exported_graph_gives_the_same_predictions,
    learns_a_handful_of_images,
)
