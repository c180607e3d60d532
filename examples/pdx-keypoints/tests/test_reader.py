"""The reader says which line is wrong, and so do `pdx check` and `pdx split`."""

import numpy as np
import pytest

from pdx_core.data.check import CheckSettings, check_dataset
from pdx_core.data.findings import Findings
from pdx_core.data.reading import open_dataset, recognise
from pdx_core.data.split import split_dataset
from pdx_core.errors import DataError
from pdx_core.images import write_image
from pdx_keypoints.checker import PointsChecker
from pdx_keypoints.reader import scan

HEADER = "image,tip_x,tip_y,end_x,end_y\n"


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "data"
    for index, name in enumerate(("a", "b", "c", "d")):
        write_image(folder / "images" / f"{name}.png", np.full((20, 30, 3), 40 * index, np.uint8))
    (folder / "train_points.csv").write_text(HEADER + "images/a.png,1.5,2,,\nimages/b.png,3,4,5,6\n")
    (folder / "val_points.csv").write_text(HEADER + '"images/c.png", 3, 4, 5, 6\n\nimages\\d.png,30,20,0,0\n')
    return folder


def codes(folder, splits=("train", "val")):
    findings = Findings()
    PointsChecker(folder, CheckSettings(splits)).check(findings)
    return [finding.code for finding in findings], "\n".join(map(str, findings))


def test_points_names_and_places_are_read(folder):
    reader = open_dataset(folder, "train", task="keypoints")
    assert reader.classes == ("tip", "end") and len(reader) == 2
    sample = reader[0]
    np.testing.assert_array_equal(sample.extra["points"].xy, np.array([[1.5, 2], [np.nan] * 2], np.float32))
    assert sample.size == (20, 30) and sample.id == "images/a.png" and reader.describe(1).endswith("b.png")
    assert open_dataset(folder, "val", task="keypoints")[1].id == "images/d.png"
    assert recognise(folder).spec.name == "PointsDataset"  # of all installed readers


def test_a_good_dataset_passes_and_is_drawn(folder, tmp_path):
    report = check_dataset(folder, tmp_path / "out", task="keypoints")
    assert report.passed and report.result["attributes"]["train_samples"] == 2
    assert (tmp_path / "out" / report.result["attributes"]["val_sample_paths"][0]).is_file()


@pytest.mark.parametrize(
    ("text", "code", "place"),
    [
        ("", "header", "line 1"),
        ("images/a.png,1,2,3,4\n", "header", "line 1"),
        ("image;tip_x;tip_y\nimages/a.png;1;2\n", "header", "line 1"),
        ("image,tip_y,tip_x\nimages/a.png,1,2\n", "header", "line 1"),
        ("image,tip_x,tip_y,tip_x,tip_y\nimages/a.png,1,2,1,2\n", "header", "line 1"),
        ("image,tip_x,tip_y\nimages/a.png,1,2\n", "other-points", "line 1"),
        (HEADER, "split-empty", ""),
        (HEADER + "images/a.png,1,2\n", "row-length", "line 2"),
        (HEADER + "images/a.png,1,2,3,x\n", "coordinate", "line 2"),
        (HEADER + "images/a.png,1,2,3,\n", "coordinate", "line 2"),
        (HEADER + "images/a.png,1,2,3,inf\n", "coordinate", "line 2"),
        (HEADER + "images/a.png,1,2,3,nan\n", "coordinate", "line 2"),
        (HEADER + "../a.png,1,2,3,4\n", "path-outside-dataset", "line 2"),
        (HEADER + ",1,2,3,4\n", "path-outside-dataset", "line 2"),
        (HEADER + "images/a.png,1,2,3,4\nimages/a.png,1,2,3,4\n", "image-listed-twice", "line 3"),
        (HEADER + "images/e.png,1,2,3,4\n", "image-missing", "line 2"),
        (HEADER + "images/a.png,1,2,31,4\n", "point-outside-image", "line 2"),
        (HEADER + "images/a.png,1,2,3,-4\n", "point-outside-image", "line 2"),
        (HEADER + "images/a.png,1,2,,\n", "point-never-known", ""),
        (HEADER + "images/a.png,1,2,3,4\nimages/b.png,,,,\n", "no-points", "line 3"),
        (HEADER + "images/c.png,1,2,3,4\n", "same-image-in-two-splits", "line 2"),
    ],
)
def test_every_mistake_is_named(folder, text, code, place):
    (folder / "train_points.csv").write_text(text)
    found, shown = codes(folder)
    assert code in found, shown
    assert place in shown


def test_files_that_are_missing_or_no_text_are_named(folder):
    (folder / "train_points.csv").write_bytes(b"\xff\xd8\xff\xe0 a photo")
    assert "list-unreadable" in codes(folder)[0]
    (folder / "train_points.csv").write_text(HEADER + "x" * 200_000)  # more than Python's csv module takes
    assert "list-unreadable" in codes(folder)[0]
    (folder / "val_points.csv").unlink()
    with pytest.raises(DataError, match=r"val_points\.csv"):
        open_dataset(folder, "val", task="keypoints")


def test_the_reader_refuses_what_the_checker_finds(folder):
    (folder / "train_points.csv").write_text(HEADER + "images/a.png,1,2,3,x\n")
    with pytest.raises(DataError, match=r"train_points\.csv, line 2.*pixels such as"):
        open_dataset(folder, "train", task="keypoints")


def test_splitting_keeps_every_point(folder, tmp_path):
    report = split_dataset(recognise(folder), tmp_path / "new", 75, 25)
    assert report.counts == {"train": 3, "val": 1}
    findings = Findings()
    listing = scan(tmp_path / "new", findings, ("train", "val"))
    assert not len(findings) and listing.names == ("tip", "end")
    rows = {row.image: row.xy for part in listing.rows.values() for row in part}
    np.testing.assert_array_equal(rows["images/a.png"], np.array([[1.5, 2], [np.nan] * 2], np.float32))
    assert codes(tmp_path / "new")[0] == ["point-never-known"] or codes(tmp_path / "new")[0] == []
    with pytest.raises(Exception, match="already holds a dataset"):
        split_dataset(recognise(folder), tmp_path / "new", 75, 25)
    split_dataset(recognise(folder), None, 50, 50)
    assert (folder / "train_points.csv.bak").is_file() and len(open_dataset(folder, "val", task="keypoints")) == 2
