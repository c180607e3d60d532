"""What other plugins may use of detection: two-stage detectors as a part of something larger.

Names are imported from their modules on first use, so a light module may import what is light (options, recipes) from
here. What is listed stays; everything else in this package may change from one version to the next.

Networks
    RCNNHead            proposals and box heads (Faster R-CNN, C4, Cascade R-CNN)
                        `loss_and_regions` also gives the `Regions` that were trained on, for a further branch
                        `detect` gives the boxes found, in pixels of the network input, to run that branch on
    Regions             regions of a batch with their labels and the rows of `gt_boxes` they were matched with
    RoiExtractor        features of fixed size for regions, by RoIAlign
    row_images          image index of each row when rows are stored image after image
    to_original         rows label, score, x1, y1, x2, y2 from the network input to the original images
Records and recipes (light)
    RCNNHeadOptions     what a config may say about `RCNNHead`; derive from it
    HEAD_ARGUMENTS      arguments of `RCNNHead` by variant: "fpn", "c4", "cascade"
    BACKBONES           overrides for trunks of two-stage detectors by variant: "frozen", "c4", "dcn", "group_norm"
    rcnn_preprocessing  evaluation transforms of two-stage detectors
    rcnn_finetuning     overrides for fine-tuning on one device
    rcnn_coco_recipe    overrides that repeat the published training on COCO
    coco_classes        names of the 80 classes
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pdx_det.coco_classes import class_names as coco_classes
    from pdx_det.rcnn import RCNNHead, to_original
    from pdx_det.rcnn_recipes import BACKBONES, rcnn_coco_recipe, rcnn_finetuning, rcnn_preprocessing
    from pdx_det.rcnn_sampling import Regions
    from pdx_det.rcnn_specs import HEAD_ARGUMENTS, RCNNHeadOptions
    from pdx_det.roi import RoiExtractor, row_images

_PLACES = {
    "BACKBONES": "rcnn_recipes",
    "HEAD_ARGUMENTS": "rcnn_specs",
    "RCNNHead": "rcnn",
    "RCNNHeadOptions": "rcnn_specs",
    "Regions": "rcnn_sampling",
    "RoiExtractor": "roi",
    "coco_classes": "coco_classes:class_names",
    "rcnn_coco_recipe": "rcnn_recipes",
    "rcnn_finetuning": "rcnn_recipes",
    "rcnn_preprocessing": "rcnn_recipes",
    "row_images": "roi",
    "to_original": "rcnn",
}

__all__ = [
    "BACKBONES",
    "HEAD_ARGUMENTS",
    "RCNNHead",
    "RCNNHeadOptions",
    "Regions",
    "RoiExtractor",
    "coco_classes",
    "rcnn_coco_recipe",
    "rcnn_finetuning",
    "rcnn_preprocessing",
    "row_images",
    "to_original",
]


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"pdx_det.api offers no {name!r}; it has {', '.join(__all__)}")
    module, _, spelling = _PLACES[name].partition(":")
    return getattr(importlib.import_module(f"pdx_det.{module}"), spelling or name)


def __dir__() -> list[str]:
    return sorted(__all__)
