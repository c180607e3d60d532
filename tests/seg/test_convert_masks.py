"""`pdx split` and `pdx convert` on segmentation data: nothing of the labels is lost on the way."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from mask_datasets import CLASSES, label_map, shape, write_folders, write_labelme, write_lists
from PIL import Image

from pdx_core.cli import main
from pdx_core.data.check import check_dataset
from pdx_core.data.convert import convert_dataset
from pdx_core.data.reading import open_dataset, recognise
from pdx_core.data.split import split_dataset
from pdx_core.images import write_image
from pdx_core.plugins import get_registry


def run(*arguments: str) -> None:
    with pytest.raises(SystemExit) as left:
        main(list(arguments))
    assert left.value.code == 0


def contents(root: Path) -> dict[bytes, bytes]:
    """Label maps of both splits by image."""
    readers = [open_dataset(root, split, task="seg") for split in ("train", "val")]
    return {sample.image.tobytes(): sample.label_map.tobytes() for reader in readers for sample in reader}


def convert(source: Path, name: str, destination: Path, task: str = "seg", **options: str) -> Path:
    target = get_registry().find("dataset_readers", name, task=task)
    convert_dataset(recognise(source, task=task, options=options), target, destination)
    return destination


def test_round_trips_keep_images_labels_and_names(tmp_path):
    root = write_lists(tmp_path / "lists")
    before = contents(root)
    assert len(before) == 6
    for number, name in enumerate(("MaskFolders", "VOC", "SegDataset")):
        root = convert(root, name, tmp_path / f"{number}")
        assert contents(root) == before
        assert open_dataset(root, "val", task="seg").classes == CLASSES
        report = check_dataset(root, tmp_path / "output", task="seg")
        assert report.passed and not len(report.findings), report.findings.table()


def test_labelme_becomes_what_paddlex_writes(tmp_path):
    shapes = {"train_1": [shape("__ignore__", [[1, 1], [9, 1], [9, 9]]), shape("boat", [[10, 3], [14, 3], [14, 8]])]}
    root = write_labelme(tmp_path / "labelme", shapes)
    before = contents(root)
    run("convert", str(root), str(tmp_path / "new"), "--to", "SegDataset")
    made = tmp_path / "new"
    assert sorted(path.name for path in made.iterdir()) == [
        "annotations", "class_name.txt", "class_name_to_id.txt", "images", "train.txt", "val.txt",
    ]  # fmt: skip
    assert (made / "train.txt").read_text().splitlines()[0] == "images/train_0.png annotations/train_0.png"
    assert (made / "class_name.txt").read_text().split() == ["tree", "car", "boat"]
    assert (made / "class_name_to_id.txt").read_text().splitlines() == [
        "255: __ignore__", "0: _background_", "1: tree", "2: car", "3: boat",
    ]  # fmt: skip
    assert contents(made) == before
    with Image.open(made / "annotations" / "train_1.png") as image:
        assert image.mode == "P" and set(np.asarray(image).ravel().tolist()) == {0, 3, 255}
        assert image.getpalette()[3:6] == [0, 128, 0]


def test_a_dataset_without_val_gets_one(tmp_path):
    root = write_folders(tmp_path / "data", "images", "masks")
    made = convert(root, "SegDataset", tmp_path / "new")
    assert [len(open_dataset(made, split, task="seg")) for split in ("train", "val")] == [5, 1]


def test_images_of_one_name_do_not_overwrite_each_other(tmp_path):
    root = write_folders(tmp_path / "data", "{}/images", "{}/masks")
    for kind in ("images", "masks"):
        (root / "val" / kind / "val_0.png").rename(root / "val" / kind / "train_0.png")
    assert len(contents(convert(root, "SegDataset", tmp_path / "new"))) == 6


def test_options_travel_into_the_converted_masks(tmp_path):
    root = write_lists(tmp_path / "data")
    made = convert(root, "SegDataset".replace("Seg", "VOCSeg"), tmp_path / "new", remap="{2: 1, 255: 0}", ignore="null")
    reader = open_dataset(made, "train", task="seg")
    np.testing.assert_array_equal(reader[0].label_map, np.array([0, 1, 1, *[0] * 253], np.uint8)[label_map(0)])


@pytest.mark.parametrize("make", [write_lists, write_folders, write_labelme])
def test_split_refers_to_the_old_files(tmp_path, make):
    root = make(tmp_path / "data")
    before, stamps = contents(root), {path: path.stat().st_mtime_ns for path in root.rglob("*")}
    classes = open_dataset(root, "train", task="seg").classes
    report = split_dataset(recognise(root, task="seg"), tmp_path / "new", 50, 50, seed=1)
    assert report.counts == {"train": 3, "val": 3}
    assert contents(tmp_path / "new") == before
    assert open_dataset(tmp_path / "new", "val", task="seg").classes == classes
    assert {path: path.stat().st_mtime_ns for path in root.rglob("*")} == stamps
    assert check_dataset(tmp_path / "new", tmp_path / "output", task="seg").passed


def test_split_keeps_how_masks_are_read(tmp_path):
    root = write_lists(tmp_path / "data")
    for path in (root / "annotations").iterdir():
        with Image.open(path) as image:
            values = np.asarray(image)
        write_image(path, np.where(values == 1, 255, 0).astype(np.uint8))
    (root / "labels.txt").write_text("ground\ntree\n", encoding="utf-8")
    new = tmp_path / "new"
    run("split", str(root), "--train", "67", "--val", "33", "--task", "seg", "--out", str(new), "--remap", "{255: 1}")
    assert set(open_dataset(new, "train", task="seg")[0].label_map.ravel().tolist()) == {0, 1}


def test_split_in_place_keeps_the_old_lists(tmp_path):
    root = write_lists(tmp_path / "data")
    before = contents(root)
    run("split", str(root), "--train", "50", "--task", "seg", "--in-place", "--seed", "3")
    assert (root / "train.txt.bak").is_file() and not (root / "masks.json").exists()
    assert contents(root) == before and len(open_dataset(root, "val", task="seg")) == 3


def test_split_of_folders_and_voc_in_place(tmp_path):
    folders = write_folders(tmp_path / "folders", "images", "masks")
    split_dataset(recognise(folders, task="seg"), None, 50, 50)
    assert recognise(folders, task="seg").spec.name == "SegDataset" and len(contents(folders)) == 6
    voc = convert(folders, "VOC", tmp_path / "voc")
    before = (voc / "ImageSets" / "Segmentation" / "train.txt").read_text().split()
    split_dataset(recognise(voc, task="seg"), None, 34, 66)
    after = (voc / "ImageSets" / "Segmentation" / "train.txt").read_text().split()
    assert (len(before), len(after)) == (3, 2) and len(contents(voc)) == 6


def test_paddlex_style_convert_and_split_of_a_run(tmp_path):
    """CheckDataset.convert and .split of a configuration; skipped where no seg model is offered to configure."""
    models = [spec.name for spec in get_registry().specs("models") if spec.task == "seg"]
    if not models:
        pytest.skip("no seg model")
    root = write_labelme(tmp_path / "data")
    run(
        "run", "-c", f"{models[0]}.yaml", "-o", "Global.mode=check_dataset", "-o", f"Global.dataset_dir={root}",
        "-o", f"Global.output={tmp_path / 'output'}", "-o", "CheckDataset.convert.enable=True",
        "-o", "CheckDataset.convert.src_dataset_type=LabelMe", "-o", "CheckDataset.split.enable=True",
        "-o", "CheckDataset.split.train_percent=50", "-o", "CheckDataset.split.val_percent=50",
    )  # fmt: skip
    assert (tmp_path / "output" / "dataset" / "train.txt.bak").is_file()
    assert len(open_dataset(tmp_path / "output" / "dataset", "val", task="seg")) == 3
