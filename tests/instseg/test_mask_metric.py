"""The figures of masks: worked out by hand, equal to those of the COCO tools, and the same over processes."""

from __future__ import annotations

import contextlib
import io
import json

import numpy as np
import pytest
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from pdx_core.data.sample import Boxes, Sample
from pdx_core.errors import DataError
from pdx_instseg.metrics.coco import CocoMask
from pdx_instseg.results import InstancesResult
from pdx_instseg.run_lengths import RunLengths

SIZE = (60, 80)
CLASSES = ("a", "b")


def block(x: int, y: int, width: int, height: int) -> np.ndarray:
    bitmap = np.zeros(SIZE, bool)
    bitmap[y : y + height, x : x + width] = True
    return bitmap


def truth(name: int, objects: list[tuple[int, np.ndarray]], crowd: list[int] | None = None) -> Sample:
    frames = [RunLengths.of_bitmap(mask).frame for _, mask in objects]
    boxes = Boxes.of(np.array(frames, np.float32).reshape(-1, 4), [label for label, _ in objects])
    boxes.crowd = np.array(crowd or [0] * len(objects), bool)
    boxes.area = np.array([mask.sum() for _, mask in objects], np.float32)
    return Sample(image=None, boxes=boxes, masks=[mask for _, mask in objects], id=name, path=f"{name}.png", size=SIZE)


def result(objects: list[tuple[int, float, np.ndarray]]) -> InstancesResult:
    masks = [RunLengths.of_bitmap(mask) for _, _, mask in objects]
    rows = [[label, score, *mask.frame] for (label, score, _), mask in zip(objects, masks, strict=True)]
    rows = np.array(rows, np.float32).reshape(-1, 6)
    return InstancesResult.of_rows("x.png", rows, CLASSES, size=SIZE, run_lengths=masks)


def test_boxes_can_be_right_where_masks_are_wrong():
    square, triangle = block(10, 10, 20, 20), np.tril(np.ones((20, 20), bool))
    half = np.zeros(SIZE, bool)
    half[10:30, 10:30] = triangle  # 210 of 400 pixels, in the same box
    metric = CocoMask(CLASSES)
    metric.update([result([(0, 0.9, half)])], [truth(1, [(0, square)])])
    figures = metric.compute()
    assert figures["box_AP"] == pytest.approx(1.0, abs=1e-9)
    # IoU 0.525 counts at the threshold of 0.5 only
    assert figures["AP50"] == pytest.approx(1.0, abs=1e-9) and figures["AP"] == pytest.approx(0.1, abs=1e-9)
    assert figures["AP75"] == 0 and figures["APl"] == -1
    assert metric.per_class()["a"]["AP"] == pytest.approx(0.1) and metric.per_class()["b"]["AP"] == -1


def test_objects_on_a_crowd_are_no_mistakes():
    metric = CocoMask(CLASSES)
    crowd, single = block(0, 40, 80, 20), block(10, 10, 10, 10)
    found = [(0, 0.9, block(5, 45, 10, 10)), (0, 0.8, single)]
    metric.update([result(found)], [truth(1, [(0, crowd), (0, single)], [1, 0])])
    assert metric.compute()["AP"] == pytest.approx(1.0, abs=1e-9)


def _scene(rng: np.random.Generator, name: int) -> tuple[InstancesResult, Sample]:
    known, found = [], []
    for _ in range(rng.integers(0, 6)):
        x, y, w, h = rng.integers(0, 40), rng.integers(0, 30), rng.integers(4, 40), rng.integers(4, 30)
        label = int(rng.integers(2))
        mask = block(x, y, w, h)
        mask[y + h // 2 :, x + w // 2 :] = False
        known.append((label, mask))
        if rng.random() < 0.8:
            dx, dy = rng.integers(-1, 2, 2)
            moved = np.roll(mask, (dy, dx), (0, 1)) | block(x, y, 2, 2)
            found.append((label if rng.random() < 0.8 else 1 - label, float(np.round(rng.random(), 3)), moved))
    if rng.random() < 0.5:
        found.append((int(rng.integers(2)), float(np.round(rng.random(), 3)), block(50, 40, 12, 9)))
    return result(found), truth(name, known, [int(rng.random() < 0.2) for _ in known])


def _scenes() -> list[tuple[InstancesResult, Sample]]:
    rng = np.random.default_rng(11)
    return [_scene(rng, name) for name in range(1, 13)]


def _by_the_tools(scenes, tmp_path, kind: str) -> np.ndarray:
    images, annotations, found = [], [], []
    for answer, sample in scenes:
        images.append({"id": sample.id, "height": SIZE[0], "width": SIZE[1]})
        for at, mask in enumerate(sample.masks):
            x1, y1, x2, y2 = sample.boxes.xyxy[at].tolist()
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": sample.id,
                    "category_id": int(sample.boxes.labels[at]) + 1,
                    "bbox": [x1, y1, x2 - x1, y2 - y1],
                    "area": float(sample.boxes.area[at]),
                    "iscrowd": int(sample.boxes.crowd[at]),
                    "segmentation": RunLengths.of_bitmap(mask).json,
                }
            )
        for label, score, box, mask in zip(
            answer.class_ids, answer.scores, answer.xyxy.tolist(), answer.run_lengths, strict=True
        ):
            x1, y1, x2, y2 = box
            item = {"image_id": sample.id, "category_id": int(label) + 1, "score": float(score)}
            shape = {"segmentation": mask.json} if kind == "segm" else {"bbox": [x1, y1, x2 - x1, y2 - y1]}
            found.append({**item, **shape})
    categories = [{"id": 1, "name": "a"}, {"id": 2, "name": "b"}]
    path = tmp_path / "truth.json"
    path.write_text(json.dumps({"images": images, "annotations": annotations, "categories": categories}))
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO(str(path))
        run = COCOeval(coco, coco.loadRes(found), kind)
        run.evaluate()
        run.accumulate()
        run.summarize()
    return run.stats


def test_the_figures_are_those_of_the_coco_tools(tmp_path):
    scenes, metric = _scenes(), CocoMask(CLASSES)
    for answer, sample in scenes:
        metric.update([answer], [sample])
    figures = metric.compute()
    names = ["AP", "AP50", "AP75", "APs", "APm", "APl", "AR1", "AR10", "AR100", "ARs", "ARm", "ARl"]
    assert [figures[name] for name in names] == pytest.approx(
        _by_the_tools(scenes, tmp_path, "segm").tolist(), abs=1e-9
    )
    assert 0.1 < figures["AP"] < 0.9
    boxes = _by_the_tools(scenes, tmp_path, "bbox")
    assert [figures["box_AP"], figures["box_AP50"]] == pytest.approx(boxes[:2].tolist(), abs=1e-9)


def test_processes_are_merged_and_what_two_saw_counts_once():
    scenes, whole = _scenes(), CocoMask(CLASSES)
    for answer, sample in scenes:
        whole.update([answer], [sample])
    parts = [CocoMask(CLASSES) for _ in range(2)]
    for at, (answer, sample) in enumerate(scenes):
        parts[at % 2].update([answer], [sample])
    parts[0].update([scenes[1][0]], [scenes[1][1]])
    merged = CocoMask(CLASSES)
    merged.merge([part.state() for part in parts])
    assert merged.compute() == whole.compute() and merged.per_class() == whole.per_class()


def test_pictures_and_result_files(tmp_path):
    metric, scenes = CocoMask(CLASSES), _scenes()
    for answer, sample in scenes:
        metric.update([answer], [sample])
    files = metric.draw(tmp_path)
    assert all(path.stat().st_size for path in files)
    assert {path.name for path in files} >= {"segm.json", "bbox.json", "per_class.json", "precision_recall.png"}
    lines = json.loads((tmp_path / "segm.json").read_text())
    wanted = [(s.id, mask.json) for answer, s in scenes for mask in answer.run_lengths]
    assert [(line["image_id"], line["segmentation"]) for line in lines] == wanted
    CocoMask(CLASSES).draw(tmp_path / "nothing")


def test_samples_without_masks_or_of_another_size_are_refused():
    metric, known = CocoMask(CLASSES), truth(1, [(0, block(1, 1, 9, 9))])
    known.masks = None
    with pytest.raises(DataError, match=r"1\.png: has no masks"):
        metric.update([result([])], [known])
    other = truth(2, [(0, block(1, 1, 9, 9))])
    other.extra["run_lengths"] = [RunLengths.of_bitmap(np.ones((3, 3), bool))]
    with pytest.raises(DataError, match="but a mask has"):
        metric.update([result([])], [other])


def test_masks_of_any_reader_do():
    known = truth(1, [(0, block(10, 10, 20, 20)), (0, block(50, 10, 5, 5))])
    known.masks = [[np.array([[10, 10], [30, 10], [30, 30], [10, 30]], np.float32)], []]
    metric = CocoMask(CLASSES)
    metric.update([result([(0, 0.9, block(10, 10, 20, 20))])], [known])
    assert metric.compute()["AR100"] == pytest.approx(0.5)
