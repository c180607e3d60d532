"""The dataset formats of classification, as records."""

from __future__ import annotations

from pdx_core.specs import ReaderSpec

SPECS = (
    ReaderSpec(
        name="ClsDataset",
        task="cls",
        target="pdx_cls.readers:ClsDataset",
        summary="Lists of image paths with class ids, as PaddleX and PaddleClas use them.",
        aliases=("lists",),
        layout="train.txt and val.txt (or train_list.txt and val_list.txt) with `path class-id` per line, "
        "label.txt with `class-id name` per line (or labels.txt with one name per line)",
        detect="pdx_cls.readers_light:has_lists",
        checker="pdx_cls.checker:ListsChecker",
        converter="pdx_cls.converters:to_lists",
    ),
    ReaderSpec(
        name="ImageFolder",
        task="cls",
        target="pdx_cls.readers:ImageFolder",
        summary="One folder per class.",
        aliases=("folders",),
        layout="train/<class>/image and val/<class>/image",
        detect="pdx_cls.readers_light:has_class_folders",
        checker="pdx_cls.checker:FoldersChecker",
        converter="pdx_cls.converters:to_folders",
    ),
)
