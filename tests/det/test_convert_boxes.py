"""Conversions and divisions of detection datasets keep every box; readers give what the files say."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from box_datasets import CLASSES, write_coco

from pdx_core.data.check import check_dataset
from pdx_core.data.convert import convert_dataset, convert_for_task
from pdx_core.data.reading import open_dataset, recognise
from pdx_core.data.split import split_dataset
from pdx_core.errors import ConfigError, DataError
from pdx_core.plugins import get_registry

FORMATS = ("COCODetDataset", "VOCDetDataset", "YOLODetDataset", "LabelMeDetDataset")


@pytest.fixture
def coco(tmp_path: Path) -> Path:
    return write_coco(tmp_path / "my data ü")


def converted(source: Path, name: str) -> Path:
    if name == "COCODetDataset":
        return source
    destination = source.parent / f"as {name}"
    target = get_registry().find("dataset_readers", name, task="det")
    assert convert_dataset(recognise(source, task="det"), target, destination) == {"train": 6, "val": 3}
    return destination


def content(root: Path, split: str) -> dict[str, list[tuple]]:
    """image name -> (class, x1, y1, x2, y2) of its boxes, rounded to a tenth of a pixel."""
    reader = open_dataset(str(root), split, task="det")
    assert reader.classes == CLASSES
    found = {}
    for index in range(len(reader)):
        sample = reader[index]
        rows = zip(sample.boxes.labels.tolist(), sample.boxes.xyxy.tolist(), strict=True)
        found[Path(sample.path).name] = sorted((label, *(round(value, 1) for value in box)) for label, box in rows)
        assert sample.size == sample.image.shape[:2] == (32, 48)
        assert Path(reader.describe(index)) == Path(sample.path)
    return found


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_says_the_same(coco, name):
    root = converted(coco, name)
    assert recognise(root, task="det").spec.name == name
    for split in ("train", "val"):
        assert content(root, split) == content(coco, split)


def test_back_to_coco(coco):
    root = converted(converted(converted(coco, "VOCDetDataset"), "LabelMeDetDataset"), "YOLODetDataset")
    target = get_registry().find("dataset_readers", "COCO", task="det")
    convert_dataset(recognise(root, task="det"), target, coco.parent / "again")
    assert content(coco.parent / "again", "train") == content(coco, "train")
    written = json.loads((coco.parent / "again" / "annotations" / "instance_train.json").read_text())
    assert [item["id"] for item in written["annotations"]] == list(range(1, 13))
    assert written["annotations"][0].keys() >= {"bbox", "area", "iscrowd", "ignore", "segmentation"}


@pytest.mark.parametrize("in_place", [False, True], ids=["elsewhere", "in place"])
@pytest.mark.parametrize("name", FORMATS)
def test_divided_anew(coco, name, in_place):
    root = converted(coco, name)
    everything = {**content(root, "train"), **content(root, "val")}
    output = None if in_place else coco.parent / "divided"
    report = split_dataset(recognise(root, task="det"), output, 50, 50, seed=1)
    assert report.counts == {"train": 4, "val": 5}
    parts = [content(report.folder, split) for split in ("train", "val")]
    assert [len(part) for part in parts] == [4, 5]
    assert {**parts[0], **parts[1]} == everything
    assert check_dataset(report.folder, coco.parent / "output", task="det").passed
    assert bool(list(root.rglob("*.bak"))) == in_place
    same = split_dataset(recognise(root, task="det"), coco.parent / "once more", 50, 50, seed=1)
    assert same.counts == report.counts


def test_a_division_keeps_what_pdx_does_not_use(coco):
    path = coco / "annotations" / "instance_train.json"
    written = json.loads(path.read_text())
    written["info"] = {"year": 2024}
    written["images"][0]["licence"] = 7
    written["annotations"][0]["segmentation"] = [[2, 3, 12, 3, 12, 15]]
    path.write_text(json.dumps(written))
    split_dataset(recognise(coco, task="det"), coco.parent / "divided", 50, 50)
    both = [
        json.loads((coco.parent / "divided" / "annotations" / f"instance_{split}.json").read_text())
        for split in ("train", "val")
    ]
    assert both[0]["info"] == {"year": 2024}
    images = [image for part in both for image in part["images"]]
    assert [image["file_name"] for image in images if image.get("licence") == 7] == ["train_0.png"]
    assert sum("segmentation" in item for part in both for item in part["annotations"]) == 1
    for part in both:
        assert [item["id"] for item in part["annotations"]] == list(range(1, len(part["annotations"]) + 1))


def test_image_ids_that_meet_are_moved_apart(coco):
    path = coco / "annotations" / "instance_val.json"
    written = json.loads(path.read_text())
    for image in written["images"]:
        image["id"] -= 100
    for annotation in written["annotations"]:
        annotation["image_id"] -= 100
    path.write_text(json.dumps(written))
    everything = {**content(coco, "train"), **content(coco, "val")}
    report = split_dataset(recognise(coco, task="det"), coco.parent / "divided", 50, 50)
    assert {**content(report.folder, "train"), **content(report.folder, "val")} == everything


def test_labelme_files_that_nobody_has_divided(coco):
    root = converted(coco, "LabelMeDetDataset")
    for path in root.glob("*_anno_list.txt"):
        path.unlink()
    (root / "labels.txt").unlink()
    with pytest.raises(DataError, match="pdx split"):
        open_dataset(str(root), "train", task="det")
    report = split_dataset(recognise(root, task="det"), None, 60, 40)
    assert sum(report.counts.values()) == 9
    assert len(open_dataset(str(report.folder), "train", task="det").classes) == 3


def test_the_original_voc_layout(coco):
    root = converted(coco, "VOCDetDataset")
    for split in ("train", "val"):
        path = root / f"{split}_list.txt"
        stems = [Path(line.split()[0]).stem for line in path.read_text().splitlines()]
        path.unlink()
        path = root / "ImageSets" / "Main" / f"{split}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join(stems) + "\n")
    assert content(root, "train") == content(coco, "train")


def test_pixels_counted_from_one(coco):
    root = converted(coco, "VOCDetDataset")
    from pdx_core.settings import Component

    plain = open_dataset(str(root), "train", task="det")[0].boxes.xyxy
    options = {"one_based": True}
    shifted = open_dataset(str(root), "train", Component(name="VOC", options=options), "det")[0].boxes.xyxy
    assert (plain - shifted).tolist() == [[1, 1, 0, 0]] * 2


def test_lists_of_annotations_alone(coco):
    """PaddleX's train_anno_list.txt; without a val list a fifth of the images becomes val."""
    root = converted(coco, "VOCDetDataset")
    lines = [line.split()[1] for line in (root / "train_list.txt").read_text().splitlines()]
    for path in root.glob("*_list.txt"):
        path.unlink()
    (root / "JPEGImages").rename(root / "images")
    (root / "train_anno_list.txt").write_text("\n".join(lines) + "\n")
    folder = convert_for_task(str(root), "det", "VOC", coco.parent / "paddlex")
    assert len(content(Path(folder), "train")) == 5 and len(content(Path(folder), "val")) == 1


def test_roboflow_layouts(coco):
    yolo = converted(coco, "YOLODetDataset")
    for word, split in (("train", "train"), ("valid", "val")):
        for kind in ("images", "labels"):
            (yolo / word).mkdir(exist_ok=True)
            (yolo / kind / split).rename(yolo / word / kind)
    (yolo / "data.yaml").write_text(
        "train: ../train/images\nval: ../valid/images\nnc: 3\nnames: {0: cat, 1: dog, 2: cow}\n"
    )
    assert content(yolo, "val") == content(coco, "val")
    for word, split in (("train", "train"), ("valid", "val")):
        (coco / word).mkdir()
        (coco / "annotations" / f"instance_{split}.json").rename(coco / word / "_annotations.coco.json")
        for path in (coco / "images").glob(f"{split}_*.png"):
            path.rename(coco / word / path.name)
    assert len(content(coco, "val")) == 3
    assert check_dataset(coco, coco.parent / "output", task="det").passed


def test_polygons_of_yolo_become_their_boxes(coco):
    root = converted(coco, "YOLODetDataset")
    (root / "labels" / "train" / "train_0.txt").write_text("2 0.25 0.25 0.5 0.25 0.5 0.75 0.25 0.5\n")
    sample = open_dataset(str(root), "train", task="det")[0]
    assert sample.boxes.xyxy.tolist() == [[12, 8, 24, 24]] and sample.boxes.labels.tolist() == [2]


def test_what_cannot_be_converted(coco):
    target = get_registry().find("dataset_readers", "VOC", task="det")
    (coco / "images" / "val_2.png").unlink()
    with pytest.raises(DataError, match=r"val_2\.png"):
        convert_dataset(recognise(coco, task="det"), target, coco.parent / "voc")
    target = get_registry().find("dataset_readers", "COCO", task="det")
    with pytest.raises(ConfigError, match="already is"):
        convert_dataset(recognise(coco, task="det"), target, coco.parent / "x")


def test_training_without_empty_images(coco):
    path = coco / "annotations" / "instance_train.json"
    written = json.loads(path.read_text())
    written["annotations"] = [item for item in written["annotations"] if item["image_id"] != 2]
    path.write_text(json.dumps(written))
    from pdx_core.settings import Component

    without = open_dataset(str(coco), "train", Component(name="COCO", options={"empty": False}), "det")
    assert len(without) == 5
    assert [Path(without.describe(index)).stem for index in (0, 1)] == ["train_0", "train_2"]


def test_tables_are_small_and_safe(coco):
    reader = open_dataset(str(coco), "train", task="det")
    first = reader[0].boxes
    first.xyxy += 100
    first.labels[:] = 0
    assert reader[0].boxes.xyxy.max() < 50 and reader[0].boxes.labels.tolist() == [0, 1]
    table = reader.listing.table
    size = sum(array.nbytes for array in (table.xyxy, table.labels, table.crowd, table.area, table.ids, table.numbers))
    assert size <= 48 * len(table) and np.diff(table.starts).tolist() == [2] * 6
