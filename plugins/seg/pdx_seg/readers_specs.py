"""The dataset formats of segmentation, as records."""

from __future__ import annotations

from pdx_core.specs import ReaderSpec

_MASKS = "pdx_seg.readers_options:MaskOptions"

SPECS = (
    ReaderSpec(
        name="SegDataset",
        task="seg",
        target="pdx_seg.readers.dataset:SegDataset",
        summary="Lists of images with their masks, as PaddleX and PaddleSeg use them.",
        options=_MASKS,
        layout="train.txt and val.txt (or train_list.txt and val_list.txt) with `image mask` per line, and labels.txt "
        "with a class name per line",
        detect="pdx_seg.readers_light:has_lists",
        checker="pdx_seg.checker:ListsChecker",
        converter="pdx_seg.converters:to_lists",
    ),
    ReaderSpec(
        name="MaskFolders",
        task="seg",
        target="pdx_seg.readers.dataset:MaskFolders",
        summary="Images and masks of the same names in two folders.",
        options=_MASKS,
        layout="images/train, masks/train, images/val, masks/val; or train/images, train/masks and so on; or images/ "
        "and masks/ to be split; masks may be called labels or annotations too",
        detect="pdx_seg.readers_light:has_folders",
        checker="pdx_seg.checker:FoldersChecker",
        converter="pdx_seg.converters:to_folders",
    ),
    ReaderSpec(
        name="VOCSegDataset",
        task="seg",
        target="pdx_seg.readers.dataset:VocSegmentation",
        summary="Pascal VOC's JPEGImages and SegmentationClass.",
        aliases=("VOC",),
        options=_MASKS,
        layout="ImageSets/Segmentation/train.txt and val.txt with a name per line, JPEGImages/ and SegmentationClass/",
        detect="pdx_seg.readers_light:has_voc",
        checker="pdx_seg.checker:VocChecker",
        converter="pdx_seg.converters:to_voc",
    ),
    ReaderSpec(
        name="Cityscapes",
        task="seg",
        target="pdx_seg.readers.dataset:Cityscapes",
        summary="Cityscapes with its 19 classes for training.",
        options=_MASKS,
        layout="leftImg8bit/train/<city>/*_leftImg8bit.png and gtFine/train/<city>/*_gtFine_labelIds.png, the same "
        "for val",
        detect="pdx_seg.readers_light:has_cityscapes",
        checker="pdx_seg.checker:CityscapesChecker",
        example="pdx_seg.format_examples:write_cityscapes",
    ),
    ReaderSpec(
        name="LabelMeSegDataset",
        task="seg",
        target="pdx_seg.readers.dataset:LabelMeSegmentation",
        summary="One LabelMe json with polygons per image.",
        aliases=("LabelMe",),
        options="pdx_seg.readers_options:PolygonOptions",
        layout="train_anno_list.txt and val_anno_list.txt with a json per line, images in images/; or a folder of json "
        "files to be split",
        detect="pdx_seg.readers_light:has_labelme",
        checker="pdx_seg.checker:LabelMeChecker",
        example="pdx_seg.format_examples:write_labelme",
    ),
)
