"""Conversions and new divisions keep every mask to the pixel."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from instance_datasets import HEIGHT, WIDTH, write_coco, write_ids, write_labelme, write_stems

from pdx_core.data.convert import convert_dataset
from pdx_core.data.reading import open_dataset, recognise
from pdx_core.data.split import split_dataset
from pdx_core.plugins import get_registry
from pdx_instseg.run_lengths import RunLengths


def convert(root: Path, name: str, destination: Path) -> Path:
    target = get_registry().find("dataset_readers", name, task="instseg")
    convert_dataset(recognise(root, task="instseg"), target, destination)
    return destination


def objects(root: Path, split: str) -> dict[str, list]:
    """By name of the image: class, crowd and mask of its objects."""
    reader = open_dataset(root, split, task="instseg")
    found = {}
    for at in range(len(reader)):
        sample = reader[at]
        masks = sample.extra.get("run_lengths") or [
            RunLengths.of_bitmap(mask)
            if isinstance(mask, np.ndarray)
            else RunLengths.of_polygons(mask, (HEIGHT, WIDTH))
            for mask in sample.masks
            if len(mask)
        ]
        names = [reader.classes[label] for label in sample.boxes.labels.tolist()]
        found[Path(sample.path).name] = list(zip(names, masks, strict=False))
    return found


def test_coco_to_labelme_and_back(tmp_path):
    root = write_coco(tmp_path / "coco")
    labelme = convert(root, "LabelMe", tmp_path / "labelme")
    shapes = json.loads((labelme / "annotations" / "train_0.json").read_text())["shapes"]
    assert [(shape["shape_type"], shape["group_id"]) for shape in shapes] == [
        ("polygon", None), ("polygon", 2), ("polygon", 2), ("mask", None),
    ]  # fmt: skip
    back = convert(labelme, "COCO", tmp_path / "back")
    for split in ("train", "val"):
        before = objects(root, split)
        without_crowds = {name: items[:3] for name, items in before.items()}
        assert objects(labelme, split) == without_crowds == objects(back, split)
    segmentations = [
        a["segmentation"] for a in json.loads((back / "annotations/instance_val.json").read_text())["annotations"]
    ]
    assert segmentations[0] == [[4, 3, 16, 3, 4, 15]] and isinstance(segmentations[2], dict)


@pytest.mark.parametrize("write", [write_labelme, write_ids, write_stems])
def test_other_layouts_to_coco(tmp_path, write):
    root = write(tmp_path / "data")
    source = root
    if write is not write_stems:
        source = split_dataset(recognise(root, task="instseg"), tmp_path / "lists", 75, 25, seed=0).folder
    coco = convert(source, "COCO", tmp_path / "coco")
    assert recognise(coco, task="instseg").spec.name == "COCOInstSegDataset"
    for split in ("train", "val"):
        before = sorted(objects(source, split).values(), key=str)
        after = sorted(objects(coco, split).values(), key=str)
        assert after == before and before
    for annotation in json.loads((coco / "annotations/instance_train.json").read_text())["annotations"]:
        assert annotation["area"] > 0


def test_a_folder_without_division_gets_one(tmp_path):
    coco = convert(write_ids(tmp_path / "data", count=5), "COCO", tmp_path / "coco")
    assert [len(open_dataset(coco, split, task="instseg")) for split in ("train", "val")] == [4, 1]


def test_a_new_division_keeps_the_annotations_as_they_stand(tmp_path):
    root = write_coco(tmp_path / "coco")
    before = {**objects(root, "val")}
    split_dataset(recognise(root, task="instseg"), tmp_path / "new", 40, 60, seed=1)
    after = {**objects(tmp_path / "new", "train"), **objects(tmp_path / "new", "val")}
    assert len(after) == 5 and all(after[name] for name in before)
    content = json.loads((tmp_path / "new" / "annotations" / "instance_val.json").read_text())
    assert isinstance(content["annotations"][3]["segmentation"], dict) and content["annotations"][3]["iscrowd"] == 1


def test_a_division_in_place_keeps_the_old_lists(tmp_path):
    root = write_ids(tmp_path / "data")
    split_dataset(recognise(root, task="instseg"), None, 50, 50)
    split_dataset(recognise(root, task="instseg"), None, 75, 25)
    assert len((root / "train.txt").read_text().splitlines()) == 3
    assert len((root / "train.txt.bak").read_text().splitlines()) == 2
    assert len(open_dataset(root, "val", task="instseg")) == 1
