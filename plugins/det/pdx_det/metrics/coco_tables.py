"""Precision and recall as the COCO tools compute them, one class at a time so that memory stays small."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator, Sequence
from typing import Any

import attrs
import numpy as np
from pycocotools.mask import area as area_of

from pdx_core.errors import ConfigError, MissingDependencyError

BACKENDS = ("pycocotools", "faster-coco-eval")
IOU_THRESHOLDS = np.linspace(0.5, 0.95, 10)
AREAS = ("all", "small", "medium", "large")  # borders at 32 and 96 pixels squared
MAX_DETECTIONS = (1, 10, 100)
# pycocotools has 0.9999999999999998 where one of one is right (it adds an epsilon), faster-coco-eval has 1.0
_DIGITS = 12


@attrs.frozen(eq=False)
class Judged:
    """What was found and what is known about one image.

    rows:  float32 [d, 6], label score x1 y1 x2 y2
    truth: float32 [g, 4]; labels int64 [g]; crowd bool [g]; area float32 [g]
    masks: to judge masks instead of boxes: height and width, the run lengths found [d] and the true ones [g], each the
           `counts` of pycocotools
    """

    image: int
    rows: np.ndarray
    truth: np.ndarray
    labels: np.ndarray
    crowd: np.ndarray
    area: np.ndarray
    masks: tuple[tuple[int, int], Sequence[bytes], Sequence[bytes]] | None = None


@attrs.frozen(eq=False)
class Tables:
    """precision: float64 [10 IoUs, 101 recalls, K, 4 areas, 3 limits]; recall: [10, K, 4, 3]; -1 where undefined."""

    precision: np.ndarray
    recall: np.ndarray

    def mean_precision(self, iou: float | None = None, area: str = "all", label: int | None = None) -> float:
        """Average precision over classes and IoU thresholds, or at one of them; -1 when nothing is defined, as the COCO
        tools have it."""
        chosen = self.precision[:, :, :, AREAS.index(area), -1]
        if iou is not None:
            chosen = chosen[[int(np.argmin(np.abs(IOU_THRESHOLDS - iou)))]]
        if label is not None:
            chosen = chosen[:, :, label]
        return _mean(chosen)

    def mean_recall(self, limit: int = 100, area: str = "all", label: int | None = None) -> float:
        """Average recall with at most `limit` boxes of a class in an image."""
        chosen = self.recall[:, :, AREAS.index(area), MAX_DETECTIONS.index(limit)]
        return _mean(chosen if label is None else chosen[:, label])

    def figures(self) -> dict[str, float]:
        """The twelve numbers of COCO's summary."""
        return {
            "AP": self.mean_precision(),
            "AP50": self.mean_precision(0.5),
            "AP75": self.mean_precision(0.75),
            "APs": self.mean_precision(area="small"),
            "APm": self.mean_precision(area="medium"),
            "APl": self.mean_precision(area="large"),
            "AR1": self.mean_recall(1),
            "AR10": self.mean_recall(10),
            "AR100": self.mean_recall(100),
            "ARs": self.mean_recall(area="small"),
            "ARm": self.mean_recall(area="medium"),
            "ARl": self.mean_recall(area="large"),
        }

    def per_class(self, classes: Sequence[str]) -> dict[str, dict[str, float]]:
        """AP, AP50 and AR100 of every class by its name."""
        return {
            name: {
                "AP": self.mean_precision(label=label),
                "AP50": self.mean_precision(0.5, label=label),
                "AR100": self.mean_recall(label=label),
            }
            for label, name in enumerate(classes)
        }


def tables(images: Sequence[Judged], num_classes: int, backend: str = "pycocotools") -> Tables:
    """Evaluate the boxes of all images, or their masks where they have some.

    Raises MissingDependencyError when the backend is not installed.
    """
    coco_class, evaluator = _tools(backend)
    parts = [_one_class(pairs, coco_class, evaluator) for pairs in _by_class(images, num_classes)]
    return Tables(
        precision=np.concatenate([precision for precision, _ in parts], axis=2).round(_DIGITS),
        recall=np.concatenate([recall for _, recall in parts], axis=1).round(_DIGITS),
    )


def _by_class(images: Sequence[Judged], num_classes: int) -> Iterator[list[tuple[Judged, np.ndarray, np.ndarray]]]:
    """For each class the images with something of it: indices of the detections and of the truth."""
    for label in range(num_classes):
        pairs = []
        for image in images:
            found = np.flatnonzero(image.rows[:, 0] == label)
            known = np.flatnonzero(image.labels == label)
            if len(found) or len(known):
                pairs.append((image, found, known))
        yield pairs


def _one_class(pairs: list, coco_class: Any, evaluator: Any) -> tuple[np.ndarray, np.ndarray]:
    """precision [10, 101, 1, 4, 3] and recall [10, 1, 4, 3] of one class, which is category 1 here."""
    if not any(len(known) for _, _, known in pairs):
        return np.full((10, 101, 1, 4, 3), -1.0), np.full((10, 1, 4, 3), -1.0)
    truth: list[dict[str, Any]] = []
    found: list[dict[str, Any]] = []
    kind = "bbox" if pairs[0][0].masks is None else "segm"
    for image, chosen, known in pairs:
        rows = image.rows[chosen]
        shapes, true_shapes = (_shapes(image, side, index) for side, index in ((1, chosen), (2, known)))
        for box, crowd, area, shape in zip(
            _as_xywh(image.truth[known]),
            image.crowd[known].tolist(),
            image.area[known].tolist(),
            true_shapes,
            strict=True,
        ):
            truth.append({"bbox": box, "area": area, "iscrowd": int(crowd), **shape, **_ids(truth, image)})
        for box, score, shape in zip(
            _as_xywh(rows[:, 2:]), rows[:, 1].astype(np.float64).tolist(), shapes, strict=True
        ):
            area = box[2] * box[3] if kind == "bbox" else float(area_of(shape["segmentation"]))
            found.append({"bbox": box, "area": area, "iscrowd": 0, "score": score, **shape, **_ids(found, image)})
    listed = [{"id": image.image, **_size(image)} for image, _, _ in pairs]
    with contextlib.redirect_stdout(io.StringIO()):  # the tools print their progress
        run = evaluator(_index(coco_class, listed, truth), _index(coco_class, listed, found), kind)
        run.evaluate()
        run.accumulate()
    return np.asarray(run.eval["precision"], np.float64), np.asarray(run.eval["recall"], np.float64)


def _ids(existing: list, image: Judged) -> dict[str, int]:
    return {"id": len(existing) + 1, "image_id": image.image, "category_id": 1}


def _shapes(image: Judged, side: int, chosen: np.ndarray) -> list[dict[str, Any]]:
    """The run lengths of some detections (side 1) or objects (side 2), or nothing where boxes are judged."""
    if image.masks is None:
        return [{}] * len(chosen)
    size = list(image.masks[0])
    return [{"segmentation": {"size": size, "counts": image.masks[side][at]}} for at in chosen.tolist()]


def _size(image: Judged) -> dict[str, int]:
    return {} if image.masks is None else {"height": image.masks[0][0], "width": image.masks[0][1]}


def _index(coco_class: Any, images: list, annotations: list) -> Any:
    coco = coco_class()
    coco.dataset = {"images": images, "annotations": annotations, "categories": [{"id": 1, "name": "it"}]}
    coco.createIndex()
    return coco


def _as_xywh(xyxy: np.ndarray) -> list[list[float]]:
    boxes = xyxy.astype(np.float64)
    boxes[:, 2:] -= boxes[:, :2]
    return boxes.tolist()


def _mean(values: np.ndarray) -> float:
    defined = values[values > -1]
    return float(np.mean(defined)) if defined.size else -1.0


def _tools(backend: str) -> tuple[Any, Any]:
    if backend == "pycocotools":
        from pycocotools.coco import COCO
        from pycocotools.cocoeval import COCOeval

        return COCO, COCOeval
    if backend == "faster-coco-eval":
        try:
            from faster_coco_eval import COCO, COCOeval_faster
        except ImportError:
            raise MissingDependencyError(
                "faster-coco-eval is not installed; use: pip install 'pdx-det[fast]', or the metric without it"
            ) from None
        return COCO, COCOeval_faster
    raise ConfigError(f"no COCO evaluation named {backend!r}; choose {' or '.join(BACKENDS)}")
