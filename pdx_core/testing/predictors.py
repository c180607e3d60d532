"""What a predictor owes its users: a result per image, in order, in a shape that programs can read."""

from __future__ import annotations

import functools
import json
import math
from typing import Any

import numpy as np

from pdx_core.errors import PdxError
from pdx_core.results import Result
from pdx_core.specs import PredictorSpec, import_target
from pdx_core.testing.checks import fail
from pdx_core.testing.examples import scratch, task_example

_IMAGES = 3


def gives_one_result_per_image_in_order(spec: PredictorSpec) -> None:
    results = _predict(spec, 2)
    if len(results) != _IMAGES:
        fail(f"{len(results)} results for {_IMAGES} images", "yield exactly one Result per image")
    for result in results:
        if not isinstance(result, Result):
            fail(f"a result is a {type(result).__name__}", "derive it from pdx_core.results.Result")
        expected = import_target(spec.result) if spec.result else Result
        if not isinstance(result, expected):
            fail(f"a result is a {type(result).__name__}, the record says {spec.result}", "correct the record")
    names = [result.input_path for result in results]
    if len(set(names)) != _IMAGES:
        fail(f"the results are named {names}", "pass on image.name and **image.common of each Prepared image")


def results_are_json(spec: PredictorSpec) -> None:
    """`result.json` is {"res": {"input_path": ...}} of plain values."""
    for result in _predict(spec, 1):
        content = result.json
        if set(content) != {"res"} or "input_path" not in content["res"]:
            fail(
                f"json is {str(content)[:120]}", 'give {"res": {"input_path": ..., ...}}: Result does it from content()'
            )
        try:
            json.dumps(content, allow_nan=False)
        except (TypeError, ValueError) as error:
            fail(f"json cannot be written: {error}", "return arrays and plain values in content(), no NaN, no objects")


def results_can_be_drawn(spec: PredictorSpec) -> None:
    from pdx_core.images import read_image

    pictures = [read_image(path) for path in _pictures(spec.task)]
    for result in _build(spec).predict(pictures):
        before = None if result.image is None else result.image.copy()
        if "res" not in result.img:
            fail(f"img has {', '.join(result.img)}", 'give the main picture the name "res" in draw()')
        if before is not None and not np.array_equal(before, result.image):
            fail("drawing changes the input image", "draw on a copy: image.copy()")


def batch_size_does_not_matter(spec: PredictorSpec) -> None:
    one, many = ([result.json["res"] for result in _predict(spec, size)] for size in (1, _IMAGES))
    for number, (alone, together) in enumerate(zip(one, many, strict=True)):
        key = next((key for key in alone if not _near(alone[key], together.get(key))), None)
        if key is not None:
            fail(
                f"{key} of image {number} is {str(alone[key])[:80]} alone and {str(together.get(key))[:80]} in a batch",
                "never let an image's result depend on its neighbours",
            )


def unknown_options_are_refused(spec: PredictorSpec) -> None:
    predictor = _build(spec)
    try:
        list(predictor.predict(_pictures(spec.task)[:1], no_such_option=1))
    except PdxError:
        return
    except Exception as error:  # noqa: BLE001 - whatever the author's code raises is what is judged
        fail(f"an unknown option raises {type(error).__name__}: {error}", "raise PdxError in check_options")
    fail("an unknown option of predict is ignored", "raise PdxError in check_options for what you do not know")


def _predict(spec: PredictorSpec, batch_size: int) -> list[Any]:
    return list(_build(spec).predict(_pictures(spec.task), batch_size=batch_size))


def _build(spec: PredictorSpec) -> Any:
    """The predictor around the model of the task's example, which has learnt a little."""
    from pdx_core.model_card import ModelCard
    from pdx_core.runtimes.dygraph import Dygraph
    from pdx_core.testing.networks import taught_network

    example = task_example(spec.task)
    config = example.resolved.config
    target = spec.load()
    card = ModelCard(
        name=example.resolved.spec.name,
        task=spec.task,
        transforms=tuple(config.data.eval_transforms),
        classes=example.classes,
        post=target.published_post(config),
    )
    return target(card, Dygraph(taught_network(spec.task)), **spec.arguments)


@functools.cache
def _pictures(task: str) -> list[str]:
    """Files with pictures of the example: as it is, twice as large, and without its right quarter."""
    from pdx_core.images import write_image

    images = [sample.image for sample in task_example(task).samples(_IMAGES)]
    images[1] = images[1].repeat(2, axis=0).repeat(2, axis=1)
    images[2] = images[2][:, : images[2].shape[1] * 3 // 4]
    paths = [scratch() / f"picture_{number}.png" for number in range(_IMAGES)]
    for path, picture in zip(paths, images, strict=True):
        write_image(path, picture)
    return [str(path) for path in paths]


def _near(first: Any, second: Any) -> bool:
    """Whether two JSON values are the same but for the last digits of numbers: sums of a batch have another order."""
    if isinstance(first, dict) and isinstance(second, dict):
        return first.keys() == second.keys() and all(_near(first[key], second[key]) for key in first)
    if isinstance(first, list) and isinstance(second, list):
        return len(first) == len(second) and all(map(_near, first, second))
    if isinstance(first, float) and isinstance(second, float):
        return math.isclose(first, second, rel_tol=1e-2, abs_tol=1e-3)
    return first == second


CHECKS = (
    gives_one_result_per_image_in_order,
    results_are_json,
    results_can_be_drawn,
    batch_size_does_not_matter,
    unknown_options_are_refused,
)
