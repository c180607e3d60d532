"""The dataset formats of segmentation, as records."""

from __future__ import annotations

from typing import Any

import attrs
from attrs import validators as v

from pdx_core.specs import ReaderSpec
from pdx_seg.labels import IGNORE
from pdx_seg.remap import MAX_VALUE, check_remap


@attrs.frozen(kw_only=True)
class MaskOptions:
    """How mask files are read. What is not given here is taken from masks.json of the dataset, if there is one."""

    ignore: int | None = attrs.field(
        default=IGNORE,
        validator=v.optional(v.and_(v.ge(0), v.le(MAX_VALUE))),
        metadata={"help": "Value in the masks that is not judged; none where all values are classes."},
    )
    remap: dict[str, Any] = attrs.field(
        factory=dict,
        validator=check_remap,
        metadata={"help": "Classes of values or colours: '{0: 0, 255: 1}', '{1-150: 0-149, 128 0 0: ignore}'."},
    )


@attrs.frozen(kw_only=True)
class PolygonOptions:
    """LabelMe files hold names, not values: there is nothing to be said about them."""


_MASKS = "pdx_seg.readers_specs:MaskOptions"

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
        options="pdx_seg.readers_specs:PolygonOptions",
        layout="train_anno_list.txt and val_anno_list.txt with a json per line, images in images/; or a folder of json "
        "files to be split",
        detect="pdx_seg.readers_light:has_labelme",
        checker="pdx_seg.checker:LabelMeChecker",
        example="pdx_seg.format_examples:write_labelme",
    ),
)
