"""`pdx check` on detection data of any format: the published result, splits, images, the command line."""

from __future__ import annotations

import json

import pytest
from box_datasets import SIZE, check, edit, find, put
from PIL import Image

from pdx_core.cli import main
from pdx_core.data.reading import open_dataset
from pdx_core.errors import DataError


def test_a_good_dataset_gives_the_published_result(coco):
    before = {path: path.stat().st_mtime_ns for path in coco.rglob("*")}
    report = check(coco)
    assert report.passed and not len(report.findings), report.findings.table()
    result = json.loads((coco.parent / "output" / "check_dataset_result.json").read_text(encoding="utf-8"))
    assert list(result) == [
        "done_flag", "check_pass", "attributes", "analysis", "dataset_path", "show_type", "dataset_type",
    ]  # fmt: skip
    attributes = result["attributes"]
    assert list(attributes) == [
        "num_classes", "train_samples", "train_sample_paths", "val_samples", "val_sample_paths",
    ]  # fmt: skip
    assert (attributes["num_classes"], attributes["train_samples"], attributes["val_samples"]) == (3, 6, 3)
    assert result["dataset_type"] == "COCODetDataset"
    pictures = attributes["train_sample_paths"] + attributes["val_sample_paths"]
    assert len(set(pictures)) == 9
    for name in [*pictures, "check_dataset/histogram.png", "check_dataset/box_shapes.png"]:
        with Image.open(coco.parent / "output" / name) as image:
            image.load()
    assert {path: path.stat().st_mtime_ns for path in coco.rglob("*")} == before


@pytest.mark.parametrize("name", ["VOC", "YOLO", "LabelMe"])
def test_good_datasets_of_other_formats_pass(convert, name):
    report = check(convert(name))
    assert report.passed and not len(report.findings), report.findings.table()


def test_the_same_photo_in_both_splits(coco):
    (coco / "images" / "val_1.png").write_bytes((coco / "images" / "train_4.png").read_bytes())
    report = check(coco)
    assert find(report, "same-image-in-two-splits").location == "images[1]"
    assert report.passed


def test_an_image_annotated_before_its_exif_rotation(coco):
    with Image.open(coco / "images" / "train_1.png") as image:
        exif = Image.Exif()
        exif[274] = 6
        image.convert("RGB").save(coco / "images" / "train_1.jpg", exif=exif)
    edit(coco, put("images", 1, file_name="train_1.jpg"))
    assert find(check(coco), "image-size-rotated").location == "images[1]"
    edit(coco, put("images", 1, file_name="train_1.jpg", width=SIZE[1], height=SIZE[0]))
    report = check(coco)
    assert "image-size-rotated" not in {finding.code for finding in report.findings}


@pytest.mark.parametrize("name", ["VOC", "YOLO", "LabelMe"])
def test_a_missing_split(convert, name):
    root = convert(name)
    for path in root.glob("val*.txt"):
        path.unlink()
    if name == "YOLO":
        (root / "data.yaml").write_text("train: images/train\nnames: [cat, dog, cow]\n")
        for folder in ("images", "labels"):
            (root / folder / "val").rename(root / folder / "other")
    assert find(check(root), "split-missing")


def test_the_reader_refuses_or_leaves_out_bad_boxes(coco, caplog):
    edit(coco, put("annotations", 3, bbox=[1, 2, 0, 4]))
    with pytest.raises(DataError, match=r"annotations\[3\]"):
        open_dataset(str(coco), "train", task="det")
    from pdx_core.settings import Component

    component = Component(name="COCODetDataset", options={"bad_boxes": "skip"})
    reader = open_dataset(str(coco), "train", reader=component)
    assert len(reader[1].boxes) == 1
    assert "1 warning" in caplog.text


def test_the_command_line(coco, capsys):
    edit(coco, put("annotations", 3, bbox=[1, 2, 0, 4]))
    with pytest.raises(SystemExit) as stopped:
        main(["check", str(coco), "--task", "det", "--out", str(coco.parent / "out")])
    assert stopped.value.code == 2
    shown = capsys.readouterr().out
    assert "annotations[3]" in shown and "bbox-zero-size" in shown and "Traceback" not in shown
