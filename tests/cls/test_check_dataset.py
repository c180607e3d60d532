"""`pdx check` on classification data: the published result, and one finding per defect with code, file and place."""

from __future__ import annotations

import functools
import io
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pdx_core.cli import main
from pdx_core.data.check import CheckReport, CheckSettings, check_dataset
from pdx_core.data.reading import open_dataset, recognise
from pdx_core.errors import DataError
from pdx_core.images import write_image

CLASSES = ("cat", "dog", "mouse pad")


def picture(seed: int, size: int = 24) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (size, size, 3), dtype=np.uint8)


@pytest.fixture
def lists(tmp_path) -> Path:
    """Twelve train and six val images in the PaddleX layout."""
    root = tmp_path / "data"
    lines: dict[str, list[str]] = {"train": [], "val": []}
    for split, count in (("train", 12), ("val", 6)):
        for index in range(count):
            name = f"images/{split}_{index}.{'png' if index % 2 else 'jpg'}"
            write_image(root / name, picture(index + (100 if split == "val" else 0)))
            lines[split].append(f"{name} {index % 3}")
    (root / "label.txt").write_text("".join(f"{index} {name}\n" for index, name in enumerate(CLASSES)))
    for split, found in lines.items():
        (root / f"{split}.txt").write_text("\n".join(found) + "\n")
    return root


@pytest.fixture
def folders(tmp_path) -> Path:
    """The same as class folders."""
    root = tmp_path / "folders"
    for split, count in (("train", 4), ("val", 2)):
        for label, name in enumerate(CLASSES):
            for index in range(count):
                write_image(
                    root / split / name / f"{index}.png", picture(index + 10 * label + (100 if split == "val" else 0))
                )
    return root


def check(root: Path, **options: object) -> CheckReport:
    return check_dataset(root, root.parent / "output", **options)


def codes(report: CheckReport) -> dict[str, str]:
    """code -> "file location" of every finding."""
    return {finding.code: f"{finding.file} {finding.location}".strip() for finding in report.findings}


def edit(root: Path, name: str, line: int, text: str | None) -> None:
    """Replace a line, counted from 1, or remove it."""
    lines = (root / name).read_text().splitlines()
    lines[line - 1 : line] = [] if text is None else [text]
    (root / name).write_text("\n".join(lines) + "\n")


def test_a_good_dataset_gives_the_published_result(lists, caplog):
    caplog.set_level("INFO")
    before = {path: path.stat().st_mtime_ns for path in lists.rglob("*")}
    report = check(lists)
    output = lists.parent / "output"
    result = json.loads((output / "check_dataset_result.json").read_text(encoding="utf-8"))
    assert list(result) == [
        "done_flag", "check_pass", "attributes", "analysis", "dataset_path", "show_type", "dataset_type",
    ]  # fmt: skip
    assert list(result["attributes"]) == [
        "label_file", "num_classes", "train_samples", "train_sample_paths", "val_samples", "val_sample_paths",
    ]  # fmt: skip
    attributes = result["attributes"]
    assert result["done_flag"] is True and result["check_pass"] is True
    assert (attributes["label_file"], attributes["num_classes"]) == ("../data/label.txt", 3)
    assert (attributes["train_samples"], attributes["val_samples"]) == (12, 6)
    assert len(attributes["train_sample_paths"]) == 10 and len(attributes["val_sample_paths"]) == 6
    assert result["analysis"] == {"histogram": "check_dataset/histogram.png"}
    assert (result["dataset_path"], result["show_type"], result["dataset_type"]) == (str(lists), "image", "ClsDataset")
    shown = attributes["train_sample_paths"] + attributes["val_sample_paths"]
    assert len(set(shown)) == 16 and all(name.startswith("check_dataset/demo_img/") for name in shown)
    for name in [*shown, "check_dataset/histogram.png"]:
        with Image.open(output / name) as image:
            image.load()
    assert report.passed and len(report.findings) == 0
    assert "Check dataset passed !" in caplog.text
    assert {path: path.stat().st_mtime_ns for path in lists.rglob("*")} == before  # nothing written, nothing touched


OTHER_TASKS = {
    "YOLO": ("train/images/a.png", "train/labels/a.txt", "val/images/b.png", "val/labels/b.txt"),
    "pairs": ("train/images/a.png", "train/masks/a.png", "train/overlays/a.png", "val/images/b.png", "val/masks/b.png"),
    "short names": ("train/img/a.png", "train/label/a.png", "val/img/b.png", "val/label/b.png"),
    "one part": ("train/Annotations/a.png", "val/Annotations/b.png"),
}


@pytest.mark.parametrize("case", OTHER_TASKS)
def test_parts_of_another_tasks_dataset_are_no_classes(case, tmp_path):
    for name in OTHER_TASKS[case]:
        if name.endswith(".txt"):
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text("0 0.5 0.5 0.1 0.1\n")
        else:
            write_image(tmp_path / name, picture(0))
    with pytest.raises(DataError, match="is not a dataset for cls in a known layout; it holds train/, val/"):
        recognise(tmp_path, task="cls")


def test_a_class_may_be_called_like_a_part(tmp_path):
    for name in ("train/mask/a.png", "train/no_mask/b.png", "val/mask/c.png"):
        write_image(tmp_path / name, picture(0))
    assert recognise(tmp_path, task="cls").spec.name == "ImageFolder"
    assert open_dataset(tmp_path, "train", task="cls").classes == ("mask", "no_mask")


def test_the_samples_shown_are_always_the_same(lists):
    first, second = check(lists).result, check(lists).result
    assert first == second


BAD_LISTS = {
    "one field": ("train.txt", 3, "images/train_2.jpg", "list-line", "train.txt line 3"),
    "comma": ("train.txt", 3, "images/train_2.jpg,2", "list-line", "train.txt line 3"),
    "class name": ("val.txt", 2, "images/val_1.png dog", "class-not-integer", "val.txt line 2"),
    "class float": ("val.txt", 2, "images/val_1.png 1.0", "class-not-integer", "val.txt line 2"),
    "class too large": ("train.txt", 12, "images/train_11.png 3", "class-out-of-range", "train.txt line 12"),
    "class negative": ("train.txt", 1, "images/train_0.jpg -1", "class-out-of-range", "train.txt line 1"),
    "missing image": ("train.txt", 4, "images/train_33.png 0", "image-missing", "train.txt line 4"),
    "folder": ("train.txt", 4, "images 0", "image-missing", "train.txt line 4"),
    "absolute": ("train.txt", 4, "/etc/hostname 0", "path-outside-dataset", "train.txt line 4"),
    "drive": ("train.txt", 4, "C:\\a.jpg 0", "path-outside-dataset", "train.txt line 4"),
    "dots": ("train.txt", 4, "images/../../a.png 0", "path-outside-dataset", "train.txt line 4"),
    "two classes": ("train.txt", 4, "images/train_0.jpg 1", "two-classes", "train.txt line 4"),
    "label line": ("label.txt", 2, "1", "label-line", "label.txt line 2"),
    "label id": ("label.txt", 2, "one dog", "label-id-not-integer", "label.txt line 2"),
    "label id twice": ("label.txt", 2, "0 dog", "label-id-twice", "label.txt line 2"),
    "ids from one": ("label.txt", 1, "3 cat", "label-ids-start", "label.txt"),
    "ids with a gap": ("label.txt", 3, "7 mouse pad", "label-ids-gap", "label.txt"),
}


@pytest.mark.parametrize("case", BAD_LISTS)
def test_a_wrong_line_is_an_error(lists, case):
    name, line, text, code, place = BAD_LISTS[case]
    edit(lists, name, line, text)
    report = check(lists)
    assert not report.passed
    assert codes(report).get(code) == place, report.findings.table()
    assert all(finding.fix for finding in report.findings.errors)
    result = json.loads((lists.parent / "output" / "check_dataset_result.json").read_text())
    assert result["done_flag"] is False and result["err_type"] and code in result["err_msg"]


def damage_truncated(path: Path) -> None:
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])


@functools.cache
def bomb() -> bytes:
    stream = io.BytesIO()
    Image.new("1", (20_000, 20_000)).save(stream, "PNG")
    return stream.getvalue()


BAD_IMAGES = {
    "zero bytes": (lambda path: path.write_bytes(b""), "image-empty"),
    "web page": (lambda path: path.write_bytes(b"<html>not found</html>"), "image-not-an-image"),
    "text": (lambda path: path.write_bytes(b"hello, I am not an image"), "image-not-an-image"),
    "truncated": (damage_truncated, "image-truncated"),
    "20000 x 20000": (lambda path: path.write_bytes(bomb()), "image-too-large"),
    "gone": (lambda path: path.unlink(), "image-missing"),
}


@pytest.mark.parametrize("case", BAD_IMAGES)
@pytest.mark.parametrize(
    ("name", "place"), [("images/train_4.jpg", "train.txt line 5"), ("images/val_1.png", "val.txt line 2")]
)
def test_a_broken_image_is_an_error(lists, case, name, place):
    damage, code = BAD_IMAGES[case]
    damage(lists / name)
    report = check(lists)
    assert codes(report) == {code: place}, report.findings.table()
    assert report.findings.errors[0].value == name


def test_missing_label_file(lists):
    (lists / "label.txt").unlink()
    assert codes(check(lists)) == {"label-file-missing": "label.txt"}


@pytest.mark.parametrize("text", ["", "\n \n"])
def test_empty_list(lists, text):
    (lists / "val.txt").write_text(text)
    assert codes(check(lists)) == {"split-empty": "val.txt"}


def test_missing_list(lists):
    (lists / "val.txt").unlink()
    assert codes(check(lists)) == {"list-missing": "val.txt"}
    assert check(lists, settings=CheckSettings(splits=("train",))).passed


def test_one_class(lists):
    (lists / "label.txt").write_text("0 cat\n")
    for split in ("train", "val"):
        lines = (lists / f"{split}.txt").read_text().splitlines()
        (lists / f"{split}.txt").write_text("".join(f"{line.split()[0]} 0\n" for line in lines))
    assert codes(check(lists)) == {"one-class": "label.txt"}


def test_val_class_without_train_image(lists):
    lines = (lists / "train.txt").read_text().splitlines()
    (lists / "train.txt").write_text("".join(f"{line}\n" for line in lines if not line.endswith("2")))
    report = check(lists)
    assert codes(report) == {"class-not-in-train": "val.txt"}
    assert "mouse pad" in report.findings.errors[0].message


def test_warnings_do_not_fail_the_check(lists):
    shutil.copy(lists / "images/train_0.jpg", lists / "images/val_0.jpg")  # class 0 both: only the leak is wrong
    with (lists / "label.txt").open("a") as stream:
        stream.write("3 unicorn\n")
    with (lists / "train.txt").open("a") as stream:
        stream.write("images/train_3.png 0\n")
    report = check(lists)
    assert report.passed
    assert codes(report) == {
        "same-image-in-two-splits": "val.txt line 1",
        "class-unused": "label.txt",
        "line-twice": "train.txt line 13",
    }


def test_same_photo_with_two_classes(lists):
    shutil.copy(lists / "images/train_0.jpg", lists / "images/train_4.jpg")
    report = check(lists)
    assert report.passed and codes(report) == {"same-image-two-classes": "train.txt line 5"}


def test_hints_name_the_way_out(lists):
    edit(lists, "val.txt", 2, "images/val_1.png mouse")
    edit(lists, "train.txt", 2, "images/Train_1.png 1")
    edit(lists, "train.txt", 3, "images/train_2.jpg,2 dog")
    fixes = {finding.code: finding.fix for finding in check(lists).findings}
    assert "there is 'train_1.png'" in fixes["image-missing"]
    edit(lists, "val.txt", 2, "images/val_1.png dog")
    assert "write its id, 1" in [finding.fix for finding in check(lists).findings if finding.file == "val.txt"]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-8"])
@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_encodings_and_line_ends(lists, encoding, ends):
    for name in ("train.txt", "val.txt", "label.txt"):
        text = (lists / name).read_text().replace("mouse pad", "鼠标 垫 é")
        (lists / name).write_bytes(text.replace("\n", ends).encode(encoding))
    report = check(lists)
    assert report.passed and len(report.findings) == 0


def test_an_old_code_page_is_not_guessed(lists):
    (lists / "label.txt").write_bytes("0 chat\n1 chien\n2 élan\n".encode("latin-1"))
    report = check(lists)
    assert codes(report) == {"label-file-unreadable": "label.txt"}
    assert "save it as UTF-8" in report.findings.table()


@pytest.mark.parametrize("name", ["with blank.png", "üñí ç.png", "图像 一.png", "😀.png", "two  blanks.png"])
def test_any_path_in_a_list(lists, name):
    shutil.move(lists / "images/train_1.png", lists / "images" / name)
    edit(lists, "train.txt", 2, f"images/{name} 1")
    assert check(lists).passed


def test_exif_rotated_images_are_fine(lists):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(picture(1)[:12]).save(lists / "images/train_0.jpg", exif=exif)
    assert check(lists).passed


def test_folders_pass_and_classes_are_sorted_names(folders):
    report = check(folders)
    assert report.passed and report.result["attributes"]["num_classes"] == 3
    assert report.result["attributes"]["label_file"] is None
    assert (report.result["attributes"]["train_samples"], report.result["attributes"]["val_samples"]) == (12, 6)


def test_folder_class_without_train(folders):
    write_image(folders / "val" / "bird" / "0.png", picture(77))
    assert codes(check(folders)) == {"class-not-in-train": "val/bird"}


def test_folder_defects(folders):
    shutil.rmtree(folders / "val")
    assert codes(check(folders)) == {"split-missing": "val"}
    damage_truncated(folders / "train" / "dog" / "1.png")
    (folders / "train" / "empty").mkdir()
    found = codes(check(folders))
    assert found["image-truncated"] == "train/dog/1.png" and found["class-empty"] == "train/empty"


def test_unsplit_folders_say_how_to_split(folders):
    report = check(folders / "train")
    assert codes(report)["not-split"] == "."
    assert "pdx split" in report.findings.errors[0].fix


def test_a_dataset_one_level_down_is_found(lists, tmp_path):
    outer = tmp_path / "outer"
    outer.mkdir()
    shutil.move(lists, outer / "flowers")
    report = check_dataset(outer, tmp_path / "output")
    assert report.passed and report.result["dataset_path"] == str(outer)
    shutil.copytree(outer / "flowers", outer / "flowers2")
    with pytest.raises(DataError, match="holds 2 datasets"):
        check_dataset(outer, tmp_path / "output")


@pytest.mark.parametrize("kind", ["missing", "file", "empty", "other"])
def test_wrong_folders(tmp_path, kind):
    folder = tmp_path / "folder"
    if kind == "file":
        folder.write_text("x")
    elif kind != "missing":
        folder.mkdir()
    if kind == "other":
        (folder / "notes.md").write_text("x")
    words = {
        "missing": "no such folder",
        "file": "is a file",
        "empty": "it holds nothing",
        "other": r"it holds notes\.md",
    }
    with pytest.raises(DataError, match=words[kind]):
        check_dataset(folder, tmp_path / "output")
    result = json.loads((tmp_path / "output" / "check_dataset_result.json").read_text())
    assert result["done_flag"] is False and result["err_msg"]


def test_findings_are_limited_per_code_but_counted(lists):
    lines = "".join(f"images/none_{index}.png 0\n" for index in range(250))
    (lists / "train.txt").write_text((lists / "train.txt").read_text() + lines)
    report = check(lists)
    saved = json.loads((lists.parent / "output" / "findings.json").read_text())
    assert saved["counts"] == {"image-missing": 250} and len(saved["findings"]) == 100
    assert "and 245 more like this" in report.findings.table()


def test_command_line(lists, capsys):
    output = lists.parent / "output"
    with pytest.raises(SystemExit) as left:
        main.main(["check", str(lists), "--output", str(output)])
    assert not left.value.code
    assert "3 classes, samples: 12 train, 6 val" in capsys.readouterr().out
    edit(lists, "train.txt", 3, "images/train_2.jpg")
    with pytest.raises(SystemExit) as left:
        main.main(["check", str(lists), "--output", str(output), "--json"])
    assert left.value.code == 2
    printed = json.loads(capsys.readouterr().out)
    assert printed["findings"][0]["code"] == "list-line"
    assert printed["findings"][0]["location"] == "line 3"
