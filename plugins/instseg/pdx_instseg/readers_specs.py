"""The dataset formats of instance segmentation, as records."""

from __future__ import annotations

from pdx_core.specs import ReaderSpec

SPECS = (
    ReaderSpec(
        name="COCOInstSegDataset",
        task="instseg",
        target="pdx_instseg.readers.dataset:CocoInstances",
        summary="COCO json with a mask for each object: polygons or run lengths.",
        aliases=("COCO",),
        layout="annotations/instance_train.json and annotations/instance_val.json (or instances_*.json) whose "
        "annotations have a segmentation, with the images in images/, JPEGImages/ or beside them",
        detect="pdx_instseg.readers_light:has_coco_masks",
        checker="pdx_instseg.checker:CocoChecker",
        converter="pdx_instseg.converters:to_coco",
    ),
    ReaderSpec(
        name="LabelMeInstSegDataset",
        task="instseg",
        target="pdx_instseg.readers.dataset:LabelMeInstances",
        summary="One LabelMe json with polygons per image.",
        aliases=("LabelMe",),
        layout="train_anno_list.txt and val_anno_list.txt with a json per line, images in images/; or a folder of json "
        "files to be split",
        detect="pdx_instseg.readers_light:has_labelme_masks",
        checker="pdx_instseg.checker:LabelMeChecker",
        converter="pdx_instseg.converters:to_labelme",
    ),
    ReaderSpec(
        name="MaskFolderDataset",
        task="instseg",
        target="pdx_instseg.readers.dataset:MaskFolders",
        summary="An image file for the mask of each object.",
        aliases=("DSB2018", "MaskFolders"),
        layout="<id>/images/<id>.png with <id>/masks/*.png, or images/<name>.png with masks/<name>/*.png (below a "
        "folder of the class's name where there are several), in train/ and val/, or divided by train.txt and val.txt",
        detect="pdx_instseg.readers_light:has_mask_folders",
        checker="pdx_instseg.checker:MaskFolderChecker",
        example="pdx_instseg.format_examples:write_mask_folders",
    ),
)
