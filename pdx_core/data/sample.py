"""One item of a dataset, before and after each transform; the same type for every task."""

from __future__ import annotations

from typing import Any

import attrs
import numpy as np


@attrs.define(kw_only=True)
class Boxes:
    """Boxes of one image, in pixels of the image they travel with.

    xyxy:      float32 [n, 4], x1 y1 x2 y2 with w = x2 - x1
    labels:    int64 [n], index into the reader's classes
    crowd:     bool [n], COCO iscrowd: matched leniently, never trained on
    difficult: bool [n], VOC difficult: ignored by its metric
    weights:   float32 [n], share of the box in the loss (mixup)
    area:      float32 [n] or None, area as annotated (COCO sorts sizes by it; for masks it is that of the mask)
    ids:       int64 [n] or None, annotation ids of the dataset
    """

    xyxy: np.ndarray
    labels: np.ndarray
    crowd: np.ndarray
    difficult: np.ndarray
    weights: np.ndarray
    area: np.ndarray | None = None
    ids: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.labels)

    @classmethod
    def of(cls, xyxy: Any, labels: Any, **other: Any) -> Boxes:
        """Boxes with the given coordinates; flags default to false and weights to one."""
        xyxy = np.asarray(xyxy, dtype=np.float32).reshape(-1, 4)
        count = len(xyxy)
        values: dict[str, Any] = {
            "crowd": np.zeros(count, dtype=bool),
            "difficult": np.zeros(count, dtype=bool),
            "weights": np.ones(count, dtype=np.float32),
        }
        values.update(other)
        return cls(xyxy=xyxy, labels=np.asarray(labels, dtype=np.int64).reshape(-1), **values)

    def select(self, index: np.ndarray) -> Boxes:
        """The boxes that a boolean mask or an index array picks."""
        return Boxes(
            **{
                field.name: None if value is None else value[index]
                for field in attrs.fields(Boxes)
                for value in (getattr(self, field.name),)
            }
        )


@attrs.define(kw_only=True)
class Sample:
    """One image with whatever is known about it.

    image:        uint8 [H, W, 3], RGB, until Normalize makes it float32 [3, H, W]; None once it is part of a batch
    label:        class index, or float32 [K] of soft labels; None when unknown
    boxes:        Boxes in pixels of `image`
    masks:        one per box, each a list of polygons (float32 [points, 2], x and y) or bool [H, W]; where all are of
                  the second kind also bool [n, H, W]
    label_map:    uint8 or int32 [H, W] of class indices, with the reader's ignore index
    path:         the file it came from, as the user would name it
    id:           what the dataset calls it (COCO image id), else the path
    size:         height and width of the original image, in pixels, after its EXIF orientation was applied
    scale_factor: y and x factor from original to present pixels (before padding or cropping)
    im_shape:     height and width of the resized image without padding; None until a resize sets it
    origin:       x and y, in original pixels, of the present image's top left corner (tiles, crops)
    extra:        by name, what tasks have that the core does not know; values with a place in the image are a
                  `contracts.Movable`, which every geometric transform moves along
    truth:        the sample as it was read, without its image; what a metric compares with
    """

    image: Any  # np.ndarray | None
    label: int | np.ndarray | None = None
    boxes: Boxes | None = None
    masks: Any = None
    label_map: np.ndarray | None = None
    path: str = ""
    id: int | str = ""
    size: tuple[int, int] = (0, 0)
    scale_factor: tuple[float, float] = (1.0, 1.0)
    im_shape: tuple[int, int] | None = None
    origin: tuple[int, int] = (0, 0)
    extra: dict[str, Any] = attrs.field(factory=dict)
    truth: Sample | None = attrs.field(default=None, repr=False)
