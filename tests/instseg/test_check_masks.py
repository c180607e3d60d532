"""`pdx check` on masks: the published result, and a finding with file and place for every defect."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from instance_datasets import HEIGHT, WIDTH, ring, write_coco, write_ids, write_labelme, write_mask, write_stems
from PIL import Image

from pdx_core.cli import main
from pdx_core.data.check import CheckReport, check_dataset
from pdx_core.images import write_image
from pdx_instseg.run_lengths import RunLengths

TRAIN = "annotations/instance_train.json"


def check(root: Path) -> CheckReport:
    return check_dataset(root, root.parent / "output", task="instseg")


def edit(root: Path, change: Callable[[dict], Any], name: str = TRAIN) -> None:
    path = root / name
    content = json.loads(path.read_text(encoding="utf-8"))
    change(content)
    path.write_text(json.dumps(content), encoding="utf-8")


def find(report: CheckReport, code: str):
    found = [finding for finding in report.findings if finding.code == code]
    assert found, f"no {code} among: {report.findings.table()}"
    return found[0]


@pytest.fixture
def coco(tmp_path: Path) -> Path:
    return write_coco(tmp_path / "data")


def test_a_good_dataset_gives_the_published_result(coco):
    before = {path: path.stat().st_mtime_ns for path in coco.rglob("*")}
    report = check(coco)
    assert report.passed and not len(report.findings), report.findings.table()
    attributes = report.result["attributes"]
    assert list(attributes) == [
        "num_classes", "train_samples", "train_sample_paths", "val_samples", "val_sample_paths",
    ]  # fmt: skip
    assert (attributes["num_classes"], attributes["train_samples"], attributes["val_samples"]) == (2, 3, 2)
    assert report.result["dataset_type"] == "COCOInstSegDataset"
    for name in [*attributes["train_sample_paths"], "check_dataset/histogram.png", "check_dataset/mask_sizes.png"]:
        with Image.open(coco.parent / "output" / name) as image:
            image.load()
    drawn = np.asarray(Image.open(coco.parent / "output" / attributes["train_sample_paths"][0]).convert("RGB"))
    plain = np.asarray(Image.open(coco / "images" / Path(attributes["train_sample_paths"][0]).name))
    assert (drawn != plain)[19:21, 20:22].any()
    assert {path: path.stat().st_mtime_ns for path in coco.rglob("*")} == before


def _segmentation(value: Any, at: int = 0) -> Callable[[dict], None]:
    def change(content: dict) -> None:
        content["annotations"][at]["segmentation"] = value

    return change


def _changed(at: int, **values: Any) -> Callable[[dict], None]:
    return lambda content: content["annotations"][at].update(values)


def _runs(bitmap: np.ndarray) -> dict[str, Any]:
    return RunLengths.of_bitmap(bitmap).json


BOX = [4, 3, 16, 3, 16, 15, 4, 15]
BAD: dict[str, tuple[str, Callable[[dict], Any]]] = {
    "no segmentation": ("segmentation-missing", lambda c: c["annotations"][0].pop("segmentation")),
    "an empty one": ("segmentation-missing", _segmentation([])),
    "a crowd without": ("segmentation-missing", _segmentation(None, 3)),
    "text": ("segmentation-type", _segmentation("polygon")),
    "a number": ("segmentation-type", _segmentation(3)),
    "two points": ("polygon-too-short", _segmentation([[4, 3, 16, 3]])),
    "no points": ("polygon-too-short", _segmentation([[]])),
    "an odd number": ("polygon-odd-count", _segmentation([BOX[:7]])),
    "words": ("polygon-not-a-number", _segmentation([["4", 3, 16, 3, 16, 15]])),
    "nothing": ("polygon-not-a-number", _segmentation([[4, None, 16, 3, 16, 15]])),
    "nested": ("polygon-not-a-number", _segmentation([[[4, 3], [16, 3], [16, 15]]])),
    "ragged": ("polygon-not-a-number", _segmentation([[4, [3], 16, 3, 16, 15]])),
    "NaN": ("polygon-not-finite", _segmentation([[4, math.nan, 16, 3, 16, 15]])),
    "infinity": ("polygon-not-finite", _segmentation([[4, math.inf, 16, 3, 16, 15]])),
    "a line": ("polygon-empty", _segmentation([[4, 3, 16, 3, 10, 3]])),
    "a sliver": ("polygon-empty", _segmentation([[4.1, 3, 4.2, 3, 4.2, 9, 4.1, 9]])),
    "shares": ("polygon-normalised", _segmentation([[0.1, 0.1, 0.4, 0.1, 0.4, 0.5]])),
    "elsewhere": ("polygon-outside", _segmentation([[104, 3, 116, 3, 116, 15]])),
    "far away": ("polygon-outside", _segmentation([[4, 3, 1e9, 3, 16, 15]])),
    "another object's": ("mask-outside-box", _segmentation([[30, 20, 38, 20, 38, 28]])),
    "run lengths of another size": ("mask-size-differs", _segmentation(_runs(np.pad(ring(), 2)), 2)),
    "run lengths cut off": ("run-lengths-malformed", _segmentation({"size": [HEIGHT, WIDTH], "counts": "3"}, 2)),
    "run lengths without counts": ("run-lengths-malformed", _segmentation({"size": [HEIGHT, WIDTH]}, 2)),
    "run lengths below zero": ("run-lengths-malformed", _segmentation({"size": [1, 3], "counts": [4, -1]}, 2)),
    "an impossible size": (
        "run-lengths-malformed",
        _segmentation({"size": [10**9, 10**9], "counts": [0, 10**18]}, 2),
    ),
    "an impossible run": (
        "run-lengths-malformed",
        _segmentation({"size": [HEIGHT, WIDTH], "counts": [2**62, 2**62, 2**62, 2**62, HEIGHT * WIDTH]}, 2),
    ),
    "an empty mask": ("mask-empty", _segmentation(_runs(np.zeros((HEIGHT, WIDTH), bool)), 2)),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_masks_are_errors_with_file_and_place(coco, name):
    code, change = BAD[name]
    edit(coco, change)
    report = check(coco)
    assert not report.passed
    finding = find(report, code)
    assert finding.severity == "error" and finding.file == TRAIN and finding.fix
    assert finding.location.startswith("annotations[") and finding.field in ("segmentation", "bbox")


DOUBTFUL: dict[str, tuple[str, Callable[[dict], Any]]] = {
    "one polygon, not nested": ("segmentation-not-nested", _segmentation(BOX)),
    "a part that encloses nothing": ("polygon-empty", _segmentation([BOX, [4, 3, 16, 3, 10, 3]])),
    "a part of two points": ("polygon-too-short", _segmentation([BOX, [4, 3, 16, 3]])),
    "beyond the border": (
        "polygon-partly-outside",
        _changed(0, segmentation=[[4, -3, 16, -3, 16, 15, 4, 15]], bbox=[4, 0, 12, 15]),
    ),
    "a crowd of polygons": ("crowd-without-run-lengths", _changed(0, iscrowd=1)),
    "another box": ("mask-box-differ", _changed(0, bbox=[0, 0, 20, 20])),
    "another area": ("area-differs", _changed(0, area=140)),
}


@pytest.mark.parametrize("name", DOUBTFUL)
def test_doubtful_masks_are_warnings(coco, name):
    code, change = DOUBTFUL[name]
    edit(coco, change)
    report = check(coco)
    assert report.passed, report.findings.table()
    finding = find(report, code)
    assert finding.severity == "warning" and finding.file == TRAIN and finding.location == "annotations[0]"


def test_run_lengths_are_compared_with_the_file_where_the_size_is_not_annotated(coco):
    def change(content: dict) -> None:
        for image in content["images"]:
            del image["width"]
        content["annotations"][2]["segmentation"] = _runs(np.pad(ring(), 2))

    edit(coco, change)
    finding = find(check(coco), "mask-size-differs")
    assert (finding.file, finding.location) == (TRAIN, "annotations[2]")


def test_many_mutations_never_end_in_a_traceback(coco):
    rng = np.random.default_rng(5)
    junk = [None, [], {}, "x", -1, 0, 1e300, math.nan, True, [[]], [[1]], {"size": []}, {"size": [1, 1], "counts": []}]
    good = json.loads((coco / TRAIN).read_text())
    for _ in range(60):
        content = json.loads(json.dumps(good))
        for _ in range(rng.integers(1, 4)):
            annotation = content["annotations"][rng.integers(len(content["annotations"]))]
            key = str(rng.choice(["segmentation", "bbox", "iscrowd", "area", "image_id", "category_id", "id"]))
            annotation[key] = junk[rng.integers(len(junk))]
        (coco / TRAIN).write_text(json.dumps(content))
        check_dataset(coco, coco.parent / "output", task="instseg")


# -- other layouts ---------------------------------------------------------------------------------------------------
def _labelme(change: Callable[[list], Any]) -> Callable[[Path], None]:
    def apply(root: Path) -> None:
        edit(root, lambda content: change(content["shapes"]), "annotations/p1.json")

    return apply


BAD_SHAPES: dict[str, tuple[str, Callable[[list], Any]]] = {
    "two points": ("polygon-too-short", lambda shapes: shapes[0].update(points=[[1, 1], [5, 5]])),
    "words": ("polygon-not-a-number", lambda shapes: shapes[0].update(points="abc")),
    "three numbers": ("polygon-not-a-number", lambda shapes: shapes[0].update(points=[[1, 2, 3]])),
    "a line": ("shape-not-polygon", lambda shapes: shapes[0].update(shape_type="line")),
    "a circle of one point": ("polygon-not-a-number", lambda shapes: shapes[4].update(points=[[1, 2]])),
    "a circle of no radius": ("polygon-empty", lambda shapes: shapes[4].update(points=[[1, 2], [1, 2]])),
    "a mask that is no picture": ("drawn-mask", lambda shapes: shapes[0].update(shape_type="mask", mask="Zm9v")),
    "a mask that is not there": ("drawn-mask", lambda shapes: shapes[0].update(shape_type="mask")),
    "a mask without a corner": ("drawn-mask", lambda shapes: shapes[0].update(shape_type="mask", points=[])),
}


@pytest.mark.parametrize("name", BAD_SHAPES)
def test_bad_shapes_of_labelme(tmp_path, name):
    root = write_labelme(tmp_path / "data")
    for split, numbers in (("train", range(4)), ("val", (4,))):
        lines = "".join(f"annotations/p{at}.json\n" for at in numbers)
        (root / f"{split}_anno_list.txt").write_text(lines)
    assert check(root).passed
    code, change = BAD_SHAPES[name]
    _labelme(change)(root)
    finding = find(check(root), code)
    assert (finding.severity, finding.file) == ("error", "annotations/p1.json")
    assert finding.location.startswith("shapes[")


def test_bad_mask_files(tmp_path):
    root = write_stems(tmp_path / "data")
    report = check(root)
    assert report.passed and not len(report.findings), report.findings.table()
    masks = root / "train" / "masks" / "p0"
    write_mask(masks / "leaf" / "2.png", np.zeros((HEIGHT, WIDTH), bool))
    write_mask(masks / "leaf" / "3.png", np.ones((HEIGHT + 1, WIDTH), bool))
    (masks / "leaf" / "4.png").write_bytes(b"no picture")
    write_mask(masks / "5.png", ring())
    (root / "train" / "images" / "p1.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    report = check(root)
    expected = {
        "mask-empty": "2.png",
        "mask-size-differs": "3.png",
        "mask-unreadable": "4.png",
        "class-unknown": "5.png",
    }
    for code, name in expected.items():
        assert find(report, code).file.endswith(name)
    assert not report.passed


def test_a_folder_nobody_has_divided(tmp_path):
    assert "pdx split" in find(check(write_ids(tmp_path / "data")), "not-split").fix


def test_grey_masks_and_masks_of_ones_are_read(tmp_path):
    root = write_stems(tmp_path / "data")
    bitmap = ring().astype(np.uint8)
    write_image(root / "train" / "masks" / "p0" / "ring" / "1.png", bitmap)  # 0 and 1
    write_image(root / "train" / "masks" / "p1" / "ring" / "1.png", bitmap * 200 + 3)  # as a JPEG would leave it
    report = check(root)
    assert report.passed and not len(report.findings), report.findings.table()


@pytest.mark.parametrize("arguments", [["check"], ["split", "--train", "50", "--val", "50"]])
def test_the_command_line_says_what_is_wrong_and_exits_with_2(coco, capsys, tmp_path, arguments):
    edit(coco, _segmentation([[1, 2, 3]]))
    output = ["--output", str(tmp_path / "result")]
    with pytest.raises(SystemExit, match="2"):
        main([arguments[0], str(coco), "--task", "instseg", *arguments[1:], *output])
    said = capsys.readouterr()
    assert "polygon-odd-count" in said.out + said.err and "Traceback" not in said.out + said.err
