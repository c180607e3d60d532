"""What a metric owes the evaluation: numbers by name, and the same ones however the samples are divided."""

from __future__ import annotations

import functools
import math
import pickle
from typing import Any

from pdx_core.specs import MetricSpec
from pdx_core.testing.checks import NotCheckable, fail
from pdx_core.testing.examples import task_example


def numbers_have_names_and_the_key_is_among_them(spec: MetricSpec) -> None:
    metric = _new(spec)
    metric.update(*seen(spec.task))
    numbers = metric.compute()
    if not isinstance(numbers, dict) or not all(isinstance(value, (int, float)) for value in numbers.values()):
        fail(f"compute gave {numbers!r}", 'return a dict of Python floats: {"accuracy": 0.5}')
    if spec.key not in numbers:
        fail(
            f"compute gives {', '.join(numbers)}, and not {spec.key!r}, which the record says decides",
            "correct key in the record, or add the number",
        )


def nothing_counted_is_no_error(spec: MetricSpec) -> None:
    """Before any update `compute` gives not-a-number or 0, and does not raise."""
    try:
        numbers = _new(spec).compute()
    except ZeroDivisionError:
        fail("compute divides by zero when nothing was counted", 'return float("nan") for every number then')
    if spec.key not in numbers:
        fail(f"compute gives no {spec.key!r} when nothing was counted", 'return float("nan") for it')


def batches_do_not_matter(spec: MetricSpec) -> None:
    """One sample after the other gives what all at once give."""
    results, samples = seen(spec.task)
    whole, pieces = _new(spec), _new(spec)
    whole.update(results, samples)
    for result, sample in zip(results, samples, strict=True):
        pieces.update([result], [sample])
    _require_equal(whole.compute(), pieces.compute(), "fed one by one", "count in update; divide in compute only")


def merging_equals_one_process(spec: MetricSpec) -> None:
    """States of two processes, sent as bytes and merged, give what one process gives."""
    results, samples = seen(spec.task)
    if len(samples) < 2:
        raise NotCheckable("the task's example has a single sample")
    whole = _new(spec)
    whole.update(results, samples)
    parts = [_new(spec), _new(spec)]
    parts[0].update(results[:1], samples[:1])
    parts[1].update(results[1:], samples[1:])
    try:
        states = [pickle.loads(pickle.dumps(part.state())) for part in parts]
    except (pickle.PicklingError, TypeError, AttributeError) as error:
        fail(f"state cannot be sent to another process: {error}", "return numbers, arrays, lists and dicts only")
    advice = "in merge, replace the own state by the union of all states given, of which the own is one"
    for part in parts:
        part.merge(states)
        _require_equal(whole.compute(), part.compute(), "merged from two processes", advice)


@functools.cache
def seen(task: str) -> tuple[list[Any], list[Any]]:
    """Results for the task's handful of pictures, some of them right, and the samples they are for."""
    from pdx_core.testing.networks import predict_arrays, taught_network

    example = task_example(task)
    batch = example.batch()
    return list(example.task.results(predict_arrays(taught_network(task), batch), batch.samples)), batch.samples


def _new(spec: MetricSpec) -> Any:
    return spec.load()(task_example(spec.task).classes, **spec.arguments)


def _require_equal(wanted: dict[str, float], got: dict[str, float], how: str, advice: str) -> None:
    for name, value in wanted.items():
        other = got.get(name, float("nan"))
        if not (math.isclose(value, other, rel_tol=1e-6, abs_tol=1e-9) or (math.isnan(value) and math.isnan(other))):
            fail(f"{name} is {other} when {how} and {value} when fed at once", advice)


CHECKS = (
    numbers_have_names_and_the_key_is_among_them,
    nothing_counted_is_no_error,
    batches_do_not_matter,
    merging_equals_one_process,
)
