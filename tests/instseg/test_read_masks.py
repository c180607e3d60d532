"""Samples of every layout have a box and a mask for each object."""

from __future__ import annotations

import base64
import json
import shutil

import numpy as np
import pytest
from instance_datasets import (
    CLASSES,
    HEIGHT,
    TRIANGLE,
    WIDTH,
    crowd,
    pairs,
    ring,
    square,
    write_coco,
    write_ids,
    write_labelme,
    write_stems,
)

from pdx_core.data.reading import open_dataset, recognise
from pdx_core.data.split import split_dataset
from pdx_core.errors import DataError
from pdx_core.images import encode_image
from pdx_instseg.run_lengths import RunLengths

TRAIN = "annotations/instance_train.json"


def rasterised(mask) -> np.ndarray:
    if isinstance(mask, np.ndarray):
        return mask
    return RunLengths.of_polygons(mask, (HEIGHT, WIDTH)).bitmap().astype(bool)


def test_coco_instances_have_polygons_bitmaps_and_crowds(tmp_path):
    root = write_coco(tmp_path / "daten ä")
    assert recognise(root, task="instseg").spec.name == "COCOInstSegDataset"
    reader = open_dataset(root, "train", task="instseg")
    assert reader.classes == CLASSES and len(reader) == 3
    sample = reader[1]
    assert sample.boxes.labels.tolist() == [0, 0, 1, 0] and sample.boxes.crowd.tolist() == [False, False, False, True]
    assert sample.boxes.area.tolist() == [72, 72, 48, 60]
    triangle, parts, with_hole, masses = sample.masks
    assert triangle[0].dtype == np.float32 and triangle[0].tolist() == pairs(TRIANGLE)
    assert len(parts) == 2
    assert with_hole.dtype == bool and np.array_equal(with_hole, ring())
    assert masses == []  # training never looks at crowds
    assert "run_lengths" not in sample.extra


def test_samples_for_evaluation_have_exact_run_lengths(tmp_path):
    sample = open_dataset(write_coco(tmp_path), "val", task="instseg")[0]
    runs = sample.extra["run_lengths"]
    assert [mask.area for mask in runs] == [int(rasterised(mask).sum()) for mask in sample.masks]
    assert np.array_equal(runs[2].bitmap(), ring()) and np.array_equal(runs[3].bitmap(), crowd())


def test_run_lengths_without_holes_become_polygons(tmp_path):
    root = write_coco(tmp_path)
    content = json.loads((root / TRAIN).read_text())
    content["annotations"][0]["segmentation"] = RunLengths.of_bitmap(square(4, 3, 12)).json
    del content["annotations"][0]["area"]
    (root / TRAIN).write_text(json.dumps(content))
    sample = open_dataset(root, "train", task="instseg")[0]
    assert isinstance(sample.masks[0], list) and np.array_equal(rasterised(sample.masks[0]), square(4, 3, 12))
    assert sample.boxes.area[0] == 144  # of the mask, as the file does not say


def test_plain_coco_names_and_boxes_without_masks(tmp_path):
    root = write_coco(tmp_path / "data")
    (root / TRAIN).rename(root / "annotations" / "instances_train2017.json")
    (root / "annotations" / "instance_val.json").rename(root / "annotations" / "instances_val2017.json")
    assert len(open_dataset(root, "train", task="instseg")) == 3
    with pytest.raises(DataError, match="could be a dataset for det or instseg; say which with --task"):
        recognise(root)
    for path in (root / "annotations").iterdir():
        content = json.loads(path.read_text())
        for annotation in content["annotations"]:
            annotation["segmentation"] = []
        path.write_text(json.dumps(content))
    assert recognise(root).spec.task == "det"
    with pytest.raises(DataError, match="is not a dataset for instseg in a known layout"):
        recognise(root, task="instseg")


def test_bad_masks_stop_or_are_left_out(tmp_path):
    from pdx_core.settings import Component

    root = write_coco(tmp_path)
    content = json.loads((root / TRAIN).read_text())
    content["annotations"][1]["segmentation"] = [[1, 2, 3]]
    (root / TRAIN).write_text(json.dumps(content))
    with pytest.raises(DataError, match=r"polygon-odd-count: annotations/instance_train.json, annotations\[1\]"):
        open_dataset(root, "train", task="instseg")
    skip = Component(name="COCO", options={"bad_boxes": "skip"})
    sample = open_dataset(root, "train", reader=skip, task="instseg")[0]
    assert len(sample.boxes) == len(sample.masks) == 3 and sample.boxes.ids.tolist() == [1, 3, 4]


def test_a_mask_of_another_size_than_the_file_is_an_error_of_the_sample(tmp_path):
    root = write_coco(tmp_path)
    content = json.loads((root / TRAIN).read_text())
    for image in content["images"]:
        image["height"] += 5
    for annotation in content["annotations"]:
        if isinstance(annotation["segmentation"], dict):
            annotation["segmentation"] = RunLengths.of_bitmap(np.pad(ring(), ((0, 5), (0, 0)))).json
    (root / TRAIN).write_text(json.dumps(content))
    with pytest.raises(DataError, match=r"train_0.png: the image is 40 x 30 pixels, a mask of it 40 x 35"):
        open_dataset(root, "train", task="instseg")[0]


def test_labelme_shapes_of_a_group_are_one_object(tmp_path):
    root = write_labelme(tmp_path / "data")
    found = recognise(root, task="instseg")
    assert found.spec.name == "LabelMeInstSegDataset"
    with pytest.raises(DataError, match="is not split"):
        open_dataset(root, "train", task="instseg")
    counts = split_dataset(found, tmp_path / "lists", 80, 20).counts
    assert counts == {"train": 4, "val": 1}
    sample = open_dataset(tmp_path / "lists", "train", task="instseg")[0]
    assert open_dataset(tmp_path / "lists", "train", task="instseg").classes == ("leaf", "box", "disc")
    assert sample.boxes.labels.tolist() == [0, 0, 1, 2]
    assert [len(mask) for mask in sample.masks] == [1, 2, 1, 1]
    assert sample.boxes.xyxy[:3].tolist() == [[4, 3, 16, 15], [22, 4, 36, 10], [30, 20, 38, 28]]
    disc = rasterised(sample.masks[3])
    assert abs(disc.sum() - 25 * np.pi) < 5 and disc[22, 10]
    assert sample.boxes.area.tolist() == [rasterised(mask).sum() for mask in sample.masks]


def test_labelme_drawn_masks_keep_their_holes(tmp_path):
    root = write_labelme(tmp_path, count=1)
    path = root / "annotations" / "p0.json"
    content = json.loads(path.read_text())
    png = encode_image(ring()[16:24, 20:28].astype(np.uint8) * 255, ".png")
    shape = {"label": "ring", "points": [[20, 16], [27, 23]], "shape_type": "mask", "group_id": None}
    content["shapes"] = [{**shape, "mask": base64.b64encode(png).decode()}]
    path.write_text(json.dumps(content))
    (root / "train_anno_list.txt").write_text("annotations/p0.json\n")
    sample = open_dataset(root, "train", task="instseg")[0]
    assert np.array_equal(sample.masks[0], ring()) and sample.boxes.xyxy.tolist() == [[20, 16, 28, 24]]


def test_a_folder_for_each_image(tmp_path):
    root = write_ids(tmp_path / "stage1_train")
    found = recognise(root, task="instseg")
    assert found.spec.name == "MaskFolderDataset"
    split_dataset(found, tmp_path / "lists", 75, 25)
    reader = open_dataset(tmp_path / "lists", "train", task="instseg")
    assert reader.classes == ("object",) and len(reader) == 3
    sample = reader[0]
    assert np.array_equal(rasterised(sample.masks[0]), square(3, 4)) and np.array_equal(sample.masks[1], ring())
    assert sample.boxes.xyxy.tolist() == [[3, 4, 8, 9], [20, 16, 28, 24]] and sample.boxes.area.tolist() == [25, 48]


def test_folders_of_masks_named_by_image_and_class(tmp_path):
    root = write_stems(tmp_path)
    val = open_dataset(root, "val", task="instseg")
    assert val.classes == ("leaf", "ring")
    assert val[1].boxes.labels.tolist() == [0, 1] and len(val[1].extra["run_lengths"]) == 2
    shutil.rmtree(root / "val" / "masks" / "p1")  # nothing is on it
    assert [len(open_dataset(root, "val", task="instseg")[at].masks) for at in range(2)] == [2, 0]
    shutil.rmtree(root / "val")
    with pytest.raises(DataError, match=r"split-missing: val\.txt"):
        open_dataset(root, "val", task="instseg")


def test_masks_of_semantic_segmentation_are_not_taken_for_objects(tmp_path):
    root = write_stems(tmp_path)
    for split in ("train", "val"):
        for at in range(2):
            shutil.rmtree(root / split / "masks" / f"p{at}")
            (root / split / "masks" / f"p{at}.png").write_bytes(encode_image(ring().astype(np.uint8), ".png"))
    with pytest.raises(DataError, match="is not a dataset for instseg"):
        recognise(root, task="instseg")
    (root / "train" / "images" / "p1.png").unlink()
    (root / "train" / "masks" / "p1.png").unlink()
    with pytest.raises(DataError, match="is not a dataset for instseg"):
        recognise(root, task="instseg")


def test_recognising_imports_nothing_heavy(tmp_path):
    import subprocess
    import sys

    roots = [str(write(tmp_path / name)) for name, write in (("c", write_coco), ("l", write_labelme), ("i", write_ids))]
    program = (
        "import sys; from pathlib import Path; from pdx_instseg import readers_light as r, plugin\n"
        f"c, l, i = map(Path, {roots!r})\n"
        "print(r.has_coco_masks(c), r.has_labelme_masks(l), r.has_mask_folders(i),\n"
        "      r.has_coco_masks(i), r.has_labelme_masks(c), r.has_mask_folders(l))\n"
        "print(sorted({'paddle', 'numpy', 'cv2'} & set(sys.modules)))"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout.split("\n")[:2] == ["True True True False False False", "[]"]
