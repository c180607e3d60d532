"""Every defect of a COCO file is found, with file, place and field."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from box_datasets import SIZE, TRAIN, check, drop, edit, find, put

from pdx_core.data.reading import open_dataset

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
