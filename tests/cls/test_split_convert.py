"""Splitting and converting classification datasets, and reading what comes out."""

from __future__ import annotations

import itertools
import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from pdx_core.cli import main
from pdx_core.data.convert import convert_dataset
from pdx_core.data.reading import open_dataset, open_splits, recognise
from pdx_core.data.split import divide_by_class, set_aside, split_dataset
from pdx_core.errors import ConfigError, DataError
from pdx_core.images import write_image
from pdx_core.plugins import get_registry
from pdx_core.settings import Component

CLASSES = ("ant", "bee", "big cat")


@pytest.fixture
def lists(tmp_path) -> Path:
    """30 train and 10 val images; the grey level of image i is i."""
    root = tmp_path / "data"
    for split, start, end in (("train", 0, 30), ("val", 30, 40)):
        lines = []
        for index in range(start, end):
            write_image(root / f"images/{index}.png", np.full((8, 9, 3), index, np.uint8))
            lines.append(f"images/{index}.png {index % 3}\n")
        (root / f"{split}.txt").write_text("".join(lines))
    (root / "label.txt").write_text("".join(f"{index} {name}\n" for index, name in enumerate(CLASSES)))
    return root


def contents(folder: Path) -> dict[str, list[tuple[int, str]]]:
    """split -> (grey level, class name) of every image, in ascending order."""
    found = {}
    for split in ("train", "val"):
        reader = open_dataset(folder, split)
        samples = [reader[index] for index in range(len(reader))]
        found[split] = sorted((int(sample.image[0, 0, 0]), reader.classes[sample.label]) for sample in samples)
    return found


def snapshot(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()
    }


def test_split_keeps_the_user_folder_and_reads_its_images(lists, tmp_path):
    before = snapshot(lists)
    report = split_dataset(recognise(lists), tmp_path / "out", 90, 10, seed=4)
    assert report.counts == {"train": 36, "val": 4}
    assert snapshot(lists) == before
    after = contents(tmp_path / "out")
    assert sorted(after["train"] + after["val"]) == [(index, CLASSES[index % 3]) for index in range(40)]
    again = split_dataset(recognise(lists), tmp_path / "again", 90, 10, seed=4)
    assert contents(again.folder) == after
    assert contents(split_dataset(recognise(lists), tmp_path / "third", 90, 10, seed=5).folder) != after


def test_split_of_a_split(lists, tmp_path):
    split_dataset(recognise(lists), tmp_path / "one", 90, 10)
    report = split_dataset(recognise(tmp_path / "one"), tmp_path / "two", 50, 50)
    assert report.counts == {"train": 20, "val": 20}
    assert sum(len(part) for part in contents(tmp_path / "two").values()) == 40


def test_split_in_place_keeps_every_older_list(lists):
    first = (lists / "train.txt").read_text()
    split_dataset(recognise(lists), None, 80, 20)
    second = (lists / "train.txt").read_text()
    assert (lists / "train.txt.bak").read_text() == first != second
    split_dataset(recognise(lists), None, 50, 50)
    assert (lists / "train.txt.bak").read_text() == first
    assert (lists / "train.txt.bak2").read_text() == second
    assert not (lists / "image_root.txt").exists()
    assert len(contents(lists)["val"]) == 20


def test_class_folders_can_be_split(lists, tmp_path):
    convert_dataset(recognise(lists), get_registry().find("dataset_readers", "ImageFolder"), tmp_path / "folders")
    unsplit = tmp_path / "folders" / "train"
    with pytest.raises(DataError, match="pdx split"):
        open_dataset(unsplit, "train")
    report = split_dataset(recognise(unsplit), tmp_path / "out", 80, None)
    assert report.counts == {"train": 24, "val": 6}
    assert sorted(itertools.chain(*contents(report.folder).values())) == [
        (index, CLASSES[index % 3]) for index in range(30)
    ]


@pytest.mark.parametrize(("train", "val"), [(90, 20), (100, 0), (None, None), (50, 40)])
def test_percentages_must_add_up(lists, tmp_path, train, val):
    with pytest.raises(ConfigError, match="percent"):
        split_dataset(recognise(lists), tmp_path / "out", train, val)
    assert not (tmp_path / "out").exists()


def test_split_refuses_the_dataset_as_output_and_bad_lists(lists, tmp_path):
    with pytest.raises(ConfigError, match="--in-place"):
        split_dataset(recognise(lists), lists, 90, 10)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "train.txt").write_text("precious.jpg 0\n")
    with pytest.raises(ConfigError, match="already holds a dataset"):
        split_dataset(recognise(lists), tmp_path / "other", 90, 10)
    assert (tmp_path / "other" / "train.txt").read_text() == "precious.jpg 0\n"
    with (lists / "val.txt").open("a") as stream:
        stream.write("images/3.png\n")
    with pytest.raises(DataError, match=r"val\.txt, line 11"):
        split_dataset(recognise(lists), tmp_path / "out", 90, 10)


def test_division_is_even_over_classes():
    classes = [0] * 50 + [1] * 30 + [2] * 20 + [3]
    train, val = divide_by_class(range(101), classes, 90, seed=0)
    assert (len(train), len(val)) == (91, 10)  # round(101 * 0.9)
    assert Counter(classes[index] for index in train) == {0: 45, 1: 27, 2: 18, 3: 1}
    assert sorted(train + val) == list(range(101))
    with pytest.raises(DataError, match="one image only"):
        divide_by_class([0, 1], [0, 1], 50, seed=0)


def test_set_aside_of_nothing(tmp_path):
    assert set_aside(tmp_path / "none.txt") is None


def test_there_and_back_again(lists, tmp_path):
    registry = get_registry()
    wanted = contents(lists)
    folders = convert_dataset(recognise(lists), registry.find("dataset_readers", "ImageFolder"), tmp_path / "folders")
    assert folders == {"train": 30, "val": 10}
    assert recognise(tmp_path / "folders").spec.name == "ImageFolder"
    assert contents(tmp_path / "folders") == wanted
    convert_dataset(recognise(tmp_path / "folders"), registry.find("dataset_readers", "ClsDataset"), tmp_path / "lists")
    assert recognise(tmp_path / "lists").spec.name == "ClsDataset"
    assert contents(tmp_path / "lists") == wanted
    assert open_dataset(tmp_path / "lists", "train").classes == CLASSES


def test_converting_in_vain(lists, tmp_path):
    registry = get_registry()
    with pytest.raises(ConfigError, match="already is a ClsDataset"):
        convert_dataset(recognise(lists), registry.find("dataset_readers", "ClsDataset"), tmp_path / "x")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "a").touch()
    with pytest.raises(ConfigError, match="not empty"):
        convert_dataset(recognise(lists), registry.find("dataset_readers", "ImageFolder"), tmp_path / "full")


def test_lists_win_over_folders_unless_told(lists, tmp_path, caplog):
    caplog.set_level("INFO")
    convert_dataset(recognise(lists), get_registry().find("dataset_readers", "ImageFolder"), tmp_path / "both")
    both = tmp_path / "both"
    (both / "train.txt").write_text("train/ant/0.png 1\n")
    assert recognise(both).spec.name == "ClsDataset"
    assert "it would fit ImageFolder too" in caplog.text
    assert len(open_dataset(both, "train")) == 1
    caplog.clear()
    train, val = open_splits(both, ("train", "val"), Component(name="ImageFolder"))
    assert (len(train), len(val)) == (30, 10)
    (both / "val.txt").write_text("val/ant/0.png 1\n")
    assert [len(reader) for reader in open_splits(both, ("train", "val"))] == [1, 1]
    assert caplog.text.count("it would fit") == 1  # said once, not for each split
    assert len(open_dataset(both, "train", reader=Component(name="ImageFolder"))) == 30


def test_reader_names_the_wrong_lines(lists):
    (lists / "train.txt").write_text("images/0.png 0\nimages/1.png\nimages/2.png x\nimages/3.png 9\n")
    with pytest.raises(DataError) as caught:
        open_dataset(lists, "train")
    for words in ("train.txt, line 2", "train.txt, line 3", "train.txt, line 4", "0..2"):
        assert words in str(caught.value)
    assert len(open_dataset(lists, "val")) == 10  # the other list is not its business


def test_imagenet_names_lose_their_synset(lists):
    (lists / "label.txt").rename(lists / "my_classes.txt")
    (lists / "my_classes.txt").write_text("0 n01440764 tench\n1 n01443537 goldfish\n2 n01484850 great white shark\n")
    assert open_dataset(lists, "val").classes == ("tench", "goldfish", "great white shark")


def test_one_name_per_line(lists):
    (lists / "label.txt").unlink()
    (lists / "labels.txt").write_text("ant\n7 up\nbig cat\n")
    assert open_dataset(lists, "val").classes == ("ant", "7 up", "big cat")


def test_a_missing_image_is_named_when_it_is_read(lists):
    (lists / "images" / "30.png").unlink()
    reader = open_dataset(lists, "val")
    assert reader.describe(0).endswith("30.png")
    with pytest.raises(DataError, match=r"30\.png: no such file"):
        reader[0]


def test_command_lines(lists, tmp_path, capsys):
    with pytest.raises(SystemExit) as left:
        main.main(["split", str(lists), "--train", "75", "--output", str(tmp_path / "out"), "--json"])
    assert not left.value.code
    assert json.loads(capsys.readouterr().out)["val"] == 10
    with pytest.raises(SystemExit) as left:
        main.main(["convert", str(lists), str(tmp_path / "folders"), "--to", "image_folder"])
    assert left.value.code == 2 and "Did you mean 'ImageFolder'" in capsys.readouterr().err
    with pytest.raises(SystemExit) as left:
        main.main(["convert", str(lists), str(tmp_path / "folders"), "--to", "imagefolder"])
    assert not left.value.code and "30 train, 10 val" in capsys.readouterr().out


def run_mode(root: Path, output: Path, *overrides: str) -> int:
    words = ["Global.mode=check_dataset", f"Global.dataset_dir={root}", f"Global.output={output}", *overrides]
    with pytest.raises(SystemExit) as left:
        main.main(["run", "-c", "PP-LCNet_x1_0.yaml", *(part for word in words for part in ("-o", word))])
    return left.value.code or 0


def test_the_walk_through_of_paddlex_users(lists, tmp_path, capsys):
    output = tmp_path / "run"
    assert run_mode(lists, output) == 0
    assert "Check dataset passed !" in capsys.readouterr().err
    before = snapshot(lists)
    split = (
        "CheckDataset.split.enable=True",
        "CheckDataset.split.train_percent=90",
        "CheckDataset.split.val_percent=10",
    )
    assert run_mode(lists, output, *split) == 0
    told = capsys.readouterr().err
    assert f"Global.dataset_dir={output / 'dataset'}" in told
    assert snapshot(lists) == before
    result = json.loads((output / "check_dataset_result.json").read_text())
    assert (result["attributes"]["train_samples"], result["attributes"]["val_samples"]) == (36, 4)
    assert result["attributes"]["label_file"] == "dataset/label.txt"
    assert len(open_dataset(output / "dataset", "train")) == 36
    assert len(open_dataset(lists, "train")) == 30  # the original stays usable as it was
    assert run_mode(lists, output, *split) == 0  # and again over the old split
    assert run_mode(lists / "images", output) == 2
