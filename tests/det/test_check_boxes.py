"""`pdx check` on detection data: the published result, and a finding with file and place for every defect."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from box_datasets import SIZE, write_coco
from PIL import Image

from pdx_core.cli import main
from pdx_core.data.check import CheckReport, check_dataset
from pdx_core.data.convert import convert_dataset
from pdx_core.data.reading import open_dataset, recognise
from pdx_core.errors import DataError
from pdx_core.plugins import get_registry

TRAIN = "annotations/instance_train.json"


@pytest.fixture
def coco(tmp_path: Path) -> Path:
    return write_coco(tmp_path / "data")


@pytest.fixture
def convert(coco: Path) -> Callable[[str], Path]:
    def make(name: str) -> Path:
        target = get_registry().find("dataset_readers", name, task="det")
        convert_dataset(recognise(coco, task="det"), target, coco.parent / name)
        return coco.parent / name

    return make


def check(root: Path) -> CheckReport:
    return check_dataset(root, root.parent / "output", task="det")


def edit(root: Path, change: Callable[[dict], Any], name: str = TRAIN) -> None:
    path = root / name
    content = json.loads(path.read_text(encoding="utf-8"))
    change(content)
    path.write_text(json.dumps(content), encoding="utf-8")


def find(report: CheckReport, code: str):
    found = [finding for finding in report.findings if finding.code == code]
    assert found, f"no {code} among: {report.findings.table()}"
    return found[0]


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


def put(kind: str, index: int, **values: Any) -> Callable[[dict], Any]:
    return lambda content: content[kind][index].update(values)


def drop(kind: str, index: int, key: str) -> Callable[[dict], Any]:
    return lambda content: content[kind][index].pop(key)


# what is done to the train json, the code, the place, the field and the severity of the finding
BAD_COCO: dict[str, tuple[Callable[[dict], Any], str, str, str, str]] = {
    "no images": (lambda c: c.pop("images"), "images-missing", "", "images", "error"),
    "images a dict": (lambda c: c.update(images={}), "images-missing", "", "images", "error"),
    "empty images": (lambda c: c.update(images=[], annotations=[]), "images-empty", "", "images", "error"),
    "no annotations": (lambda c: c.pop("annotations"), "annotations-missing", "", "annotations", "error"),
    "no categories": (lambda c: c.pop("categories"), "categories-missing", "", "categories", "error"),
    "image no object": (lambda c: c["images"].append(3), "image-not-an-object", "images[6]", "", "error"),
    "image id missing": (drop("images", 2, "id"), "image-id-missing", "images[2]", "id", "error"),
    "image id text": (put("images", 2, id="3"), "image-id-not-integer", "images[2]", "id", "error"),
    "image id twice": (put("images", 2, id=1), "image-id-duplicate", "images[2]", "id", "error"),
    "no file name": (drop("images", 1, "file_name"), "file-name-missing", "images[1]", "file_name", "error"),
    "file name number": (put("images", 1, file_name=7), "file-name-missing", "images[1]", "file_name", "error"),
    "absolute": (put("images", 1, file_name="/a.png"), "path-outside-dataset", "images[1]", "file_name", "error"),
    "drive": (put("images", 1, file_name="C:\\a.png"), "path-outside-dataset", "images[1]", "file_name", "error"),
    "dots": (put("images", 1, file_name="../a.png"), "path-outside-dataset", "images[1]", "file_name", "error"),
    "image file missing": (put("images", 1, file_name="gone.png"), "image-missing", "images[1]", "", "error"),
    "other case": (put("images", 1, file_name="TRAIN_1.png"), "image-missing", "images[1]", "", "error"),
    "listed twice": (
        put("images", 1, file_name="train_0.png"), "image-listed-twice", "images[1]", "file_name", "error",
    ),
    "no width": (drop("images", 1, "width"), "image-size-missing", "images[1]", "width", "warning"),
    "zero height": (put("images", 1, height=0), "image-size-invalid", "images[1]", "height", "error"),
    "negative width": (put("images", 1, width=-4), "image-size-invalid", "images[1]", "width", "error"),
    "wrong size": (put("images", 1, width=96), "image-size-differs", "images[1]", "width, height", "error"),
    "swapped size": (
        put("images", 1, width=SIZE[1], height=SIZE[0]), "image-size-swapped", "images[1]", "width, height", "error",
    ),
    "annotation no object": (
        lambda c: c["annotations"].append(None), "annotation-not-an-object", "annotations[12]", "", "error",
    ),
    "annotation id missing": (drop("annotations", 4, "id"), "annotation-id-missing", "annotations[4]", "id", "warning"),
    "annotation id twice": (put("annotations", 4, id=1), "annotation-id-duplicate", "annotations[4]", "id", "error"),
    "annotation id text": (put("annotations", 4, id="5"), "annotation-id-not-integer", "annotations[4]", "id", "error"),
    "annotation id zero": (put("annotations", 4, id=0), "annotation-id-zero", "annotations[4]", "id", "warning"),
    "image unknown": (
        put("annotations", 4, image_id=999), "image-id-unknown", "annotations[4]", "image_id", "error",
    ),
    "image id as text": (
        put("annotations", 4, image_id="1"), "image-id-not-integer", "annotations[4]", "image_id", "error",
    ),
    "image id absent": (drop("annotations", 4, "image_id"), "image-id-missing", "annotations[4]", "image_id", "error"),
    "category unknown": (
        put("annotations", 4, category_id=8), "category-id-unknown", "annotations[4]", "category_id", "error",
    ),
    "category from zero": (
        put("annotations", 4, category_id=0), "category-id-unknown", "annotations[4]", "category_id", "error",
    ),
    "category text": (
        put("annotations", 4, category_id="cat"), "category-id-not-integer", "annotations[4]", "category_id", "error",
    ),
    "category a list": (
        put("annotations", 4, category_id=[1]), "category-id-unknown", "annotations[4]", "category_id", "error",
    ),
    "category id twice": (put("categories", 1, id=1), "category-id-duplicate", "categories[1]", "id", "error"),
    "category name twice": (
        put("categories", 1, name="cat"), "category-name-duplicate", "categories[1]", "name", "error",
    ),
    "category name nearly": (
        put("categories", 1, name=" Cat"), "category-name-similar", "categories[1]", "name", "warning",
    ),
    "category name missing": (drop("categories", 1, "name"), "category-name", "categories[1]", "name", "error"),
    "bbox missing": (drop("annotations", 3, "bbox"), "bbox-missing", "annotations[3]", "bbox", "error"),
    "bbox three": (put("annotations", 3, bbox=[1, 2, 3]), "bbox-length", "annotations[3]", "bbox", "error"),
    "bbox text": (put("annotations", 3, bbox="1,2,3,4"), "bbox-length", "annotations[3]", "bbox", "error"),
    "bbox texts": (
        put("annotations", 3, bbox=["1", "2", "3", "4"]), "bbox-not-a-number", "annotations[3]", "bbox", "error",
    ),
    "bbox nan": (
        put("annotations", 3, bbox=[1, 2, math.nan, 4]), "bbox-not-finite", "annotations[3]", "bbox", "error",
    ),
    "bbox infinite": (
        put("annotations", 3, bbox=[1, 2, math.inf, 4]), "bbox-not-finite", "annotations[3]", "bbox", "error",
    ),
    "bbox huge": (put("annotations", 3, bbox=[1, 2, 10**400, 4]), "bbox-huge", "annotations[3]", "bbox", "error"),
    "bbox zero width": (put("annotations", 3, bbox=[1, 2, 0, 4]), "bbox-zero-size", "annotations[3]", "bbox", "error"),
    "bbox negative": (
        put("annotations", 3, bbox=[9, 9, -4, 4]), "bbox-negative-size", "annotations[3]", "bbox", "error",
    ),
    "bbox outside": (put("annotations", 3, bbox=[90, 2, 5, 4]), "bbox-outside", "annotations[3]", "bbox", "error"),
    "bbox left of it": (put("annotations", 3, bbox=[-9, 2, 5, 4]), "bbox-outside", "annotations[3]", "bbox", "error"),
    "bbox sticks out": (
        put("annotations", 3, bbox=[40, 2, 20, 4]), "bbox-partly-outside", "annotations[3]", "bbox", "warning",
    ),
    "bbox shares": (
        put("annotations", 3, bbox=[0.1, 0.2, 0.5, 0.4]), "bbox-normalised", "annotations[3]", "bbox", "error",
    ),
    "bbox twice": (
        put("annotations", 1, bbox=[2, 3, 10, 12], category_id=1), "bbox-twice", "annotations[1]", "bbox", "warning",
    ),
    "crowd without mask": (
        put("annotations", 3, iscrowd=1), "crowd-without-segmentation", "annotations[3]", "segmentation", "warning",
    ),
    "crowd with polygon": (
        put("annotations", 3, iscrowd=1, segmentation=[[1, 1, 5, 1, 5, 5]]),
        "segmentation-odd", "annotations[3]", "segmentation", "warning",
    ),
    "crowd value": (put("annotations", 3, iscrowd="yes"), "iscrowd-value", "annotations[3]", "iscrowd", "error"),
    "area wrong": (put("annotations", 3, area=1e6), "area-wrong", "annotations[3]", "area", "warning"),
    "area negative": (put("annotations", 3, area=-1), "area-wrong", "annotations[3]", "area", "warning"),
    "area text": (put("annotations", 3, area="12"), "area-wrong", "annotations[3]", "area", "warning"),
    "polygon odd": (
        put("annotations", 3, segmentation=[[1, 2, 3, 4, 5]]),
        "segmentation-odd", "annotations[3]", "segmentation", "warning",
    ),
    "polygon short": (
        put("annotations", 3, segmentation=[[1, 2, 3, 4]]),
        "segmentation-odd", "annotations[3]", "segmentation", "warning",
    ),
    "mask of another size": (
        put("annotations", 3, segmentation={"size": [4, 4], "counts": [16]}),
        "segmentation-odd", "annotations[3]", "segmentation", "warning",
    ),
    "backslash": (put("images", 1, file_name="images\\train_1.png"), "path-backslash", "images[1]", "", "warning"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD_COCO)
def test_defects_of_coco_files_are_named(coco, case):
    change, code, location, field, severity = BAD_COCO[case]
    edit(coco, change)
    report = check(coco)
    finding = find(report, code)
    assert finding.file == TRAIN
    assert finding.location == location
    assert not field or finding.field == field
    assert finding.severity == severity
    assert finding.fix and finding.message
    assert report.passed == (report.findings.error_count == 0)


def test_an_image_that_nobody_annotated(coco):
    edit(coco, lambda c: c.update(annotations=[item for item in c["annotations"] if item["image_id"] != 3]))
    report = check(coco)
    finding = find(report, "image-without-boxes")
    assert (finding.file, finding.location, finding.value) == (TRAIN, "images[2]", "train_2.png")
    assert report.passed
    reader = open_dataset(str(coco), "train", task="det")
    assert len(reader) == 6 and len(reader[2].boxes) == 0


def gaps(content: dict) -> None:
    for category in content["categories"]:
        category["id"] = {1: 2, 2: 5, 3: 90}[category["id"]]
    for annotation in content["annotations"]:
        annotation["category_id"] = {1: 2, 2: 5, 3: 90}[annotation["category_id"]]


def test_category_ids_with_gaps_are_mapped_in_order(coco):
    for name in (TRAIN, TRAIN.replace("train", "val")):
        edit(coco, gaps, name)
    report = check(coco)
    assert find(report, "category-id-gaps").severity == "warning" and report.passed
    reader = open_dataset(str(coco), "train", task="det")
    assert reader.classes == ("cat", "dog", "cow") and reader.category_ids == (2, 5, 90)
    assert reader[1].boxes.labels.tolist() == [1, 2]


def test_corners_instead_of_width_and_height(coco):
    def as_corners(content: dict) -> None:
        for annotation in content["annotations"]:
            x, y, width, height = annotation["bbox"]
            annotation["bbox"] = [x, y, x + width, y + height]

    edit(coco, as_corners)
    assert find(check(coco), "bbox-corners").severity == "error"


def test_categories_of_val_must_be_those_of_train(coco):
    edit(coco, put("categories", 1, name="horse"), TRAIN.replace("train", "val"))
    finding = find(check(coco), "categories-differ")
    assert finding.file.endswith("instance_val.json") and "horse" in finding.message


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


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "json-empty"),
        (b"  \n", "json-empty"),
        (b'{"images": [', "json-syntax"),
        (b"[" * 100_000, "json-syntax"),
        (b"[]", "json-not-an-object"),
        (b"\xff\xfe\x00\x00\xff", "json-unreadable"),
    ],
)
def test_files_that_are_no_coco_at_all(coco, content, code):
    (coco / TRAIN).write_bytes(content)
    finding = find(check(coco), code)
    assert finding.file == TRAIN


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_other_encodings_are_read(coco, encoding):
    path = coco / TRAIN
    path.write_bytes(path.read_text(encoding="utf-8").encode(encoding))
    assert check(coco).passed


def xml_of(root: Path) -> Path:
    return root / "Annotations" / "train_1.xml"


def replace(old: str, new: str) -> Callable[[str], str]:
    def change(text: str) -> str:
        assert old in text
        return text.replace(old, new, 1)

    return change


BOMB = '<!DOCTYPE a [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]><annotation>&b;</annotation>'
BAD_XML: dict[str, tuple[Callable[[str], str | bytes], str, str]] = {
    "empty": (lambda text: "", "xml-empty", ""),
    "cut off": (lambda text: text[: len(text) // 2], "xml-syntax", "line"),
    "no xml": (lambda text: "{}", "xml-syntax", "line 1"),
    "bomb": (lambda text: BOMB, "xml-entities", ""),
    "external entity": (
        lambda text: '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><annotation>&x;</annotation>',
        "xml-entities",
        "",
    ),
    "not utf-8": (
        lambda text: text.replace("train_1.png", "gr\xfc\xdfe.png").encode("latin-1"),
        "xml-not-utf-8",
        "line",
    ),
    "unknown encoding": (lambda text: '<?xml version="1.0" encoding="klingon"?>' + text, "xml-encoding", ""),
    "no size": (lambda text: text.replace("size>", "sized>"), "xml-size-missing", ""),
    "zero size": (replace("<width>48<", "<width>0<"), "image-size-invalid", ""),
    "width no number": (replace("<width>48<", "<width>wide<"), "image-size-invalid", ""),
    "wrong size": (replace("<width>48<", "<width>480<"), "image-size-differs", ""),
    "unknown class": (replace("<name>dog<", "<name>wolf<"), "class-unknown", "object[0]"),
    "no name": (replace("<name>dog</name>", ""), "class-missing", "object[0]"),
    "no corner": (replace("<xmin>2</xmin>", ""), "bbox-missing", "object[0]"),
    "no box": (lambda text: text.replace("bndbox>", "box>"), "bbox-missing", "object[0]"),
    "corner no number": (replace("<xmin>2<", "<xmin>two<"), "bbox-not-a-number", "object[0]"),
    "corner nan": (replace("<xmin>2<", "<xmin>nan<"), "bbox-not-finite", "object[0]"),
    "turned corners": (replace("<xmax>12<", "<xmax>1<"), "bbox-negative-size", "object[0]"),
    "no width": (replace("<xmax>12<", "<xmax>2<"), "bbox-zero-size", "object[0]"),
    "outside": (replace("<xmin>2<", "<xmin>60<"), "bbox-negative-size", "object[0]"),
    "sticks out": (replace("<ymax>15<", "<ymax>60<"), "bbox-partly-outside", "object[0]"),
    "difficult": (replace("<difficult>0<", "<difficult>maybe<"), "difficult-value", "object[0]"),
    "of another image": (replace("train_1.png", "else.png"), "xml-of-another-image", ""),
    "from one": (replace("<ymax>15<", "<ymax>33<"), "bbox-one-based", ""),
}


@pytest.mark.parametrize("case", BAD_XML)
def test_defects_of_xml_files_are_named(convert, case):
    root = convert("VOC")
    change, code, location = BAD_XML[case]
    path = xml_of(root)
    changed = change(path.read_text(encoding="utf-8"))
    path.write_bytes(changed if isinstance(changed, bytes) else changed.encode("utf-8"))
    finding = find(check(root), code)
    assert finding.file == "Annotations/train_1.xml"
    assert finding.location.startswith(location)
    assert finding.fix


def test_counting_from_one_and_from_zero(convert):
    root = convert("VOC")
    path = xml_of(root)
    path.write_text(replace("<ymax>15<", "<ymax>33<")(path.read_text()), encoding="utf-8")
    other = root / "Annotations" / "train_2.xml"
    other.write_text(replace("<xmin>2<", "<xmin>0<")(other.read_text()), encoding="utf-8")
    assert find(check(root), "bbox-mixed-counting")


BAD_LINES: dict[str, tuple[str, str]] = {
    "1 0.5 0.5 0.1": ("bbox-length", "error"),
    "1 0.5 0.5 0.1 x": ("bbox-not-a-number", "error"),
    "1 0.5 0.5 nan 0.1": ("bbox-not-finite", "error"),
    "1 24 16 10 12": ("bbox-not-normalised", "error"),
    "1 0.5 0.5 0 0.1": ("bbox-zero-size", "error"),
    "1 0.5 0.5 -0.1 0.1": ("bbox-negative-size", "error"),
    "3 0.5 0.5 0.1 0.1": ("class-out-of-range", "error"),
    "-1 0.5 0.5 0.1 0.1": ("class-out-of-range", "error"),
    "dog 0.5 0.5 0.1 0.1": ("class-not-integer", "error"),
    "1 0.9 0.5 0.6 0.1": ("bbox-partly-outside", "warning"),
}


@pytest.mark.parametrize("line", BAD_LINES)
def test_defects_of_yolo_files_are_named(convert, line):
    root = convert("YOLO")
    path = root / "labels" / "train" / "train_1.txt"
    path.write_text(path.read_text() + line + "\n")
    code, severity = BAD_LINES[line]
    finding = find(check(root), code)
    assert (finding.file, finding.location, finding.severity) == ("labels/train/train_1.txt", "line 3", severity)


def test_other_defects_of_yolo_folders(convert):
    root = convert("YOLO")
    (root / "labels" / "train" / "ghost.txt").write_text("0 0.5 0.5 0.1 0.1\n")
    (root / "labels" / "val" / "val_0.txt").unlink()
    report = check(root)
    assert find(report, "image-missing").file == "labels/train/ghost.txt"
    assert find(report, "image-without-boxes").file == "labels/val/val_0.txt"
    (root / "data.yaml").write_text("train: [images/train\n")
    assert find(check(root), "yaml-syntax").location
    (root / "data.yaml").write_text("train: images/train\nval: images/nowhere\nnames: [cat, dog, cow]\nnc: 4\n")
    report = check(root)
    assert find(report, "class-count").field == "nc" and find(report, "split-missing").field == "val"


BAD_SHAPES: dict[str, tuple[Callable[[dict], Any], str, str]] = {
    "polygon": (lambda c: c["shapes"][0].update(shape_type="polygon"), "shape-not-rectangle", "shapes[0]"),
    "one point": (lambda c: c["shapes"][0].update(points=[[1, 2]]), "bbox-length", "shapes[0]"),
    "text": (lambda c: c["shapes"][0].update(points=[["1", 2], [3, 4]]), "bbox-not-a-number", "shapes[0]"),
    "flat": (lambda c: c["shapes"][0].update(points=[[1, 2], [1, 9]]), "bbox-zero-size", "shapes[0]"),
    "label": (lambda c: c["shapes"][0].update(label="wolf"), "class-unknown", "shapes[0]"),
    "no object": (lambda c: c["shapes"].append(3), "class-unknown", "shapes[2]"),
    "no shapes": (lambda c: c.pop("shapes"), "labelme-shapes", ""),
    "no image": (lambda c: c.pop("imagePath"), "file-name-missing", ""),
    "size": (lambda c: c.update(imageWidth=7), "image-size-differs", ""),
}


@pytest.mark.parametrize("case", BAD_SHAPES)
def test_defects_of_labelme_files_are_named(convert, case):
    root = convert("LabelMe")
    change, code, location = BAD_SHAPES[case]
    edit(root, change, "annotations/train_1.json")
    finding = find(check(root), code)
    assert (finding.file, finding.location) == ("annotations/train_1.json", location)


def test_lists_with_wrong_lines(convert):
    root = convert("VOC")
    path = root / "train_list.txt"
    lines = path.read_text().splitlines()
    path.write_text(
        "\n".join([*lines, lines[0], "JPEGImages/a.png ../b.xml", "JPEGImages/a.png Annotations/a.xml"]) + "\n"
    )
    report = check(root)
    assert find(report, "image-listed-twice").location == "line 7"
    assert find(report, "path-outside-dataset").location == "line 8"
    assert find(report, "annotation-missing").file == "Annotations/a.xml"


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


def test_boxes_are_compared_with_the_file_where_the_annotation_has_no_size(convert):
    root = convert("VOC")
    path = xml_of(root)
    path.write_text(path.read_text().replace("size>", "sized>").replace("<ymax>15<", "<ymax>60<"))
    finding = find(check(root), "bbox-partly-outside")
    assert (finding.file, finding.location) == ("Annotations/train_1.xml", "object[0]")


def test_the_reader_refuses_or_leaves_out_bad_boxes(coco, caplog):
    edit(coco, put("annotations", 3, bbox=[1, 2, 0, 4]))
    with pytest.raises(DataError, match=r"annotations\[3\]"):
        open_dataset(str(coco), "train", task="det")
    from pdx_core.settings import Component

    component = Component(name="COCODetDataset", options={"bad_boxes": "skip"})
    reader = open_dataset(str(coco), "train", reader=component)
    assert len(reader[1].boxes) == 1
    assert "1 warning" in caplog.text


def test_random_damage_never_ends_in_a_traceback(coco):
    rng = np.random.default_rng(0)
    values = [None, "", "x", -1, 0, 1.5, math.nan, 10**40, [], {}, [1], True, "1", [[1, 2]], {"id": 1}]
    original = (coco / TRAIN).read_text(encoding="utf-8")
    from pdx_core.data.findings import Findings
    from pdx_det.readers.coco import scan_coco

    for _ in range(300):
        content = json.loads(original)
        for _ in range(3):
            kind = str(rng.choice(["images", "annotations", "categories"]))
            item = content[kind][int(rng.integers(len(content[kind])))]
            key = str(rng.choice(list(item)))
            item[key] = values[int(rng.integers(len(values)))]
        (coco / TRAIN).write_text(json.dumps(content), encoding="utf-8")
        findings = Findings()
        scan_coco(coco, findings)
        for finding in findings:
            assert finding.file and finding.message


def test_the_command_line(coco, capsys):
    edit(coco, put("annotations", 3, bbox=[1, 2, 0, 4]))
    with pytest.raises(SystemExit) as stopped:
        main(["check", str(coco), "--task", "det", "--out", str(coco.parent / "out")])
    assert stopped.value.code == 2
    shown = capsys.readouterr().out
    assert "annotations[3]" in shown and "bbox-zero-size" in shown and "Traceback" not in shown
