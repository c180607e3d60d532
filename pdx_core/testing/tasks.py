"""What a task owes the shared loops."""

from __future__ import annotations

from pdx_core.errors import UnknownNameError
from pdx_core.plugins import get_registry
from pdx_core.specs import TaskSpec
from pdx_core.testing.checks import fail
from pdx_core.testing.examples import task_example


def names_components_that_exist(spec: TaskSpec) -> None:
    for kind, name in (("metrics", spec.metric), ("predictors", spec.predictor), ("dataset_readers", spec.reader)):
        if not name and kind != "dataset_readers":
            fail(f"the record names none of the {kind}", f"set {kind.removesuffix('s')} in the record")
        if name:
            try:
                get_registry().resolve(kind, name, task=spec.name)
            except UnknownNameError as error:
                fail(str(error), "correct the record, or offer what it names")


def targets_have_one_row_per_image(spec: TaskSpec) -> None:
    """`collate` gives numpy arrays by name for a batch of the task's own example."""
    import numpy as np

    batch = task_example(spec.name).batch()
    if not batch.targets:
        fail("collate gave no targets", 'return a dict of arrays, such as {"label": int64 [N]}')
    for name, value in batch.targets.items():
        if not isinstance(value, np.ndarray):
            fail(
                f"the target {name} is a {type(value).__name__}", "return numpy arrays; the loop makes tensors of them"
            )


CHECKS = (names_components_that_exist, targets_have_one_row_per_image)
