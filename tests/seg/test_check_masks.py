"""`pdx check` on segmentation data: the published result, and a finding with its file for every defect."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from mask_datasets import CLASSES, SIZE, check, codes, find, label_map, photo
from PIL import Image
from spoiled_masks import (
    MASK,
    a_folder,
    all_ignored,
    alpha_that_does_not,
    alpha_that_matters,
    bit_flip,
    colours,
    empty,
    fractions,
    grey_in_three_channels,
    huge_header,
    jpeg,
    jpeg_called_png,
    no_mask,
    other_case,
    other_size,
    out_of_range,
    sixteen_bits,
    sixteen_bits_in_range,
    smoothed,
    swapped,
    truncated,
    turned_photo,
    upside_down_photo,
    web_page,
)

from pdx_core.data.reading import open_dataset
from pdx_core.errors import DataError
from pdx_core.images import write_image
from pdx_core.settings import Component


# -- what is right ---------------------------------------------------------------------------------------------------
def test_a_good_dataset_gives_the_published_result(lists):
    before = {path: path.stat().st_mtime_ns for path in lists.rglob("*")}
    report = check(lists)
    assert report.passed and not len(report.findings), report.findings.table()
    output = lists.parent / "output"
    result = json.loads((output / "check_dataset_result.json").read_text(encoding="utf-8"))
    assert list(result) == [
        "done_flag", "check_pass", "attributes", "analysis", "dataset_path", "show_type", "dataset_type",
    ]  # fmt: skip
    attributes = result["attributes"]
    assert list(attributes) == [
        "train_sample_paths", "train_samples", "val_sample_paths", "val_samples", "num_classes",
    ]  # fmt: skip
    assert (attributes["train_samples"], attributes["val_samples"], attributes["num_classes"]) == (4, 2, 3)
    assert result["analysis"] == {"histogram": "check_dataset/histogram.png"}
    assert result["dataset_type"] == "SegDataset"
    pictures = attributes["train_sample_paths"] + attributes["val_sample_paths"]
    assert len(set(pictures)) == 6
    for name in [*pictures, "check_dataset/histogram.png", "check_dataset/pixel_shares.png"]:
        with Image.open(output / name) as image:
            image.load()
    assert {path: path.stat().st_mtime_ns for path in lists.rglob("*")} == before


def test_shares_of_the_classes_are_those_of_the_judged_pixels(lists):
    assert check(lists).passed
    path = lists.parent / "output" / "check_dataset" / "class_statistics.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    judged = SIZE[0] * (SIZE[1] - 1)  # the first row is ignored
    assert [row["name"] for row in content["classes"]] == list(CLASSES)
    assert [row["train_images"] for row in content["classes"]] == [4, 4, 4]
    assert [row["val_share"] for row in content["classes"]] == pytest.approx(
        [(judged - 24 - 20) / judged, 24 / judged, 20 / judged], abs=1e-6
    )
    assert content["ignored"]["train"] == pytest.approx(1 / SIZE[1], abs=1e-6)


def test_overlays_show_the_classes_and_a_legend(lists):
    assert check(lists).passed
    with Image.open(lists.parent / "output" / "check_dataset" / "demo_img" / "train_1.jpg") as image:
        drawn = np.asarray(image)
    factor = drawn.shape[1] // SIZE[0]  # small pictures are drawn larger
    drawn = drawn[factor // 2 :: factor, factor // 2 :: factor]
    assert drawn.shape[0] > SIZE[1] and drawn.shape[1] >= SIZE[0]  # the legend stands below
    tree, ground = drawn[3:7, 5:7].mean(axis=(0, 1)), drawn[3:7, 18:22].mean(axis=(0, 1))
    assert tree[1] > tree[0] + 20 and ground[0] > ground[1] + 20  # class 1 is green, class 0 red


# -- bad masks: (what is done to a good dataset, code, words of the message or of the advice) ------------------------
BAD_MASKS: list[tuple[Callable[[Path], None], str, str, str]] = [
    (out_of_range, "mask-values", "7: 0.3%, 200: 0.3%", "--remap '{7: ignore, 200: ignore}'"),
    (other_size, "mask-size", "it has 25 x 16 pixels, images/train_1.jpg has 24 x 16", "nearest neighbour"),
    (swapped, "mask-size-swapped", "it has 16 x 24 pixels", "turn the mask"),
    (alpha_that_matters, "mask-alpha", "not opaque everywhere", "no alpha"),
    (sixteen_bits, "mask-16-bit", "65535", "remap"),
    (jpeg, "mask-lossy", "JPEG changes the values", "PNG"),
    (jpeg_called_png, "mask-lossy", "JPEG changes the values", "PNG"),
    (no_mask, "mask-missing", "annotations/train_1.png does not exist", "add the mask"),
    (a_folder, "mask-missing", "is a folder", "add the mask"),
    (other_case, "mask-missing", "annotations/train_1.png does not exist", "there is 'train_1.PNG'"),
    (truncated, "mask-truncated", "breaks off", "replace the file"),
    (empty, "mask-empty", "0 bytes", ""),
    (web_page, "mask-not-an-image", "web page", ""),
    (bit_flip, "mask-damaged", "check sum", ""),
    (colours, "mask-colour", "(0 0 0): 93.8%, (128 0 0): 6.2%", "0 0 0: 0, 128 0 0: 1"),
    (fractions, "mask-fractions", "fractions", "8-bit PNG"),
    (smoothed, "mask-values", "smoothing or resizing", ""),
    (turned_photo, "mask-size-unrotated", "images/train_1.jpg has 16 x 24", "EXIF"),
    (huge_header, "mask-too-large", "1600 megapixels", ""),
]


@pytest.mark.parametrize(("spoil", "code", "message", "fix"), BAD_MASKS, ids=[row[0].__name__ for row in BAD_MASKS])
def test_a_bad_mask_is_an_error_that_says_where_and_what(lists, spoil, code, message, fix):
    spoil(lists)
    report = check(lists)
    found = find(report, code)
    assert not report.passed and found.severity == "error"
    assert message in found.message, found.message
    assert fix in found.fix, found.fix
    assert "train_1" in f"{found.file} {found.location} {found.value}"
    assert codes(report) == {code}, report.findings.table()


@pytest.mark.parametrize(("spoil", "code", "message", "fix"), BAD_MASKS, ids=[row[0].__name__ for row in BAD_MASKS])
def test_a_bad_mask_stops_training_with_its_name(lists, spoil, code, message, fix):
    spoil(lists)
    reader = open_dataset(lists, "train", task="seg")
    assert reader[0].label_map.shape == (SIZE[1], SIZE[0])
    with pytest.raises(DataError, match="train_1"):
        reader[1]


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (alpha_that_does_not, "mask-alpha"),
        (sixteen_bits_in_range, "mask-16-bit"),
        (grey_in_three_channels, "mask-grey-as-rgb"),
        (all_ignored, "mask-all-ignored"),
        (upside_down_photo, "image-turned-by-exif"),
    ],
    ids=lambda item: getattr(item, "__name__", "as"),
)
def test_a_strange_mask_is_a_warning_and_is_read(lists, spoil, code):
    spoil(lists)
    report = check(lists)
    assert report.passed and codes(report) >= {code} and not report.findings.error_count, report.findings.table()
    assert find(report, code).file == MASK
    if spoil is not all_ignored:
        np.testing.assert_array_equal(open_dataset(lists, "train", task="seg")[1].label_map, label_map(1))


def test_a_photo_turned_by_exif_fits_a_mask_drawn_on_it(lists):
    turned_photo(lists)
    write_image(lists / MASK, np.ascontiguousarray(label_map(1).T))
    assert check(lists).passed
    sample = open_dataset(lists, "train", task="seg")[1]
    assert sample.image.shape[:2] == sample.label_map.shape == (SIZE[0], SIZE[1])


def test_masks_of_0_and_255_are_one_class_until_they_are_mapped(lists):
    for path in (lists / "annotations").iterdir():
        with Image.open(path) as image:
            values = np.asarray(image)
        write_image(path, np.where(values == 1, 255, 0).astype(np.uint8))
    (lists / "labels.txt").write_text("ground\ntree\n", encoding="utf-8")
    found = find(check(lists), "mask-binary")
    assert "--remap '{0: 0, 255: 1}'" in found.fix and "remap: {0: 0, 255: 1}" in found.fix
    report = check(lists, remap="{0: 0, 255: 1}")
    assert report.passed, report.findings.table()
    reader = open_dataset(lists, "val", Component(name="SegDataset", options={"remap": {"255": 1}}), "seg")
    assert sorted(set(reader[0].label_map.ravel().tolist())) == [0, 1]
    (lists / "labels.txt").unlink()
    assert "mask-binary" in codes(check(lists))
    with pytest.raises(DataError, match=r"1 class"):
        open_dataset(lists, "train", task="seg")


def test_values_that_do_not_count_classes_are_refused_with_a_remap(lists):
    (lists / "labels.txt").unlink()
    for path in (lists / "annotations").iterdir():
        with Image.open(path) as image:
            values = np.asarray(image)
        table = np.arange(256, dtype=np.uint8)
        table[1:3] = 38, 75
        write_image(path, table[values])
    found = find(check(lists), "mask-values")
    assert "{0: 0, 38: 1, 75: 2}" in found.fix and "38: " in found.message
    with pytest.raises(DataError, match="38: 1, 75: 2"):
        open_dataset(lists, "train", task="seg")
    assert check(lists, remap="{0: 0, 38: 1, 75: 2}").passed


def test_without_names_the_classes_are_counted_over_all_masks(lists):
    (lists / "labels.txt").unlink()
    report = check(lists)
    assert report.passed and report.result["attributes"]["num_classes"] == 3
    assert open_dataset(lists, "val", task="seg").classes == ("class_0", "class_1", "class_2")


def test_unused_and_untrained_classes_are_warnings(lists):
    (lists / "labels.txt").write_text("ground\ntree\ncar\nsea\nboat\n", encoding="utf-8")
    values = label_map(0)
    values[5, 20] = 4
    write_image(lists / "annotations" / "val_0.png", values)
    report = check(lists)
    assert report.passed
    assert find(report, "class-unused").value == "sea" and find(report, "class-not-in-train").value == "boat"


def test_a_file_of_names_that_is_too_short_is_what_to_mend(lists):
    (lists / "labels.txt").write_text("ground\ntree\n", encoding="utf-8")
    found = find(check(lists), "mask-values")
    assert "classes are 0..1" in found.message and found.fix.startswith("add these classes to the file of names")


def test_photos_in_place_of_masks_are_told_from_coloured_labels(lists):
    for number, path in enumerate((lists / "annotations").iterdir()):
        write_image(path, photo(number))
    assert "a photo or a smoothed picture" in find(check(lists), "mask-colour").fix


def test_one_class_in_train_is_an_error(lists):
    for path in (lists / "annotations").glob("train*"):
        write_image(path, np.zeros((SIZE[1], SIZE[0]), np.uint8))
    found = find(check(lists), "one-class")
    assert "'ground'" in found.message and "train masks" in found.message
