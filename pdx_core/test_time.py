"""Test-time augmentation: one image seen at several scales and mirrored. A task merges what the network says of each.

Works on the arrays a network is fed with, so that the evaluation loop and a predictor with any runtime share it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import attrs
import numpy as np

from pdx_core.errors import PdxError
from pdx_core.opencv import require_cv2
from pdx_core.settings import TestTimeConfig

Feed = Mapping[str, np.ndarray]


@attrs.frozen(eq=False)
class View:
    """One way to look at a batch.

    feed:     images [N, 3, H', W'], im_shape and scale_factor [N, 2], ready to run
    scale:    factor of the view's height and width to those of the batch, but for rounding
    mirrored: whether left and right are exchanged, within each image's own width
    """

    feed: Feed
    scale: float
    mirrored: bool


def views(feed: Feed, settings: TestTimeConfig, multiple: int = 32, *, stretch: bool = False) -> Iterator[View]:
    """Every combination of the scales and, with `flip`, the mirror image; the first is the batch itself at scale 1.

    feed:     images float32 [N, 3, H, W], im_shape float32 [N, 2] (h, w without padding), scale_factor float32 [N, 2]
    multiple: height and width of a resized batch are rounded up to it with zeros
    stretch:  a batch without padding is resized to the nearest multiple instead, so that its views have no padding
              either: networks that know images of one size only often take the whole input for the picture
    """
    filled = stretch and bool((feed["im_shape"] == feed["images"].shape[2:]).all())
    for scale in sorted(settings.scales or (1.0,), key=lambda value: value != 1.0):
        resized = feed if scale == 1.0 else _resized(feed, scale, multiple, filled)
        yield View(resized, scale, False)
        if settings.flip:
            yield View(_mirrored(resized), scale, True)


def require_any_size(runner: Any, settings: TestTimeConfig) -> None:
    """Raise PdxError when scales are wanted of an exported model that takes images of one size only."""
    if all(scale == 1.0 for scale in settings.scales):
        return
    size = getattr(runner, "image_size", None)
    if size is not None:
        raise PdxError(
            f"test_time.scales {list(settings.scales)} need a model that takes images of any size, and this one was "
            f"exported for {size[0]}x{size[1]} only; export it with -o Export.any_size=true, or use flip alone"
        )


def _resized(feed: Feed, scale: float, multiple: int, filled: bool) -> Feed:
    """Each image without its padding, resized with bilinear filtering, and padded anew."""
    cv2 = require_cv2()
    unit = multiple if filled else 1
    shapes = np.maximum(np.floor(feed["im_shape"] * scale / unit + 0.5), 1).astype(np.int64) * unit  # [N, 2]
    height, width = (-(-int(side) // multiple) * multiple for side in shapes.max(axis=0))
    images = np.zeros((len(shapes), feed["images"].shape[1], height, width), np.float32)
    for target, image, old, (rows, columns) in zip(
        images, feed["images"], feed["im_shape"].astype(np.int64), shapes.tolist(), strict=True
    ):
        for plane, source in zip(target, image, strict=True):
            plane[:rows, :columns] = cv2.resize(
                np.ascontiguousarray(source[: old[0], : old[1]]), (columns, rows), interpolation=cv2.INTER_LINEAR
            )
    factors = feed["scale_factor"] * (shapes / feed["im_shape"])
    return {
        **feed,
        "images": images,
        "im_shape": shapes.astype(np.float32),
        "scale_factor": factors.astype(np.float32),
    }


def _mirrored(feed: Feed) -> Feed:
    images = feed["images"].copy()
    for image, width in zip(images, feed["im_shape"][:, 1].astype(np.int64).tolist(), strict=True):
        image[:, :, :width] = image[:, :, :width][:, :, ::-1]
    return {**feed, "images": images}
