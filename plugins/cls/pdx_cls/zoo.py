"""Turns a line of published figures into a ModelSpec."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from pdx_cls.recipes import eval_transforms
from pdx_core.specs import ModelSpec, Score, Weights

PADDLEX = "https://paddle-model-ecology.bj.bcebos.com/paddlex/official_pretrained_model/{}_pretrained.pdparams"
LEGENDARY = "https://paddle-imagenet-models-name.bj.bcebos.com/dygraph/legendary_models/{}_pretrained.pdparams"
CLAS = "https://paddle-imagenet-models-name.bj.bcebos.com/dygraph/{}_pretrained.pdparams"
_LICENCE = "Apache-2.0"


class Published(NamedTuple):
    """A line of the published tables. Times are milliseconds per image."""

    params: int
    file_mb: float | None
    top1: float
    top5: float | None = None
    gpu_ms: float | None = None  # Tesla T4, float32
    gpu_fast_ms: float | None = None  # Tesla T4, best engine and precision
    cpu_ms: float | None = None  # Xeon Gold 6271C, 8 threads
    cpu_fast_ms: float | None = None  # the same, best engine


def classifier(
    name: str,
    published: Published,
    *,
    family: str,
    head: str,
    overrides: Mapping[str, Any],
    recipes: Mapping[str, Mapping[str, Any]],
    paper: str,
    aliases: tuple[str, ...] = (),
    summary: str = "",
    backbone: str | None = None,
    size: int = 224,
    short_side: int = 256,
    weights_at: str = PADDLEX,
) -> ModelSpec:
    """The record of one ImageNet-1k classifier. A name in `_ssld` shares the backbone of its plain one.

    backbone:   default: the name
    size:       side of the input in pixels, cut from the middle of an image whose short side is `short_side`
    weights_at: address of the weights, with {} for the name
    """
    distilled = name.endswith("_ssld")
    address = LEGENDARY if distilled else weights_at
    return ModelSpec(
        name=name,
        task="cls",
        family=family,
        backbone=backbone or name.removesuffix("_ssld"),
        head=head,
        num_classes=1000,
        input_size=(size, size),
        preprocessing=eval_transforms(short_side, size),
        overrides=overrides,
        recipes=recipes,
        weights=(
            Weights(
                tag="ssld" if distilled else "imagenet1k",
                url=address.format(name),
                num_classes=1000,
                dialect="PaddleClas",
                licence=_LICENCE,
                source="PaddleX 3 image classification module" if address == PADDLEX else "PaddleClas model zoo",
            ),
        ),
        scores=_scores(published),
        params=published.params,
        file_mb=published.file_mb,
        labels="pdx_cls.imagenet:class_names",
        paper=paper,
        aliases=aliases,
        summary=summary or (f"{family}, distilled (SSLD) on ImageNet-1k" if distilled else f"{family} on ImageNet-1k"),
    )


def _scores(published: Published) -> tuple[Score, ...]:
    scores = [Score(metric="top1", value=published.top1, dataset="ImageNet-1k val")]
    if published.top5 is not None:
        scores.append(Score(metric="top5", value=published.top5, dataset="ImageNet-1k val"))
    for metric, value, note in (
        ("gpu_ms", published.gpu_ms, "Tesla T4, Paddle Inference, float32"),
        ("gpu_fast_ms", published.gpu_fast_ms, "Tesla T4, fastest engine and precision"),
        ("cpu_ms", published.cpu_ms, "Xeon Gold 6271C, 8 threads, Paddle Inference, float32"),
        ("cpu_fast_ms", published.cpu_fast_ms, "Xeon Gold 6271C, 8 threads, fastest engine"),
    ):
        if value is not None:
            scores.append(Score(metric=metric, value=value, unit="ms", note=note))
    return tuple(scores)
