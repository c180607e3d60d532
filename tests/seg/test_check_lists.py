"""What `pdx check` says about list files, LabelMe shapes and the options of a reader."""

from __future__ import annotations

import json
import shutil

import pytest
from mask_datasets import (
    check,
    edit,
    find,
    shape,
    write_folders,
    write_labelme,
)
from spoiled_masks import MASK, out_of_range

from pdx_core.cli import main
from pdx_core.errors import PdxError


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
