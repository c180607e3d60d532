"""`pdx check` on segmentation data: the published result, and a finding with its file for every defect."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from mask_datasets import CLASSES, SIZE, label_map, photo, shape, write_folders, write_labelme, write_lists
from PIL import Image

from pdx_core.cli import main
from pdx_core.data.check import CheckReport, check_dataset
from pdx_core.data.reading import open_dataset
from pdx_core.errors import DataError, PdxError
from pdx_core.images import write_image
from pdx_core.settings import Component

MASK = "annotations/train_1.png"


@pytest.fixture
def lists(tmp_path: Path) -> Path:
    return write_lists(tmp_path / "data")


def check(root: Path, **options: str) -> CheckReport:
    return check_dataset(root, root.parent / "output", task="seg", options=options)


def find(report: CheckReport, code: str):
    found = [finding for finding in report.findings if finding.code == code]
    assert found, f"no {code} among: {report.findings.table()}"
    return found[0]


def codes(report: CheckReport) -> set[str]:
    return {finding.code for finding in report.findings}


def save(root: Path, name: str, values: np.ndarray, mode: str | None = None, **options) -> None:
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(values, mode).save(root / name, **options) if mode else Image.fromarray(values).save(
        root / name, **options
    )


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
def out_of_range(root):
    values = label_map(1)
    values[10, 11], values[3, 5] = 7, 200
    write_image(root / MASK, values)


def other_size(root):
    write_image(root / MASK, np.zeros((SIZE[1], SIZE[0] + 1), np.uint8))


def swapped(root):
    write_image(root / MASK, np.ascontiguousarray(label_map(1).T))


def alpha_that_matters(root):
    values = np.zeros((SIZE[1], SIZE[0], 4), np.uint8)
    values[2:5, 2:5, 3] = 255
    save(root, MASK, values)


def alpha_that_does_not(root):
    grey = label_map(1)
    save(root, MASK, np.dstack([grey, grey, grey, np.full_like(grey, 255)]))


def sixteen_bits(root):
    save(root, MASK, label_map(1).astype(np.uint16) * 257)


def sixteen_bits_in_range(root):
    save(root, MASK, label_map(1).astype(np.uint16))


def jpeg(root):
    save(root, "annotations/train_1.jpg", label_map(1), quality=90)
    (root / MASK).unlink()
    edit(root, MASK, "annotations/train_1.jpg")


def jpeg_called_png(root):
    save(root, MASK, label_map(1), format="JPEG")


def no_mask(root):
    (root / MASK).unlink()


def a_folder(root):
    (root / MASK).unlink()
    (root / MASK).mkdir()


def other_case(root):
    (root / MASK).rename(root / "annotations" / "train_1.PNG")


def truncated(root):
    data = (root / MASK).read_bytes()
    (root / MASK).write_bytes(data[: len(data) // 2])


def empty(root):
    (root / MASK).write_bytes(b"")


def web_page(root):
    (root / MASK).write_bytes(b"<!DOCTYPE html><html>404</html>")


def bit_flip(root):
    data = bytearray((root / MASK).read_bytes())
    data[len(data) // 2] ^= 1
    (root / MASK).write_bytes(bytes(data))


def colours(root):
    values = np.zeros((SIZE[1], SIZE[0], 3), np.uint8)
    values[2:8, 3:7] = (128, 0, 0)
    save(root, MASK, values)


def grey_in_three_channels(root):
    save(root, MASK, np.dstack([label_map(1)] * 3))


def all_ignored(root):
    write_image(root / MASK, np.full((SIZE[1], SIZE[0]), 255, np.uint8))


def fractions(root):
    save(root, "annotations/train_1.tif", label_map(1).astype(np.float32) + 0.5)
    edit(root, MASK, "annotations/train_1.tif")


def smoothed(root):
    ramp = np.tile(np.arange(SIZE[0], dtype=np.uint8) * 10, (SIZE[1], 1))
    write_image(root / MASK, ramp + np.arange(SIZE[1], dtype=np.uint8)[:, None])


def turned_photo(root):
    picture = Image.fromarray(photo(1))
    exif = Image.Exif()
    exif[274] = 6  # shown turned by 90 degrees; the mask fits the stored pixels
    picture.save(root / "images" / "train_1.jpg", exif=exif)


def upside_down_photo(root):
    exif = Image.Exif()
    exif[274] = 3
    Image.fromarray(photo(1)).save(root / "images" / "train_1.jpg", exif=exif)


def huge_header(root):
    import struct
    import zlib

    body = struct.pack(">IIBBBBB", 40000, 40000, 8, 0, 0, 0, 0)
    chunks = [(b"IHDR", body), (b"IDAT", zlib.compress(b"\0")), (b"IEND", b"")]
    data = b"".join(
        struct.pack(">I", len(part)) + kind + part + struct.pack(">I", zlib.crc32(kind + part)) for kind, part in chunks
    )
    (root / MASK).write_bytes(b"\x89PNG\r\n\x1a\n" + data)


def edit(root: Path, old: str, new: str, name: str = "train.txt") -> None:
    path = root / name
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


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


# -- lists -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("line", "code", "words"),
    [
        ("images/train_1.jpg", "list-line", "names one file"),
        ("images/train_1.jpg,annotations/train_1.png", "list-line", "another separator"),
        ("images/train_1.jpg annotations/train_1.png more.png", "list-line", "3 paths"),
        ("/images/train_1.jpg annotations/train_1.png", "path-outside-dataset", "absolute"),
        ("images/train_1.jpg ../annotations/train_1.png", "path-outside-dataset", "leaves"),
        ("images/train_1.jpg annotations/train_0.png", "image-listed-twice", "line 1"),
        ("images/train_0.jpg annotations/train_1.png", "two-masks", "line 1"),
        ("annotations/train_1.png annotations/train_1.png", "mask-is-image", ""),
        ("images/train_1.jpeg annotations/train_1.png", "image-missing", "does not exist"),
    ],
)
def test_a_wrong_line_is_named(lists, line, code, words):
    edit(lists, "images/train_1.jpg annotations/train_1.png", line)
    found = find(check(lists), code)
    assert (found.file, found.location) == ("train.txt", "line 2")
    assert words in found.message


@pytest.mark.parametrize(
    "line",
    [
        "images/my photo.jpg annotations/my mask.png",
        "images/my photo.jpg\tannotations/my mask.png",
        '"images/my photo.jpg" "annotations/my mask.png"',
        "images\\my photo.jpg annotations\\my mask.png",
        "  images/my photo.jpg   annotations/my mask.png  ",
    ],
)
def test_blanks_and_tabs_in_lines_are_understood(lists, line):
    (lists / "images" / "train_1.jpg").rename(lists / "images" / "my photo.jpg")
    (lists / MASK).rename(lists / "annotations" / "my mask.png")
    edit(lists, "images/train_1.jpg annotations/train_1.png", line)
    if "\\" in line:
        edit(lists, line, line.replace("my photo", "p").replace("my mask", "m"))
        (lists / "images" / "my photo.jpg").rename(lists / "images" / "p.jpg")
        (lists / "annotations" / "my mask.png").rename(lists / "annotations" / "m.png")
    report = check(lists)
    assert report.passed, report.findings.table()


def test_a_missing_or_empty_list_is_named(lists):
    (lists / "val.txt").unlink()
    assert find(check(lists), "split-missing").file == "val.txt"
    (lists / "val.txt").write_text("\n\n", encoding="utf-8")
    assert find(check(lists), "split-missing").message == "is empty"
    (lists / "val.txt").write_bytes("images/äh.jpg annotations/a.png\n".encode("latin-1"))
    assert "not UTF-8" in find(check(lists), "split-missing").message


def test_the_same_photo_in_both_splits_is_a_warning(lists):
    shutil.copyfile(lists / "images" / "train_0.jpg", lists / "images" / "val_0.jpg")
    report = check(lists)
    assert report.passed and "train_0" in find(report, "same-image-in-two-splits").message


# -- folders ---------------------------------------------------------------------------------------------------------
def test_files_without_partners_are_found(tmp_path):
    root = write_folders(tmp_path / "data")
    (root / "masks" / "train" / "train_1.png").unlink()
    (root / "images" / "val" / "val_0.png").unlink()
    (root / "masks" / "train" / "train_2.png").rename(root / "masks" / "train" / "Train_2.png")
    report = check(root)
    messages = {finding.file: finding.message for finding in report.findings if finding.code == "mask-missing"}
    assert set(messages) == {"images/train/train_1.png", "images/train/train_2.png"}
    assert "there is masks/train/Train_2.png" in messages["images/train/train_2.png"]
    orphans = {finding.file for finding in report.findings if finding.code == "mask-without-image"}
    assert orphans == {"masks/val/val_0.png", "masks/train/Train_2.png"}


# -- polygons --------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("bad", "code", "words"),
    [
        (shape("tree", [[1, 1], [5, 5]]), "polygon-points", "2 points; a polygon needs at least three"),
        (shape("tree", [[1, 1], [5, "x"], [3, 3]]), "polygon-points", "not pairs of numbers"),
        (shape("tree", [[1, 1], [5, float("nan")], [3, 3]]), "polygon-points", "not pairs of numbers"),
        (shape("tree", [[1, 1], [5, 5], [3, 3]], "linestrip"), "shape-not-area", "linestrip"),
        (shape("tree", [[50, 50], [60, 50], [60, 60]]), "polygon-outside", "24 x 16"),
        (shape("", [[1, 1], [5, 5], [3, 3]]), "class-unknown", "''"),
        ("no shape", "class-unknown", "None"),
    ],
)
def test_a_bad_shape_is_named(tmp_path, bad, code, words):
    root = write_labelme(tmp_path / "data", {"train_1": [shape("car", [[1, 1], [9, 1], [9, 9]]), bad]})
    found = find(check(root), code)
    assert (found.file, found.location) == ("annotations/train_1.json", "shapes[1]")
    assert words in found.message


def test_bad_json_is_named(tmp_path):
    root = write_labelme(tmp_path / "data")
    (root / "annotations" / "train_0.json").write_text('{"shapes": [', encoding="utf-8")
    (root / "annotations" / "train_2.json").unlink()
    report = check(root)
    assert find(report, "json-syntax").file == "annotations/train_0.json"
    assert find(report, "annotation-missing").file == "annotations/train_2.json"


def test_good_labelme_files_pass(tmp_path):
    report = check(write_labelme(tmp_path / "data"))
    assert report.passed and not len(report.findings), report.findings.table()
    assert report.result["attributes"]["num_classes"] == 3


# -- the command line ------------------------------------------------------------------------------------------------
def test_check_of_the_command_line_takes_the_options_of_the_reader(lists, capsys):
    out_of_range(lists)
    arguments = ["check", str(lists), "--task", "seg", "--out", str(lists.parent / "output")]
    with pytest.raises(SystemExit) as left:
        main(arguments)
    assert left.value.code == 2 and "mask-values" in capsys.readouterr().out
    with pytest.raises(SystemExit) as left:
        main([*arguments, "--remap", "{7: 2, 200: ignore}", "--json"])
    shown = capsys.readouterr().out
    assert left.value.code == 0, shown
    assert json.loads(shown)["attributes"]["num_classes"] == 3


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--remap", "{1: 300}"], "write a class from 0 to 254"),
        (["--remap", "{a: 1}"], "neither a value"),
        (["--remap", "5"], "a mapping such as"),
        (["--ignore", "70000"], "65535"),
    ],
)
def test_wrong_options_are_refused_with_their_flag(lists, capsys, flags, words):
    with pytest.raises(SystemExit) as left:
        main(["check", str(lists), "--task", "seg", "--out", str(lists.parent / "output"), *flags])
    message = capsys.readouterr().err
    assert left.value.code == 2 and words in message and "Traceback" not in message
    assert flags[0] in message


def test_options_that_a_format_does_not_take_are_refused(tmp_path):
    with pytest.raises(PdxError, match="remap"):
        check(write_labelme(tmp_path / "data"), remap="{0: 1}")
