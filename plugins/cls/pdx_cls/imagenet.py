"""The class names that the published weights were trained on."""

from __future__ import annotations

import functools
from importlib import resources


@functools.cache
def class_names() -> tuple[str, ...]:
    """The 1000 names of ImageNet-1k, in the usual order of class ids (that of the WordNet synset numbers)."""
    text = resources.files("pdx_cls").joinpath("data/imagenet1k.txt").read_text(encoding="utf-8")
    return tuple(text.splitlines())
