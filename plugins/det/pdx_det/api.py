"""What other plugins may use of detection: two-stage detectors as a part of something larger, and boxes in datasets.

Names are imported from their modules on first use, so a light module may import what is light (options, recipes, names
of files) from here. What is listed stays; everything else in this package may change from one version to the next.

Networks
    RCNNHead            proposals and box heads (Faster R-CNN, C4, Cascade R-CNN)
                        `loss_and_regions` also gives the `Regions` that were trained on, for a further branch
                        `detect` gives the boxes found, in pixels of the network input, to run that branch on
    Regions             regions of a batch with their labels and the rows of `gt_boxes` they were matched with
    RoiExtractor        features of fixed size for regions, by RoIAlign
    row_images          image index of each row when rows are stored image after image
    with_spare_rows     one row more for each image, where operators fail for an image without any
    without_spare_rows  what was computed for such rows, for the given rows only
    to_original         rows label, score, x1, y1, x2, y2 from the network input to the original images
Records and recipes (light)
    RCNNHeadOptions     what a config may say about `RCNNHead`; derive from it
    CocoBoxOptions      what a config may say about `CocoBox`
    HEAD_ARGUMENTS      arguments of `RCNNHead` by variant: "fpn", "c4", "cascade"
    BACKBONES           overrides for trunks of two-stage detectors by variant: "frozen", "c4", "dcn", "group_norm"
    rcnn_preprocessing  evaluation transforms of two-stage detectors
    rcnn_finetuning     overrides for fine-tuning on one device
    rcnn_coco_recipe    overrides that repeat the published training on COCO
    released_weights    the weights of a file that PaddleDetection has released
    coco_classes        names of the 80 classes
    coco_file           the COCO json of a split of a dataset
    class_file          the file with the names of a dataset's classes
Datasets: what is known beside a box travels with it, see `BoxTable.masks`
    scan_coco           reads and checks COCO json; `read_mask` takes the segmentation of each annotation
    scan_labelme        reads and checks LabelMe json; `read_shapes` says what makes an object
    Drawn               an object that `read_shapes` found
    read_rectangle      the corners of a LabelMe rectangle
    Listing             a dataset: classes and splits
    SplitListing        a split: its pictures and their boxes
    Picture             an image of a split
    BoxTable            all boxes of a split
    BoxCollector        takes boxes one by one and makes a `BoxTable`
    BoxChecker          whether four numbers can be a box of an image
    Place               where a box stands
    BoxDataset          a reader on a scan; derive from it to add to its samples
    BoxDatasetChecker   check and split; derive from it to draw and check more than boxes
    Panel               a histogram of something that datasets differ in, train beside val
    draw_histograms     draws some of them
    COCO_BORDERS        where COCO divides small, medium and large objects, as sides of squares
    write_coco_split    the json files of a new division, with all that the old ones say
    write_lists_split   the list files of a new division
    Item                an image on its way into another format
    items_of            the images of a listing as `Item`s
    copy_items          copies their files
    write_coco          writes them as COCO json; `outline` gives segmentation and area
    write_labelme       writes them as LabelMe json; `shapes` gives the shapes
    write_drawn_coco    writes a COCO dataset of drawn shapes, for a demo
Training, evaluation, prediction
    pack_boxes          the annotated boxes of a batch as arrays, and which boxes of each sample they are
    rows_per_image      the rows of `bbox` by image
    DetPredictor        boxes of exported detectors with threshold and topk; derive from it
    CocoBox             the COCO figures of boxes, with confusions and kinds of mistakes
    CocoTables          precision and recall over IoU, recall, class, area and number of detections
    coco_tables         precision and recall as COCO computes them, of boxes or of masks
    write_json_rows     writes a JSON list item by item
    draw_precision_recall   draws those tables
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pdx_det.box_batch import pack_boxes
    from pdx_det.box_histograms import COCO_BORDERS, Panel, draw_histograms
    from pdx_det.checker import BoxDatasetChecker
    from pdx_det.coco_classes import class_names as coco_classes
    from pdx_det.conversion import Item, copy_items, items_of, write_coco, write_labelme
    from pdx_det.drawn_coco import write_drawn_coco
    from pdx_det.metrics.coco import CocoBox, write_json_rows
    from pdx_det.metrics.coco_tables import Tables as CocoTables
    from pdx_det.metrics.coco_tables import tables as coco_tables
    from pdx_det.metrics.curves import draw_precision_recall
    from pdx_det.metrics_specs import CocoBoxOptions
    from pdx_det.output_rows import rows_per_image
    from pdx_det.predictor import DetPredictor
    from pdx_det.rcnn import RCNNHead, to_original
    from pdx_det.rcnn_options import RCNNHeadOptions
    from pdx_det.rcnn_recipes import BACKBONES, rcnn_coco_recipe, rcnn_finetuning, rcnn_preprocessing
    from pdx_det.rcnn_sampling import Regions
    from pdx_det.rcnn_specs import HEAD_ARGUMENTS
    from pdx_det.readers.box_checks import BoxChecker, Place
    from pdx_det.readers.coco import scan_coco
    from pdx_det.readers.dataset import BoxDataset
    from pdx_det.readers.labelme import Drawn, read_rectangle, scan_labelme
    from pdx_det.readers.listing import BoxCollector, BoxTable, Listing, Picture, SplitListing
    from pdx_det.readers_light import class_file, coco_file
    from pdx_det.roi import RoiExtractor, row_images, with_spare_rows, without_spare_rows
    from pdx_det.writing import write_coco_split, write_lists_split
    from pdx_det.zoo_weights import released as released_weights

_PLACES = {
    "BACKBONES": "rcnn_recipes",
    "COCO_BORDERS": "box_histograms",
    "CocoTables": "metrics.coco_tables:Tables",
    "Panel": "box_histograms",
    "draw_histograms": "box_histograms",
    "BoxChecker": "readers.box_checks",
    "BoxCollector": "readers.listing",
    "BoxDataset": "readers.dataset",
    "BoxDatasetChecker": "checker",
    "BoxTable": "readers.listing",
    "CocoBox": "metrics.coco",
    "CocoBoxOptions": "metrics_specs",
    "DetPredictor": "predictor",
    "Drawn": "readers.labelme",
    "HEAD_ARGUMENTS": "rcnn_specs",
    "Item": "conversion",
    "Listing": "readers.listing",
    "Picture": "readers.listing",
    "Place": "readers.box_checks",
    "RCNNHead": "rcnn",
    "RCNNHeadOptions": "rcnn_options",
    "Regions": "rcnn_sampling",
    "RoiExtractor": "roi",
    "SplitListing": "readers.listing",
    "class_file": "readers_light",
    "coco_classes": "coco_classes:class_names",
    "coco_file": "readers_light",
    "coco_tables": "metrics.coco_tables:tables",
    "copy_items": "conversion",
    "draw_precision_recall": "metrics.curves",
    "items_of": "conversion",
    "pack_boxes": "box_batch",
    "rcnn_coco_recipe": "rcnn_recipes",
    "rcnn_finetuning": "rcnn_recipes",
    "rcnn_preprocessing": "rcnn_recipes",
    "read_rectangle": "readers.labelme",
    "released_weights": "zoo_weights:released",
    "row_images": "roi",
    "rows_per_image": "output_rows",
    "scan_coco": "readers.coco",
    "scan_labelme": "readers.labelme",
    "to_original": "rcnn",
    "with_spare_rows": "roi",
    "without_spare_rows": "roi",
    "write_coco": "conversion",
    "write_coco_split": "writing",
    "write_drawn_coco": "drawn_coco",
    "write_json_rows": "metrics.coco",
    "write_labelme": "conversion",
    "write_lists_split": "writing",
}

__all__ = [
    "BACKBONES",
    "COCO_BORDERS",
    "HEAD_ARGUMENTS",
    "BoxChecker",
    "BoxCollector",
    "BoxDataset",
    "BoxDatasetChecker",
    "BoxTable",
    "CocoBox",
    "CocoBoxOptions",
    "CocoTables",
    "DetPredictor",
    "Drawn",
    "Item",
    "Listing",
    "Panel",
    "Picture",
    "Place",
    "RCNNHead",
    "RCNNHeadOptions",
    "Regions",
    "RoiExtractor",
    "SplitListing",
    "class_file",
    "coco_classes",
    "coco_file",
    "coco_tables",
    "copy_items",
    "draw_histograms",
    "draw_precision_recall",
    "items_of",
    "pack_boxes",
    "rcnn_coco_recipe",
    "rcnn_finetuning",
    "rcnn_preprocessing",
    "read_rectangle",
    "released_weights",
    "row_images",
    "rows_per_image",
    "scan_coco",
    "scan_labelme",
    "to_original",
    "with_spare_rows",
    "without_spare_rows",
    "write_coco",
    "write_coco_split",
    "write_drawn_coco",
    "write_json_rows",
    "write_labelme",
    "write_lists_split",
]


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"pdx_det.api offers no {name!r}; it has {', '.join(__all__)}")
    module, _, spelling = _PLACES[name].partition(":")
    return getattr(importlib.import_module(f"pdx_det.{module}"), spelling or name)


def __dir__() -> list[str]:
    return sorted(__all__)
