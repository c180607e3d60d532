"""The dataset formats of detection, as records."""

from __future__ import annotations

from pdx_core.specs import ReaderSpec

SPECS = (
    ReaderSpec(
        name="COCODetDataset",
        task="det",
        target="pdx_det.readers.dataset:CocoDetection",
        summary="COCO json, as PaddleX, COCO and most labelling tools write it.",
        aliases=("COCO",),
        layout="annotations/instance_train.json and annotations/instance_val.json (or instances_*.json), with the "
        "images in images/, JPEGImages/ or beside them",
        detect="pdx_det.readers_light:has_coco",
        checker="pdx_det.checker:CocoChecker",
        converter="pdx_det.converters:to_coco",
    ),
    ReaderSpec(
        name="VOCDetDataset",
        task="det",
        target="pdx_det.readers.dataset:VocDetection",
        summary="One Pascal VOC xml per image.",
        aliases=("VOC", "VOCWithUnlabeled"),
        layout="train_list.txt and val_list.txt with `image xml` per line and labels.txt; or train_anno_list.txt with "
        "an xml per line; or ImageSets/Main/train.txt with Annotations/ and JPEGImages/",
        detect="pdx_det.readers_light:has_voc",
        checker="pdx_det.checker:VocChecker",
        converter="pdx_det.converters:to_voc",
    ),
    ReaderSpec(
        name="YOLODetDataset",
        task="det",
        target="pdx_det.readers.dataset:YoloDetection",
        summary="One text per image with `class cx cy w h` in shares of the image.",
        aliases=("YOLO",),
        layout="data.yaml with train, val and names; or images/train, labels/train, images/val, labels/val and "
        "classes.txt",
        detect="pdx_det.readers_light:has_yolo",
        checker="pdx_det.checker:YoloChecker",
        converter="pdx_det.converters:to_yolo",
    ),
    ReaderSpec(
        name="LabelMeDetDataset",
        task="det",
        target="pdx_det.readers.dataset:LabelMeDetection",
        summary="One LabelMe json with rectangles per image.",
        aliases=("LabelMe", "LabelMeWithUnlabeled"),
        layout="train_anno_list.txt and val_anno_list.txt with a json per line, images in images/; or a folder of json "
        "files to be split",
        detect="pdx_det.readers_light:has_labelme",
        checker="pdx_det.checker:LabelMeChecker",
        converter="pdx_det.converters:to_labelme",
    ),
)
