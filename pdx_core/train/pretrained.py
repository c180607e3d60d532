"""Where the network's parameters start from: published or given weights, or random numbers."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pdx_core.errors import OfflineError, UnreachableError, WeightsError
from pdx_core.train.network import growth_per_class, without_statistics
from pdx_core.weights import Mismatch, load_weights, official_weights

logger = logging.getLogger(__name__)


def load_pretrained(network: Any, resolved: Any, num_classes: int) -> str:
    """Put Train.pretrain_weight_path into the network; returns a sentence for the log.

    The parameters whose shape depends on the number of classes may have another shape in the file: they start anew.
    """
    start, loaded = _load(network, resolved, num_classes)
    if loaded:
        return start
    return "\n".join(filter(None, (start, _fixed_at_random(network, resolved.config.model))))


def _fixed_at_random(network: Any, model: Any) -> str:
    """A warning about parameters that can neither be trained nor came from a file; "" where there are none."""
    parameters = without_statistics(network).values()
    fixed = sum(parameter.stop_gradient for parameter in parameters)
    if not fixed:
        return ""
    parts = ((part, getattr(model, part)) for part in ("backbone", "neck", "head"))
    settings = [
        f"Model.{part}.{key}={value}"
        for part, chosen in parts
        for key, value in (chosen.options if chosen else {}).items()
        if "freez" in key or value == "frozen"
    ]
    because = f" because of {', '.join(settings)}" if settings else ""
    return (
        f"NOTE: {fixed} of {len(parameters)} parameters stay at their random values{because}. "
        "That is meant for fine-tuning; change it, or give weights with --pretrained FILE"
    )


def _load(network: Any, resolved: Any, num_classes: int) -> tuple[str, bool]:
    """What was done, and whether weights were loaded at all."""
    source = resolved.config.train.pretrain_weight_path
    if source is None or source.lower() in ("", "none"):
        return "training from scratch (random weights)", False
    replaced = _replaced_part(resolved)
    # What a record names instead of "official" is a file with the trunk alone, which serves under any head.
    needed = replaced == "backbone" or (replaced and source.lower() == "official")
    if needed and _is_default(resolved, "Train.pretrain_weight_path"):
        reason = f"the published ones do not fit the {replaced} that was chosen"
        return f"training from scratch (random weights): {reason}", False
    growth = growth_per_class(network, resolved.config.model, num_classes)
    partial = (*growth, *resolved.config.train.partial_weights)
    kept: list[str] = []

    def keep(name: str, given: np.ndarray, own: np.ndarray) -> np.ndarray | None:
        """What a head can use of a tensor that was made for another number of classes."""
        take_over = getattr(network.head, "take_over", None)
        if take_over is None or name not in growth:
            return None
        array = take_over(name.removeprefix("head."), given, own)
        if array is not None:
            kept.append(name)
        return array

    try:
        path = official_weights(resolved.spec) if source.lower() == "official" else source
        report = load_weights(network, path, partial=partial, adapt=keep)
    except (OfflineError, UnreachableError) as error:
        if not _is_default(resolved, "Train.pretrain_weight_path"):
            raise
        # Nobody asked for them by name: a machine without a network can still train, as long as this is said aloud.
        logger.warning("%s", error)
        sentence = (
            "TRAINING FROM SCRATCH (random weights): the published weights could not be downloaded. Expect a much "
            "lower accuracy; to use weights you have, stop this and add --pretrained FILE"
        )
        return sentence, False
    except WeightsError as error:
        raise WeightsError(f"{error}\nTo train from scratch: --pretrained none") from error
    anew = [item for item in report.mismatched if item.name in growth]
    sentence = f"weights from {source}: {len(report.loaded)} tensors"
    if anew:
        sentence += f"; {_new_classifier(anew, growth, num_classes)}"
        sentence += ", what else these tensors hold is kept" if kept else ""
    rest = len(report.missing) + len(report.unexpected) + len(report.mismatched) - len(anew)
    if rest:
        sentence += f"; {rest} other differences allowed by Train.partial_weights"
    return sentence, True


def _new_classifier(anew: Sequence[Mismatch], growth: Mapping[str, Sequence[int]], num_classes: int) -> str:
    """Which tensors start anew, and because of what."""
    tensors = f"{len(anew)} tensors such as {anew[0].name}" if len(anew) > 1 else anew[0].name
    theirs = _classes_in_file(anew, growth, num_classes)
    if theirs is None:
        return f"the classifier ({tensors}) starts anew for {num_classes} classes: it has another shape in the file"
    return f"the classifier ({tensors}) starts anew: {theirs} classes in the file, {num_classes} here"


def _classes_in_file(anew: Sequence[Mismatch], growth: Mapping[str, Sequence[int]], num_classes: int) -> int | None:
    """For how many classes the network would have the shapes of the file; None where no number explains them all."""
    counts = set()
    for item in anew:
        if len(item.found) != len(item.expected):
            return None
        for ours, theirs, step in zip(item.expected, item.found, growth[item.name], strict=True):
            further, rest = divmod(theirs - ours, step) if step else (0, theirs - ours)
            if rest:
                return None
            if step:
                counts.add(num_classes + further)
    return counts.pop() if len(counts) == 1 and min(counts) > 0 else None


def _replaced_part(resolved: Any) -> str:
    """Which part of the network is not the one the published weights were trained with; "" for none."""
    model, spec = resolved.config.model, resolved.spec
    for part in ("backbone", "neck", "head"):
        chosen = getattr(model, part)
        if (chosen.name if chosen else None) != getattr(spec, part):
            return part
    return ""


def _is_default(resolved: Any, key: str) -> bool:
    """Whether a value comes from the records of plugins and not from the user."""
    return resolved.origins.get(key, "model").startswith(("model ", "task ", "recipe "))
