"""One picture seen in several views when testing: what the network says of each is averaged."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from pdx_core.errors import ConfigError, PdxError
from pdx_core.settings import TestTimeConfig
from pdx_core.test_time import views
from pdx_seg.outputs import Outputs, read_outputs
from pdx_seg.scores import stretched, without_padding

Runner = Callable[[Mapping[str, np.ndarray]], Mapping[str, np.ndarray]]


def require_no_merging(settings: TestTimeConfig) -> None:
    """Raise ConfigError for options of merging: there is one way."""
    if settings.merge:
        raise ConfigError(
            f"segmentation averages the probabilities of all views; test_time.merge {settings.merge} is not used"
        )


def look(runner: Runner, feed: Mapping[str, np.ndarray], settings: TestTimeConfig, multiple: int = 1) -> Outputs:
    """Run the network on a batch, once or in every view that the settings ask for.

    feed:     images float32 [N, 3, H, W], im_shape and scale_factor float32 [N, 2]
    multiple: height and width of resized views are padded to it, as the preprocessing pads images

    With several views the scores are the mean of their probabilities, at the size of the network input.
    Raises PdxError when a model that gives only classes is to be looked at in several views.
    """
    frame = feed["images"].shape[2:]
    if not settings.enabled:
        return read_outputs(runner(feed), frame)
    total: np.ndarray | None = None
    for view in views(feed, settings, multiple):
        seen = read_outputs(runner(view.feed), view.feed["images"].shape[2:])
        if seen.scores is None:
            raise PdxError("this model gives classes and no scores, so several views cannot be merged; leave test_time")
        if total is None:
            total = np.zeros((*seen.scores.shape[:2], *frame), np.float32)
        for row, scores, shape, own in zip(
            total, seen.scores, feed["im_shape"].astype(int), view.feed["im_shape"].astype(int), strict=True
        ):
            height, width = shape.tolist()
            _add_probabilities(
                row[:, :height, :width], without_padding(scores, seen.frame, tuple(own.tolist())), view.mirrored
            )
    return Outputs(None, total, frame)


def _add_probabilities(total: np.ndarray, scores: np.ndarray, mirrored: bool) -> None:
    """Add softmax(scores) to `total` (float32 [K, H, W]), after turning them back and resizing them to it."""
    planes = np.stack([stretched(plane[:, ::-1] if mirrored else plane, total.shape[1:]) for plane in scores])
    planes -= planes.max(axis=0)
    np.exp(planes, out=planes)
    planes /= planes.sum(axis=0)
    total += planes
