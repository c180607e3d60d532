"""Several views of an image, scaled and mirrored, and one list of boxes made of what a detector says of each.

Class by class suppression over the boxes of all views, as box voting after Gidaris and Komodakis (2015) if asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import attrs
import numpy as np
from attrs import validators as v

from pdx_core.errors import ConfigError, PdxError, did_you_mean
from pdx_core.settings import TestTimeConfig
from pdx_core.test_time import View, views
from pdx_det.metrics.overlap import iou_matrix
from pdx_det.output_rows import rows_per_image

Arrays = Mapping[str, np.ndarray]
Runner = Callable[[Arrays], Arrays]


@attrs.frozen(kw_only=True)
class MergeOptions:
    """What `test_time.merge` of a detector may say.

    iou:        of two boxes of a class that overlap by more than this, the one with the lower score is dropped
    vote_iou:   a kept box becomes the mean, weighted with the scores, of all boxes of its class that overlap it by at
                least this; 0 leaves boxes as they are
    keep_top_k: boxes of an image
    """

    iou: float = attrs.field(default=0.6, converter=float, validator=v.and_(v.gt(0), v.le(1)))
    vote_iou: float = attrs.field(default=0.7, converter=float, validator=v.and_(v.ge(0), v.le(1)))
    keep_top_k: int = attrs.field(default=100, validator=v.and_(v.instance_of(int), v.gt(0)))

    @classmethod
    def of(cls, given: Mapping[str, Any], key: str = "test_time.merge") -> MergeOptions:
        """From the mapping in a configuration. Raises ConfigError that names the key and what it may say."""
        known = [field.name for field in attrs.fields(cls)]
        for name in given:
            if name not in known:
                raise ConfigError(
                    f"unknown key {name!r} in {key!r}.{did_you_mean(name, known)} Valid keys: {', '.join(known)}"
                )
        try:
            return cls(**given)
        except (TypeError, ValueError) as error:
            raise ConfigError(f"{key}: {error.args[0] if error.args else error}") from None


def run_views(runner: Runner, feed: Arrays, settings: TestTimeConfig, options: MergeOptions) -> dict[str, np.ndarray]:
    """The merged boxes of every image of a batch.

    runner:  a detector: `images`, `im_shape`, `scale_factor` -> `bbox` and `bbox_num` as `Head.decode` gives them
    returns: `bbox` float32 [n, 6] label, score, x1, y1, x2, y2 in original pixels, by class and falling score within an
             image; `bbox_num` int32 [N]
    """
    seen: list[list[np.ndarray]] = [[] for _ in feed["images"]]
    for view in views(feed, settings, stretch=True):
        outputs = runner(view.feed)
        if further := sorted(set(outputs) - {"bbox", "bbox_num"}):
            raise PdxError(f"test_time merges boxes; this model also gives {', '.join(further)}")
        for image, rows in enumerate(_rows_in_place(outputs, view)):
            seen[image].append(rows)
    merged = [merge_rows(np.concatenate(rows), options) for rows in seen]
    return {"bbox": np.concatenate(merged), "bbox_num": np.array([len(rows) for rows in merged], np.int32)}


def _rows_in_place(outputs: Arrays, view: View) -> Iterator[np.ndarray]:
    """The rows of each image, those of a mirror image turned back."""
    widths = view.feed["im_shape"][:, 1] / view.feed["scale_factor"][:, 1]  # in original pixels
    for rows, width in zip(rows_per_image(outputs), widths.tolist(), strict=True):
        if view.mirrored:
            rows = rows.copy()
            rows[:, [2, 4]] = width - rows[:, [4, 2]]
        yield rows


def merge_rows(rows: np.ndarray, options: MergeOptions) -> np.ndarray:
    """One image's rows of all views, float32 [n, 6], without those that say the same as a better one."""
    rows = rows[rows[:, 1] > 0]  # some exported models say "nothing" with a row of score 0
    kept = []
    for label in np.unique(rows[:, 0]):
        own = rows[rows[:, 0] == label]
        own = own[np.argsort(-own[:, 1], kind="stable")]
        overlap = iou_matrix(own[:, 2:], own[:, 2:])
        best = _greedy(overlap > options.iou)
        chosen = own[best]
        if options.vote_iou > 0:
            votes = (overlap[best] >= options.vote_iou) * own[:, 1].astype(np.float64)  # [kept, n]
            votes[np.arange(len(best)), best] = own[best, 1]  # an empty box overlaps nothing, not even itself
            chosen[:, 2:] = votes @ own[:, 2:] / votes.sum(axis=1, keepdims=True)
        kept.append(chosen)
    if not kept:
        return np.zeros((0, 6), np.float32)
    merged = np.concatenate(kept)
    best = np.sort(np.argsort(-merged[:, 1], kind="stable")[: options.keep_top_k])
    return merged[best].astype(np.float32)


def _greedy(clashes: np.ndarray) -> np.ndarray:
    """Rows that are kept, int64 [k]: each in turn, unless it clashes with one that was kept before. bool [n, n]."""
    alive = np.ones(len(clashes), bool)
    kept = []
    for index in range(len(clashes)):
        if alive[index]:
            kept.append(index)
            alive[index + 1 :] &= ~clashes[index, index + 1 :]
    return np.array(kept, np.int64)
